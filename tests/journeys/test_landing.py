"""Records accepted by an emulator that is killed again and again: each lands, or fails, once."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from support.flows_made import Objects, platform, provisioned

KILLS = 4
JANE = {"person": {"name": {"firstName": "Jane"}}}
WRONG = {"person": {"name": {"firstName": 7}}}


@asynccontextmanager
async def _emulator(
    directory: Path, port: int = 0
) -> AsyncIterator[tuple[str, asyncio.subprocess.Process]]:
    """(its address, the process)."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agent", "emulate", "--data", str(directory)),
        *("--listen", f"127.0.0.1:{port}"),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert process.stdout
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        yield json.loads(line)["listening"], process
    finally:
        if process.returncode is None:
            process.terminate()
            await asyncio.wait_for(process.wait(), 60)


async def _send(made: Objects, session: aiohttp.ClientSession, accepted: list[str]) -> None:
    """Send until the emulator is gone; the ids of what it answered for are in `accepted`."""
    url = made.inlet_url.replace("/collection/", "/collection/batch/")
    headers = {"x-adobe-flow-id": made.flow.id}
    try:
        for _ in range(200):
            body = {"messages": [JANE, WRONG] * 50}
            async with session.post(url, json=body, headers=headers) as answer:
                accepted += [item["xactionId"] for item in (await answer.json())["responses"]]
    except aiohttp.ClientError:
        return


async def test_what_a_killed_emulator_had_accepted_lands_or_fails_exactly_once(
    tmp_path: Path,
) -> None:
    chance = random.Random(7)
    accepted: list[str] = []
    async with aiohttp.ClientSession() as session:
        async with _emulator(tmp_path) as (root, _):
            client = platform(root)
            made = await provisioned(client)
            await client.close()
        port = int(root.rpartition(":")[2])
        for _ in range(KILLS):
            async with _emulator(tmp_path, port) as (_, process):
                sending = asyncio.ensure_future(_send(made, session, accepted))
                await asyncio.sleep(chance.uniform(0.3, 0.8))
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
                await sending
        async with _emulator(tmp_path, port) as (root, _):
            landed, failed, flow = await _found(session, root, made)
    assert len(accepted) > 100
    assert len(landed) == len(set(landed)) == flow["landed"]
    assert len(failed) == len(set(failed)) == flow["failed"]
    assert set(accepted) <= set(landed) | set(failed)
    assert not set(landed) & set(failed)
    assert abs(len(landed) - len(failed)) == 0
    assert flow["waiting"] == 0


async def _found(
    session: aiohttp.ClientSession, root: str, made: Objects
) -> tuple[list[str], list[str], Any]:
    """The ids of what landed and of what failed, and what is counted of the flow."""

    async def ask(path: str) -> Any:
        async with session.get(f"{root}/_emulator/{path}") as answer:
            assert answer.status == 200
            return await answer.json()

    (flow,) = await ask("flows?wait=60")
    landed: list[str] = []
    failed: list[str] = []
    while rows := (await ask(f"datasets/{made.dataset}?limit=10000&offset={len(landed)}"))["rows"]:
        landed += [row["xactionId"] for row in rows]
    while more := (await ask(f"failed?limit=10000&offset={len(failed)}"))["failed"]:
        failed += [each["xactionId"] for each in more]
    return landed, failed, flow
