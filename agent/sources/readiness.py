"""Which of many sockets have something to read? Asked of the kernel once, not once a socket.

A selector of our own stands between the sockets and the loop: whatever waits, the loop watches one
descriptor. Nothing is read before its turn, so that a sender that is too fast is slowed down by the
kernel, and an idle connection costs neither a task nor a buffer.
"""

import asyncio
import selectors
from typing import Generic, TypeVar

T = TypeVar("T")


class Readiness(Generic[T]):
    """Watches sockets, each of which stands for something of the owner's."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._woken: asyncio.Future[None] | None = None

    def add(self, descriptor: int, meant: T) -> None:
        """Watch a descriptor for something to read."""
        self._selector.register(descriptor, selectors.EVENT_READ, meant)

    def remove(self, descriptor: int) -> None:
        """Watch it no more; before it is closed."""
        self._selector.unregister(descriptor)

    def now(self) -> list[T]:
        """What can be read at this moment."""
        return [key.data for key, _ in self._selector.select(0)]

    async def wait(self, timeout: float | None) -> list[T]:
        """What can be read, as soon as there is any; nothing after *timeout*, or once woken.

        Lets other tasks run in any case.
        """
        if ready := self.now():
            await asyncio.sleep(0)
            return ready
        loop = asyncio.get_running_loop()
        self._woken = loop.create_future()
        timer = loop.call_later(timeout, self.wake) if timeout is not None else None
        watched = self._selector.fileno()
        loop.add_reader(watched, self.wake)
        try:
            await self._woken
        finally:
            loop.remove_reader(watched)
            if timer:
                timer.cancel()
        return self.now()

    def wake(self) -> None:
        """End a wait."""
        if self._woken and not self._woken.done():
            self._woken.set_result(None)

    def close(self) -> None:
        """Watch nothing any more."""
        self._selector.close()
