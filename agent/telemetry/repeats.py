"""Has this been said lately? Lets a line through once per window and counts what it held back."""

from collections import OrderedDict
from collections.abc import Hashable


class Repeats:
    """Remembers when each key was last let through, for a bounded number of keys."""

    def __init__(self, window: float, most: int = 1000) -> None:
        """`window` in seconds: 0 lets everything through. `most` keys are remembered."""
        self._window = window
        self._most = most
        self._seen: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def admit(self, key: Hashable, now: float) -> int | None:
        """How many were held back since `key` was last let through; None: hold this one back too.

        `now` is a monotonic clock, in seconds.
        """
        if self._window <= 0:
            return 0
        since, held_back = self._seen.get(key, (-self._window, 0))
        if key in self._seen and now - since < self._window:
            self._seen[key] = (since, held_back + 1)
            self._seen.move_to_end(key)
            return None
        self._seen[key] = (now, 0)
        self._seen.move_to_end(key)
        if len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return held_back
