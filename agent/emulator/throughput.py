"""How many records came in each of the last seconds?"""

import time
from collections import deque
from collections.abc import Callable
from typing import Any

SECONDS = 300


class Throughput:
    """Accepted and refused records, second by second; `now` is the time in seconds."""

    def __init__(self, seconds: int = SECONDS, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._began = int(now())
        self._seconds = seconds
        # second, accepted, refused; one more than are told of, for the last one is not over
        self._counts: deque[list[int]] = deque(maxlen=seconds + 1)

    def accepted(self, count: int) -> None:
        """Count records that were accepted just now."""
        self._this_second()[1] += count

    def refused(self, count: int) -> None:
        """Count records that were refused just now."""
        self._this_second()[2] += count

    def as_json(self) -> dict[str, Any]:
        """{"until", "accepted", "rejected"}: of each second that is over, the oldest first.

        `until` is where the last of them ends, in seconds since 1970.
        """
        until = int(self._now())
        seconds = range(max(self._began, until - self._seconds), until)
        known = {second: (accepted, refused) for second, accepted, refused in self._counts}
        both = [known.get(second, (0, 0)) for second in seconds]
        return {
            "until": until,
            "accepted": [accepted for accepted, _ in both],
            "rejected": [refused for _, refused in both],
        }

    def _this_second(self) -> list[int]:
        second = int(self._now())
        if not self._counts or self._counts[-1][0] != second:
            self._counts.append([second, 0, 0])
        return self._counts[-1]
