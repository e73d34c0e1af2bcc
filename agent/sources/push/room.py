"""How much may be held of bodies that are not in the buffer yet?"""

from types import TracebackType
from typing import Self

from agent.sources.push.refusing import too_much_waits


class Room:
    """Bytes and requests that wait, of all connections, up to a limit of each."""

    def __init__(self, max_bytes: int, max_requests: int) -> None:
        self.bytes = 0
        self.requests = 0
        self._max_bytes = max_bytes
        self._max_requests = max_requests

    def let_in(self) -> "Place":
        """Room for one more request, until it is answered. Raises Refused where there is none."""
        if self.requests >= self._max_requests or self.bytes >= self._max_bytes:
            raise too_much_waits()
        return Place(self)

    def resize(self, before: int, after: int) -> None:
        """What took *before* bytes takes *after* now. Raises Refused where that is too much."""
        if after > before and self.bytes - before + after > self._max_bytes:
            raise too_much_waits()
        self.bytes += after - before


class Place:
    """What one request holds; a context that gives all of it back."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._bytes = 0

    def __enter__(self) -> Self:
        self._room.requests += 1
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.hold(0)
        self._room.requests -= 1

    def hold(self, size: int) -> None:
        """Hold so many bytes from now on. Raises Refused where that is too much."""
        self._room.resize(self._bytes, size)
        self._bytes = size
