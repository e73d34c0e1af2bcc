"""Who takes batches to the inlet, and what is done with each answer?"""

import asyncio
import random
import time
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass, replace

from agent.core import responses, retrying
from agent.core.breaker import Breaker
from agent.core.codecs import Codec
from agent.core.concurrency import Limit
from agent.core.destination import DISK_FULL, Destination, RetryPolicy
from agent.core.pacing import Pacing
from agent.core.statuses import Advice, advice_of
from agent.delivery.batcher import Batcher
from agent.delivery.encoder import Encoder
from agent.delivery.gate import Gate
from agent.delivery.inlet import Answer, Inlet, reason
from agent.delivery.settling import Settler
from agent.delivery.verdicts import Places, Verdicts
from agent.errors import Unauthorized, Unavailable
from agent.record import Batch
from agent.store.memory import Spool
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

USABLE = (Advice.SETTLE, Advice.TOO_LARGE, Advice.SUSPECT)  # the inlet read the request

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
    limit: Limit
    breaker: Breaker
    policy: RetryPolicy
    meters: Meters


@dataclass(frozen=True, slots=True)
class Manner:
    """How is sent: None of what has learnt something, and is to go on with that."""

    policy: RetryPolicy
    pacing: Pacing | None = None
    limit: Limit | None = None
    breaker: Breaker | None = None


class Senders:
    """Several senders to one destination: what one of them learns holds for all.

    As many may run as the limit can ever allow; those beyond it wait, and cost nothing.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._codec: Codec = shared.encoder.codec
        self._gate = Gate(shared.destination, shared.pacing, shared.limit, shared.meters)
        places = Places(shared.spool, shared.settler, shared.batcher, shared.encoder)
        self._verdicts = Verdicts(
            places, self._gate, shared.breaker, shared.policy.ceiling, shared.meters
        )
        self._loop = asyncio.get_running_loop()
        self._context = copy_context()  # in which it is said whose senders these are

    @property
    def destination(self) -> Destination:
        """What is known of where they send to."""
        return self._shared.destination

    @property
    def most(self) -> int:
        """How many senders the limit can ever allow."""
        return self._shared.limit.ceiling

    @property
    def allowed(self) -> int:
        """Requests allowed in flight at this moment."""
        return self._shared.limit.allowed

    @property
    def in_flight(self) -> int:
        """Requests sent and not yet answered."""
        return self._gate.in_flight

    @property
    def stuck(self) -> asyncio.Event:
        """Set while most records are refused and have been for a while: only people can help."""
        return self._verdicts.stuck

    async def run(self) -> None:
        """Be one sender: send batch after batch until the spool is closed and empty.

        In a hurry, one batch without a usable answer ends it: there is no time for another.
        """
        goes_on = True
        while goes_on and await self._gate.turn():
            try:
                goes_on = await self._next()
                while goes_on and self._gate.keeps_turn():
                    goes_on = await self._next()
            finally:
                self._gate.end_turn()

    def change(self, manner: Manner) -> None:
        """Send in another manner from now on. What is not new of it goes on as it stands."""
        self._shared = replace(
            self._shared,
            pacing=manner.pacing or self._shared.pacing,
            limit=manner.limit or self._shared.limit,
            policy=manner.policy,
        )
        self._shared.destination.policy = manner.policy
        self._verdicts.retry_ceiling = manner.policy.ceiling
        self._verdicts.breaker = manner.breaker or self._verdicts.breaker
        self._gate.change(self._shared.pacing, self._shared.limit)

    def hurry(self, until: float) -> None:
        """The agent stops at *until*, of the monotonic clock: wait for nothing but answers."""
        self._gate.hurry(until)

    def store_full(self, full: bool) -> None:
        """The store takes nothing, or takes verdicts again. May be called in any thread."""
        with suppress(RuntimeError):  # the loop is closed: nobody looks any more
            self._loop.call_soon_threadsafe(self._gate.mark, DISK_FULL, full, context=self._context)

    def another_token(self) -> None:
        """There is a token that has not been refused: who waited for that may ask at once."""
        self._gate.another_token()

    async def _next(self) -> bool:
        """Send the next batch; False where this sender ends."""
        await self._shared.settler.room()
        if (batch := await self._shared.spool.lease()) is None:
            return False
        try:
            advice = await self._deliver(batch)
        except asyncio.CancelledError:
            self._gate.gave_up()
            self._shared.spool.release(batch)
            raise
        return advice in USABLE or not self._gate.hurried

    async def _deliver(self, batch: Batch) -> Advice | None:
        """Send one leased batch, and settle, split or release it; what the answer called for.

        Once there is an answer nothing is awaited, so that it cannot be forgotten half way.
        """
        if not await self._gate.opens(batch):
            self._shared.spool.release(batch)
            return None
        sent = time.monotonic()
        batch.attempts += 1
        batch.last_at = time.time()
        batch.first_at = batch.first_at or batch.last_at
        try:
            answer = await self._ask(batch)
        except Unavailable as error:
            advice = Advice.UNAUTHORIZED if isinstance(error, Unauthorized) else Advice.RETRY
            self._failed(batch, advice, sent, str(error), None)
            return advice
        reading = responses.read(answer.status, answer.body, batch.count)
        if reading.advice in USABLE:
            wait = self._wait_of(batch) if reading.again else 0.0
            self._verdicts.take(batch, reading, sent, wait)
        else:
            retry_after = retrying.retry_after(answer.retry_after, time.time())
            words = f"{reason(answer.status)}: {reading.detail}"
            self._failed(batch, reading.advice, sent, words, retry_after)
        return reading.advice

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
        self._gate.sent(begun)
        status = "none"
        try:
            answer = await self._shared.inlet.post(body, gzipped=gzipped)
            status = str(answer.status)
            return answer
        finally:
            self._gate.ended()
            meters.requests.add(1, status)
            meters.request_seconds.observe(time.monotonic() - begun)

    def _failed(
        self, batch: Batch, advice: Advice, sent: float, words: str, retry_after: float | None
    ) -> None:
        """No usable answer: the batch waits, and the destination perhaps with it."""
        self._shared.meters.retries.add(1, advice)
        step = {"next_step": _NEXT_STEP[advice]} if advice in _NEXT_STEP else {}
        log.warning(  # before what follows from it is told
            "no usable answer from the inlet, trying again",
            once_per="reason",
            reason=words,
            attempts=batch.attempts,
            records=batch.count,
            **step,
        )
        self._gate.failed(advice, sent, time.monotonic(), retry_after)
        is_open = self._shared.destination.is_open
        self._shared.spool.release(batch, self._wait_of(batch) if is_open else 0.0)

    def _wait_of(self, batch: Batch) -> float:
        if self._gate.hurried:
            return 0.0
        policy = self._shared.policy
        return retrying.backoff(
            batch.attempts,
            dice=random.random(),
            initial=policy.initial,
            ceiling=policy.ceiling,
        )
