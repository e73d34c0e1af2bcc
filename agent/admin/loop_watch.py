"""How late is the event loop? Sleeps a moment, again and again, and sees how long that took."""

import asyncio
from collections import deque

from agent.telemetry.meters import Meters

INTERVAL = 0.5
_REMEMBERED = 30  # samples: 15 seconds, so that a scrape sees a delay between two of them


class LoopWatch:
    """Keeps `meters.loop_lag_seconds` at the worst delay of the last 15 seconds."""

    def __init__(self, meters: Meters, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._recent: deque[float] = deque([0.0], maxlen=_REMEMBERED)
        meters.loop_tasks.read_from(lambda: len(asyncio.all_tasks()))
        meters.loop_lag_seconds.read_from(lambda: max(self._recent))

    @property
    def lag(self) -> float:
        """The latest delay, in seconds."""
        return self._recent[-1]

    async def run(self) -> None:
        """Measure until cancelled."""
        clock = asyncio.get_running_loop().time
        while True:
            due = clock() + self._interval
            await asyncio.sleep(self._interval)
            self._recent.append(max(0.0, clock() - due))
