"""Which accepted records will never land, and why?"""

from collections import deque
from collections.abc import Callable

from agent.emulator.routing import Route
from agent.emulator.traps import Traps

WARM_UP = "warm-up"
DISABLED = "the flow is disabled"
CAPACITY = "capacity exceeded"


class Losses:
    """Says so at once, when records come: what is decided then holds over a restart."""

    def __init__(self, traps: Callable[[], Traps]) -> None:
        self._traps = traps
        self._capacity = Capacity()

    def why(self, found: Route, records: int, received_ms: int) -> str:
        """Why records that come now are lost; empty where they will be judged."""
        traps = self._traps()
        if traps.capacity and self._capacity.exceeds(traps, records, received_ms):
            return CAPACITY
        if received_ms < found.changed_ms + traps.warm_up * 1000:
            return WARM_UP
        return "" if found.enabled else DISABLED


class Capacity:
    """Records of all inlets in a window of time that moves on, a second at a time."""

    def __init__(self) -> None:
        self._seconds: deque[tuple[int, int]] = deque()  # (second, records in it)
        self._records = 0

    def exceeds(self, traps: Traps, records: int, received_ms: int) -> bool:
        """Whether these records are too many; else they are counted."""
        second = received_ms // 1000
        while self._seconds and self._seconds[0][0] <= second - traps.capacity_window:
            self._records -= self._seconds.popleft()[1]
        if self._records + records > traps.capacity * traps.capacity_window:
            return True
        self._records += records
        if self._seconds and self._seconds[-1][0] == second:
            records += self._seconds.pop()[1]
        self._seconds.append((second, records))
        return False
