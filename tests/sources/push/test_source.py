"""What a source answers that is inside of an agent, where a test can reach what stands round it."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from aiohttp import ClientSession

from agent.app.parts import build
from agent.config import load
from agent.sources.push.source import PushSource
from agent.sources.source import Doors
from agent.supervisor import Supervisor
from delivery.rig import until


@asynccontextmanager
async def at_work(
    data_dir: Path, doors: Callable[[Doors], Doors] = lambda doors: doors, **settings: object
) -> AsyncIterator[tuple[PushSource, str]]:
    """A source that runs while nothing is sent, and its URL."""
    overrides: dict[str, object] = {
        "inlet.url": "http://127.0.0.1:9/collection/x",
        "inlet.flow_id": "flow",
        "data_dir": data_dir,
        "admin.listen": "null",
        "sources": [{"type": "http", "listen": "127.0.0.1:0", **settings}],
    }
    parts = build(load(None, overrides=overrides, environ={}))
    (pipeline,) = parts.pipelines.values()
    (source,) = pipeline.sources
    assert isinstance(source, PushSource)
    await source.claim()
    try:
        async with Supervisor() as tasks:
            tasks.start_endless("batcher", pipeline.batcher.run())
            tasks.start("source", source.run(doors(pipeline.intake)))
            yield source, f"http://{source._listeners.addresses[0]}"
            source.stop()
    finally:
        await source.let_go()
        await pipeline.inlet.close()
        await parts.store.close()


async def test_a_disk_that_takes_nothing_is_told_before_anything_is_taken(tmp_path: Path) -> None:
    async with at_work(tmp_path) as (source, url), ClientSession() as client:
        source._outcomes.store_full(True)
        for method, path in (("POST", "/"), ("GET", "/readyz")):
            async with client.request(method, url + path, data=b"{}") as refused:
                assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
        source._outcomes.store_full(False)
        async with client.post(url, data=b"{}") as taken:
            assert await taken.json() == {"durable": 1}
        async with client.get(url + "/readyz") as ready:
            assert ready.status == 200


async def test_who_is_not_durable_in_time_is_told_that_it_may_arrive_twice(tmp_path: Path) -> None:
    async with at_work(tmp_path, ack_within="1m", ack_timeout="200ms") as (source, url):
        async with ClientSession() as client, client.post(url, data=b"{}") as answer:
            assert answer.status == 504
            assert "may arrive twice" in (await answer.json(content_type=None))["detail"]
        assert source._waiting == set()
        assert source._outcomes._stretches == {}
        assert (source._room.requests, source._room.bytes) == (0, 0)


async def test_at_the_end_nobody_is_left_waiting(tmp_path: Path) -> None:
    async with ClientSession() as client:
        async with at_work(tmp_path, ack_within="1m", ack="accepted") as (source, url):
            posts = [asyncio.ensure_future(client.post(url, data=b"{}")) for _ in range(3)]
            await until(lambda source=source: len(source._waiting) == 3)
        answers = await asyncio.wait_for(asyncio.gather(*posts), 10)
        assert [answer.status for answer in answers] == [503] * 3


class Busy:
    """A feed, and the door to it, of an agent that is busy for a while once it has taken lines."""

    def __init__(self, doors: Any) -> None:
        self._doors = doors

    def feed(self, *words: Any) -> "Busy":
        self._feed = self._doors.feed(*words)
        return self

    async def lines(self, data: bytes, on_taken: Callable[[range], None]) -> int:
        def taken(lines: range) -> None:
            on_taken(lines)
            time.sleep(0.5)

        return int(await self._feed.lines(data, on_taken=taken))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._feed, name)


async def test_what_was_taken_in_the_last_moment_is_never_said_not_to_be(tmp_path: Path) -> None:
    async with (
        at_work(tmp_path, doors=Busy, room_timeout="100ms") as (_, url),
        ClientSession() as client,
        client.post(url, data=b"{}") as answer,
    ):
        assert (answer.status, await answer.json()) == (200, {"durable": 1})
