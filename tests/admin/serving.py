"""A listener that answers, as the agent has it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from agent.admin.server import Admin


@asynccontextmanager
async def serving(admin: Admin) -> AsyncIterator[None]:
    """Have it listen and answer meanwhile."""
    admin.start()
    answering = asyncio.create_task(admin.serve())
    try:
        yield
    finally:
        answering.cancel()
        await admin.stop()
