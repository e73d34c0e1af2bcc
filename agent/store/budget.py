"""How many bytes may be on their way between the sources and the answers?

Invariant: what is taken never exceeds the limit, but for one taker when nothing else is held (a
single line may be larger than the whole budget) and once the limit is lifted in order to stop.
"""

import asyncio
from collections import deque
from contextlib import suppress


class Budget:
    """A bounded number of bytes; who finds it used up waits in line."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._lifted = False
        self._exhausted_since = 0.0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def exhausted_since(self) -> float | None:
        """Loop time since which nobody has got room; None where nobody waits for any."""
        return self._exhausted_since if self._waiting else None

    async def take(self, size: int) -> None:
        """Hold *size* more bytes, first come first served; waits while there is no room."""
        if not self._waiting and self._has_room(size):
            self.held += size
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        if not self._waiting:
            self._exhausted_since = loop.time()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(size)
            else:
                # whoever gave room may have found the turn cancelled, and passed it over
                with suppress(ValueError):
                    self._waiting.remove((size, turn))
                self._serve()
            raise

    def give(self, size: int) -> None:
        """Hold *size* bytes less."""
        self.held -= size
        assert self.held >= 0, "more was given back than taken"
        self._serve()

    def exchange(self, before: int, after: int) -> None:
        """What took *before* bytes takes *after* from now on; never waits."""
        self.held += after - before
        self._serve()

    def resize(self, limit: int) -> None:
        """Have another limit hold from now on; what is held beyond it is given back in time."""
        self.limit = limit
        self._serve()

    def lift(self) -> None:
        """Let everybody in: sources hand over what they hold before they stop."""
        self._lifted = True
        self._serve()

    def _has_room(self, size: int) -> bool:
        return self._lifted or not self.held or self.held + size <= self.limit

    def _serve(self) -> None:
        while self._waiting and self._has_room(self._waiting[0][0]):
            size, turn = self._waiting.popleft()
            if not turn.done():
                self.held += size
                turn.set_result(None)
                self._exhausted_since = turn.get_loop().time()
