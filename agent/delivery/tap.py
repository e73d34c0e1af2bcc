"""Who looks at records on their way? Mostly nobody, and then it costs one question a chunk.

Where somebody does, records are picked out of a chunk by chance, no more than were asked for in a
second, and never more than fit a bounded queue: who looks slowly misses some, and nothing waits.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from agent.core.batching import Run

_BYTES_MOST = 4 << 20  # of records that wait for one who looks


@dataclass(frozen=True, slots=True)
class Seen:
    """A record that passed by: on its way to the batcher, filters behind it."""

    flow: str
    source: str
    line: int
    read_at: float
    record: bytes


class Watcher:
    """One who looks: at records of one source, or all, at most *rate* of them in a second."""

    def __init__(self, rate: float, source: str | None = None) -> None:
        self.passed = 0  # records that could be seen …
        self.missed = 0  # … and those of them that were picked, and lost for want of room
        self._rate = rate
        self._source = source
        self._allowed = max(1.0, rate)
        self._counted_at = time.monotonic()
        self._seen: deque[Seen] = deque()
        self._bytes = 0
        self._news = asyncio.Event()

    def see(self, flow: str, source: str, label: str, runs: Sequence[Run]) -> None:
        """Records pass by, of a source that is also known as *label*."""
        if self._source not in (None, source, label):
            return
        count = sum(len(run.records) for run in runs)
        self.passed += count
        now = time.monotonic()
        self._allowed += (now - self._counted_at) * self._rate
        self._allowed, self._counted_at = min(self._allowed, max(1.0, self._rate)), now
        picked = min(int(self._allowed), count)
        self._allowed -= picked
        places = iter(sorted(random.sample(range(count), picked)))
        place, begun = next(places, None), 0
        for run in runs:
            while place is not None and place < begun + len(run.records):
                at = place - begun
                self._take(Seen(flow, source, run.span.line + at, run.read_at, run.records[at]))
                place = next(places, None)
            begun += len(run.records)

    async def wait(self, seconds: float) -> None:
        """Until something was seen, at most so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._news.wait()
        except TimeoutError:
            return

    def taken(self) -> list[Seen]:
        """What was seen since the last time."""
        seen = list(self._seen)
        self._seen.clear()
        self._bytes = 0
        self._news.clear()
        return seen

    def _take(self, seen: Seen) -> None:
        if self._bytes + len(seen.record) > _BYTES_MOST:
            self.missed += 1
            return
        self._bytes += len(seen.record)
        self._seen.append(seen)
        self._news.set()


class Tap:
    """Where the records of a flow can be looked at."""

    def __init__(self) -> None:
        self.watchers: tuple[tuple[str, Watcher], ...] = ()

    def join(self, watcher: Watcher, flow: str) -> None:
        """From now on *watcher* looks, and is told that this is the *flow* of that name."""
        if all(each is not watcher for _, each in self.watchers):
            self.watchers = (*self.watchers, (flow, watcher))

    def leave(self, watcher: Watcher) -> None:
        """It looks no more."""
        self.watchers = tuple(each for each in self.watchers if each[1] is not watcher)

    def show(self, source: str, label: str, runs: Sequence[Run]) -> None:
        """Records pass by."""
        for flow, watcher in self.watchers:
            watcher.see(flow, source, label, runs)
