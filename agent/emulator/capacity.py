"""Do these records exceed what the organisation bought?"""

from collections import deque

from agent.emulator.traps import Traps


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
