"""Who takes batches to the inlet, and what is done with each answer?"""

import asyncio
import random
import time
from contextlib import suppress
from dataclasses import dataclass

from agent.core import responses, retrying
from agent.core.codecs import Codec
from agent.core.destination import READY, THROTTLED, Destination, RetryPolicy
from agent.core.pacing import Pacing
from agent.core.responses import Reading
from agent.core.statuses import Advice, advice_of
from agent.delivery.batcher import Batcher
from agent.delivery.encoder import Encoder
from agent.delivery.inlet import Answer, Inlet, reason
from agent.delivery.settling import Settler
from agent.errors import Unauthorized, Unavailable
from agent.record import Batch
from agent.store.memory import Spool
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

_WAIT_NOTICED = 0.001  # seconds

log = get_logger("delivery")

_NEXT_STEP = {
    Advice.UNAUTHORIZED: "check inlet.token or inlet.credentials, and whether this host may reach"
    " the inlet",
    Advice.MISDIRECTED: "check inlet.url and inlet.flow_id",
}


@dataclass(frozen=True, slots=True)
class Shared:
    """What the senders of one destination have in common."""

    spool: Spool
    inlet: Inlet
    settler: Settler
    encoder: Encoder
    batcher: Batcher
    destination: Destination
    pacing: Pacing
    policy: RetryPolicy
    meters: Meters


class Senders:
    """Several senders to one destination: what one of them learns holds for all."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._codec: Codec = shared.encoder.codec
        self.in_flight = 0
        self._hurried = False
        self._until = 0.0
        self._turn = asyncio.Lock()
        self._turned = asyncio.Event()  # set when the destination's state changed

    async def run(self) -> None:
        """Be one sender: send batch after batch until the spool is closed and empty.

        In a hurry, one batch without a usable answer ends it: there is no time for another.
        """
        usable = True
        while usable or not self._hurried:
            await self._shared.settler.room()
            if (batch := await self._shared.spool.lease()) is None:
                return
            try:
                usable = await self._deliver(batch)
            except asyncio.CancelledError:
                self._shared.destination.gave_up()
                self._shared.spool.release(batch)
                raise

    def hurry(self, until: float) -> None:
        """The agent stops at *until*, of the monotonic clock: wait for nothing but answers."""
        self._hurried = True
        self._until = until
        self._turned.set()

    async def _keep_pace(self, batch: Batch) -> bool:
        """Wait for this batch's turn within the configured rates; False where that is too long."""
        async with self._turn:  # who waits first goes first
            begun = time.monotonic()
            while wait := self._shared.pacing.may_send(
                batch.count, len(batch.body), time.monotonic()
            ):
                if self._hurried and time.monotonic() + wait > self._until:
                    return False
                self._turned.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(wait):
                        await self._turned.wait()
            if (waited := time.monotonic() - begun) > _WAIT_NOTICED:
                self._shared.meters.paced_seconds.add(waited)
        return True

    async def _may_send(self) -> bool:
        """Wait until the destination may be asked; False where that is too long to wait."""
        destination = self._shared.destination
        while wait := destination.may_send(time.monotonic()):
            throttled = destination.state == THROTTLED
            begun = time.monotonic()
            if self._hurried and not throttled:
                return True  # one last try
            if self._hurried and begun + wait > self._until:
                return False  # we were asked to keep away for longer than there is
            self._turned.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(wait):
                    await self._turned.wait()
            if throttled:
                self._shared.meters.throttled_seconds.add(time.monotonic() - begun)
        return True

    async def _deliver(self, batch: Batch) -> bool:
        """Send one leased batch, and settle, split or release it; whether the answer was usable.

        Once there is an answer nothing is awaited, so that it cannot be forgotten half way.
        """
        if not (await self._keep_pace(batch) and await self._may_send()):
            self._shared.spool.release(batch)
            return False
        sent = time.monotonic()
        batch.attempts += 1
        batch.last_at = time.time()
        batch.first_at = batch.first_at or batch.last_at
        try:
            answer = await self._ask(batch)
        except Unavailable as error:
            advice = Advice.UNAUTHORIZED if isinstance(error, Unauthorized) else Advice.RETRY
            self._failed(batch, advice, sent, str(error), None)
            return False
        reading = responses.read(answer.status, answer.body, batch.count)
        if reading.advice in (Advice.SETTLE, Advice.TOO_LARGE, Advice.SUSPECT):
            self._answered(batch, reading, sent)
            return True
        wait = retrying.retry_after(answer.retry_after, time.time())
        words = f"{reason(answer.status)}: {reading.detail}"
        self._failed(batch, reading.advice, sent, words, wait)
        return False

    async def _ask(self, batch: Batch) -> Answer:
        """Send a batch as it is; without gzip where that is known, or suspected, to be refused."""
        gzipped = batch.gzipped and self._codec.gzip
        body = batch.body if gzipped == batch.gzipped else self._shared.encoder.plain(batch)
        answer = await self._post(body, gzipped=gzipped)
        if self._codec.is_suspect(answer.status, gzipped=gzipped):
            refusal = answer
            answer = await self._post(self._shared.encoder.plain(batch), gzipped=False)
            gzipped = False
            if advice_of(answer.status) is Advice.SETTLE and self._codec.refused_gzip():
                log.warning(
                    "the inlet does not take gzip, sending without from now on",
                    status=refusal.status,
                )
        if advice_of(answer.status) is Advice.SETTLE:
            self._codec.took(gzipped=gzipped)
        return answer

    async def _post(self, body: bytes, *, gzipped: bool) -> Answer:
        meters = self._shared.meters
        begun = time.monotonic()
        self.in_flight += 1
        status = "none"
        try:
            answer = await self._shared.inlet.post(body, gzipped=gzipped)
            status = str(answer.status)
            return answer
        finally:
            self.in_flight -= 1
            meters.requests.add(1, status)
            meters.request_seconds.observe(time.monotonic() - begun)

    def _answered(self, batch: Batch, reading: Reading, sent: float) -> None:
        """The inlet read the request: it is there, whatever it said of the records."""
        destination, settler = self._shared.destination, self._shared.settler
        if destination.succeeded(sent, time.monotonic()):
            self._state_changed("the inlet takes records again")
        if reading.advice is Advice.SETTLE:
            self._shared.batcher.took(batch.plain_bytes)
            self._note_receipt(batch, reading)
            wait = self._wait_of(batch) if reading.again else 0.0
            if reading.again:
                self._shared.meters.retries.add(1, "no_verdict")
                log.warning(
                    "the answer gave no certain verdict on some records, trying those again",
                    records=len(reading.again),
                    attempts=batch.attempts,
                )
            settler.settle(batch, reading, wait)
        else:
            self._shared.meters.retries.add(1, reading.advice)
            if reading.advice is Advice.SUSPECT:
                log.warning(
                    "the inlet refuses a whole request, looking for the record that is to blame",
                    records=batch.count,
                    next_step="if no record is accepted, check inlet.url and inlet.flow_id",
                )
            else:
                self._shared.batcher.refused(batch.plain_bytes)
                log.warning(
                    "the inlet finds the request too large, making smaller ones",
                    bytes=batch.plain_bytes,
                )
            settler.split(batch)

    def _failed(
        self, batch: Batch, advice: Advice, sent: float, words: str, retry_after: float | None
    ) -> None:
        """No usable answer: the batch waits, and the destination perhaps with it."""
        self._shared.meters.retries.add(1, advice)
        destination = self._shared.destination
        now = time.monotonic()
        changed = destination.failed(
            advice, sent, now, dice=random.random(), retry_after=retry_after
        )
        wait = self._wait_of(batch) if destination.state == READY else 0.0
        self._shared.spool.release(batch, wait)
        step = {"next_step": _NEXT_STEP[advice]} if advice in _NEXT_STEP else {}
        log.warning(
            "no usable answer from the inlet, trying again",
            once_per="reason",
            reason=words,
            state=destination.state,
            attempts=batch.attempts,
            records=batch.count,
            **step,
        )
        if changed:
            self._state_changed(f"the inlet is {destination.state}")

    def another_token(self) -> None:
        """There is a token that has not been refused: who waited for that may ask at once."""
        self._shared.destination.another_token(time.monotonic())
        self._turned.set()

    def _state_changed(self, event: str) -> None:
        self._shared.meters.destination_is(self._shared.destination.state)
        self._turned.set()
        log.info(event, state=self._shared.destination.state)

    def _wait_of(self, batch: Batch) -> float:
        if self._hurried:
            return 0.0
        policy = self._shared.policy
        return retrying.backoff(
            batch.attempts,
            dice=random.random(),
            initial=policy.initial,
            ceiling=policy.ceiling,
        )

    def _note_receipt(self, batch: Batch, reading: Reading) -> None:
        meters = self._shared.meters
        meters.xaction_ids_received.add(len(reading.ids))
        if reading.received_time_ms is not None and reading.accepted:
            lag = max(0.0, reading.received_time_ms / 1000 - batch.read_at)
            meters.receive_lag_seconds.observe_many(lag, len(reading.accepted))
