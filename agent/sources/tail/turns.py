"""How does looking at very many files leave others their turn?"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

_IN_A_ROW = 100

T = TypeVar("T")


async def taking_turns(each: Iterable[T]) -> AsyncIterator[T]:
    """The same, a hundred in a row at most."""
    for number, one in enumerate(each, 1):
        yield one
        if number % _IN_A_ROW == 0:
            await asyncio.sleep(0)
