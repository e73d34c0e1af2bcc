"""Where in a file that grows is the Nth of the things it holds?"""

from bisect import bisect_right

_SPACING = 1 << 16  # bytes of the file between two marks


class Marks:
    """Counts what is appended to a file, and remembers every now and then where it had got to.

    Reading on from the nearest mark costs `spacing` bytes at most, however long the file is.
    """

    def __init__(self, spacing: int = _SPACING) -> None:
        self._spacing = spacing
        self.clear()

    def clear(self) -> None:
        """The file is empty again."""
        self.total = 0
        self._numbers = [0]
        self._offsets = [0]

    def add(self, count: int, offset: int) -> None:
        """Note that the next `count` things begin at `offset`."""
        if offset >= self._offsets[-1] + self._spacing:
            self._numbers.append(self.total)
            self._offsets.append(offset)
        self.total += count

    def before(self, number: int) -> tuple[int, int]:
        """The last mark not behind thing `number`: (how many things lie before it, its offset)."""
        place = bisect_right(self._numbers, number) - 1
        return self._numbers[place], self._offsets[place]
