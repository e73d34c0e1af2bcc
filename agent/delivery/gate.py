"""May a request go now? Whoever wants to send asks here, and waits here until it may.

Three things must agree: how many may be in flight, the pace that was bought, and the destination.
What one sender learns of the destination holds for all of them.
"""

import asyncio
import random
import time
from contextlib import suppress

from agent.core.concurrency import Limit
from agent.core.destination import (
    AUTH_BLOCKED,
    DISK_FULL,
    DOWN,
    DRAINING,
    READY,
    SCHEMA_CHANGED,
    THROTTLED,
    WARMING_UP,
    Destination,
)
from agent.core.pacing import Pacing
from agent.core.statuses import Advice
from agent.record import Batch
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

_WAIT_NOTICED = 0.001  # seconds
_OVERLOAD = (Advice.THROTTLED, Advice.RETRY)  # what fewer requests at once may cure

_NEWS = {
    READY: "the inlet takes records again",
    DOWN: "the inlet is down, asking it now and then",
    THROTTLED: "the inlet is throttled, keeping away as long as it asks",
    AUTH_BLOCKED: "the inlet refuses our credentials, asking it now and then",
    WARMING_UP: "the flow is new, holding records until inlet.ready_at",
    DISK_FULL: "the store takes nothing, sending what can still be recorded",
}

log = get_logger("delivery")


class Gate:
    """Made inside a running loop, for all senders of one destination."""

    def __init__(
        self, destination: Destination, pacing: Pacing, limit: Limit, meters: Meters
    ) -> None:
        self.destination = destination
        self.limit = limit
        self.in_flight = 0
        self.hurried = False
        self._pacing = pacing
        self._meters = meters
        self._until = 0.0
        self._turns = 0  # senders that have a batch, or wait for one
        self._more_turns = asyncio.Event()
        self._pace = asyncio.Lock()
        self._turned = asyncio.Event()  # set when a wait may be over before its time
        self._held_back = 0  # senders with a batch that the limit does not let go
        self._loop = asyncio.get_running_loop()
        self._shown = destination.states
        self._was_open = destination.is_open
        meters.destination_is(*self._shown)
        if WARMING_UP in self._shown:
            self._tell()
            self._look_again()

    def change(self, pacing: Pacing, limit: Limit) -> None:
        """Have this pace and this limit hold from now on, for those who wait, too."""
        self._pacing, self.limit = pacing, limit
        self._turned.set()
        self._more_turns.set()

    # --- before a batch is leased ---

    async def turn(self) -> bool:
        """Wait until one sender more may have a batch; False where it is too late for that."""
        while self._turns >= self.limit.allowed:
            if self.hurried and not self.destination.is_open:
                return False  # those who have a batch make the last try
            self._more_turns.clear()
            await self._more_turns.wait()
        self._turns += 1
        return True

    def keeps_turn(self) -> bool:
        """Whether a sender that has a turn may take another batch."""
        return self._turns <= self.limit.allowed

    def end_turn(self) -> None:
        """A sender takes no more batches for now."""
        self._turns -= 1
        self._more_turns.set()

    # --- with a batch ---

    async def opens(self, batch: Batch) -> bool:
        """Wait until this batch may be sent; False where that is too long to wait."""
        return await self._keep_pace(batch) and await self._may_send()

    def sent(self, now: float) -> None:
        """A request leaves."""
        self.in_flight += 1
        self.limit.sent(self.in_flight, now)

    def ended(self) -> None:
        """A request was answered, or never will be."""
        self.in_flight -= 1
        if self._held_back:
            self._turned.set()

    # --- what came of it ---

    def succeeded(self, sent: float, now: float) -> None:
        """A usable answer, and records were taken or blamed for good reason."""
        if self.destination.is_open:
            self.limit.answered(sent, now)
            if self._turns < self.limit.allowed:
                self._more_turns.set()
        self.destination.succeeded(sent, now)
        self._look()

    def failed(self, advice: Advice, sent: float, now: float, retry_after: float | None) -> None:
        """No usable answer."""
        if advice in _OVERLOAD and self.destination.is_open:
            self.limit.pushed_back(sent, now)
        dice = random.random()
        self.destination.failed(advice, sent, now, dice=dice, retry_after=retry_after)
        self._look()

    def refused(self, sent: float, now: float) -> None:
        """An answer that shows most records to be refused."""
        self.destination.refused(sent, now, dice=random.random())
        self._look()

    def gave_up(self) -> None:
        """A batch that had leave, or waited for it, is not sent after all."""
        self.destination.gave_up()
        self._turned.set()

    def another_token(self) -> None:
        """Credentials that were refused have been replaced."""
        self.destination.another_token(time.monotonic())
        self._turned.set()

    def mark(self, state: str, holds: bool) -> None:
        """Say whether DISK_FULL or DRAINING holds from now on."""
        self.destination.mark(state, holds, time.monotonic())
        self._look()

    def hurry(self, until: float) -> None:
        """The agent stops at *until*, of the monotonic clock: wait for nothing but answers."""
        self.hurried = True
        self._until = until
        self.mark(DRAINING, True)
        self._turned.set()
        self._more_turns.set()

    async def _keep_pace(self, batch: Batch) -> bool:
        """Wait for this batch's turn within the configured rates; False where that is too long."""
        if self._pacing.is_free:
            return True
        async with self._pace:  # who waits first goes first
            begun = time.monotonic()
            while wait := self._pacing.may_send(batch.count, len(batch.body), time.monotonic()):
                if self.hurried and time.monotonic() + wait > self._until:
                    return False
                await self._wait(wait)
            if (waited := time.monotonic() - begun) > _WAIT_NOTICED:
                self._meters.paced_seconds.add(waited)
        return True

    async def _may_send(self) -> bool:
        """Wait until the limit and the destination agree; False where that is too long to wait."""
        destination = self.destination
        while True:
            if destination.is_open and self.in_flight >= self.limit.allowed:
                await self._wait_for_an_answer()
                continue
            wait = destination.may_send(begun := time.monotonic())
            self._look()
            if not wait:
                return True
            if self.hurried and not destination.asked_to_wait:
                return destination.state != SCHEMA_CHANGED  # one last try, where it may help
            if self.hurried and begun + wait > self._until:
                return False  # we were asked to keep away for longer than there is
            throttled = destination.state == THROTTLED
            await self._wait(wait)
            if throttled:
                self._meters.throttled_seconds.add(time.monotonic() - begun)

    async def _wait_for_an_answer(self) -> None:
        """Fewer are allowed than when this batch was leased."""
        self._held_back += 1
        try:
            self._turned.clear()
            await self._turned.wait()
        finally:
            self._held_back -= 1

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until something turned."""
        self._turned.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._turned.wait()

    def _look(self) -> None:
        """Tell of the destination's states, and wake whoever waits, where they have changed."""
        shown, self._shown = self._shown, self.destination.states
        if shown == self._shown:
            return
        self._meters.destination_is(*self._shown)
        if self.destination.is_open and not self._was_open:
            self.limit.begin_again()
        self._was_open = self.destination.is_open
        if shown[0] != self._shown[0]:
            self._tell()
        self._turned.set()
        self._more_turns.set()

    def _look_again(self) -> None:
        """See to it that the end of the warm-up is told even if there is nothing to send."""
        wait = self.destination.may_send(time.monotonic())
        if WARMING_UP in self.destination.states:
            self._loop.call_later(wait, self._look_again)
        self._look()

    def _tell(self) -> None:
        if self._shown[0] in _NEWS:  # of a changed schema those tell who know how many records
            log.info(_NEWS[self._shown[0]], state=self._shown[0])
