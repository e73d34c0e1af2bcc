"""Who starts tasks, and who hears of it when one ends before its time?

Every task has a name and an owner. A task that raises brings the whole group down with its error;
an endless one that merely returns counts as broken too, so that nothing dies in silence.
"""

import asyncio
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, Self

from agent.errors import AgentError


class EndedEarly(AgentError):
    """A task that should have gone on until it was told to stop came to an end by itself."""


class Supervisor:
    """A group of tasks: `async with` waits for the finite ones and cancels the endless ones."""

    def __init__(self) -> None:
        self._group = asyncio.TaskGroup()
        self._endless: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for task in [*self._endless]:
            task.cancel()
        try:
            await self._group.__aexit__(kind, error, traceback)
        except BaseExceptionGroup as group:
            raise _first(group) from group

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work that ends by itself."""
        return self._group.create_task(work, name=name)

    def start_endless(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work that goes on until the group is left."""
        task = self._group.create_task(_endless(name, work), name=name)
        self._endless.add(task)
        task.add_done_callback(self._endless.discard)
        # a task that is cancelled before its first step never comes to await the work
        task.add_done_callback(lambda _: work.close())
        return task


async def _endless(name: str, work: Coroutine[Any, Any, None]) -> None:
    await work
    raise EndedEarly(f"{name} ended by itself")


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What brought the group down; the others only fell with it."""
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
