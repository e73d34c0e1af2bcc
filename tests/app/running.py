"""What tests of a whole agent share: records, and waiting for it."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from agent.app.lifecycle import Agent
from agent.app.pipeline import Pipeline
from agent.app.summary import Snapshot

SOON = 10.0
MakeAgent = Callable[..., Agent]


def orders(count: int, kind: str = "a") -> list[bytes]:
    return [b'{"%b":%d,"text":"caf\xc3\xa9"}' % (kind.encode(), n) for n in range(count)]


def written(path: Path, records: list[bytes]) -> Path:
    path.write_bytes(b"".join(record + b"\n" for record in records))
    return path


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110  # what is waited for is told to nobody
            await asyncio.sleep(0.005)


async def ended(running: "asyncio.Future[Snapshot]") -> Snapshot:
    done = await asyncio.wait_for(running, SOON)
    assert done.read == done.accepted + done.dead_letters + done.held
    return done


def only(agent: Agent) -> Pipeline:
    """The pipeline of an agent that runs, of its only flow."""
    assert agent._parts
    return agent._parts.pipelines[""]


def read(agent: Agent) -> int:
    return agent.snapshot().read if agent._parts else 0
