"""An hour of trouble, in virtual time: nothing is lost, nobody is blamed, nobody restarts anything.

Real feeds, batches, spool, store and senders; only the inlet is in this process, and its clock.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from agent.core.destination import AUTH_BLOCKED, DOWN, READY, SCHEMA_CHANGED, THROTTLED
from agent.delivery.compression import gunzip
from agent.delivery.inlet import Answer
from agent.errors import Unavailable
from delivery.rig import Parts, delivering, lines, orders, read
from support.virtual_time import hold_while, run

HOUR = 3600.0
LATENCY = 0.2
DEFAULTS = {
    "delivery__retry__initial": "500ms",
    "delivery__retry__max": "60s",
    "delivery__max_in_flight": 32,
    "batch__max_wait": "1s",
}

Fault = Callable[[list[bytes]], Answer]


@dataclass
class Platform:
    """Stands in for `agent.delivery.inlet.Inlet`: accepts, or does what `fault` says."""

    fault: Fault | None = None
    asked: list[float] = field(default_factory=list)
    accepted: list[bytes] = field(default_factory=list)

    async def post(self, body: bytes, *, gzipped: bool) -> Answer:
        self.asked.append(time.monotonic())
        await asyncio.sleep(LATENCY)
        plain = gunzip(body) if gzipped else body
        records = plain.removeprefix(b'{"messages":[').removesuffix(b"]}").split(b",\n")
        if self.fault:
            return self.fault(records)
        self.accepted += records
        ids = ",".join(f'{{"xactionId":"b{len(self.asked)}:{i}"}}' for i in range(len(records)))
        answer = f'{{"batchId":"b{len(self.asked)}","responses":[{ids}]}}'
        return Answer(207, answer.encode(), None)

    async def close(self) -> None:
        """Nothing is open."""


def unreachable(records: list[bytes]) -> Answer:
    raise Unavailable("cannot connect to dcs.adobedc.net:443: refused")


def answering(status: int, retry_after: str | None = None) -> Fault:
    return lambda records: Answer(status, b"", retry_after)


def refusing_all(records: list[bytes]) -> Answer:
    items = ",".join(['{"statusCode":400,"message":"no such schema"}'] * len(records))
    return Answer(207, f'{{"batchId":"b","responses":[{items}]}}'.encode(), None)


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    stand_in = Platform()
    monkeypatch.setattr("agent.app.inlets.inlet", lambda *_: stand_in)
    return stand_in


@asynccontextmanager
async def at_work(data_dir: Path, **settings: object) -> AsyncIterator[Parts]:
    """A pipeline in virtual time."""
    async with delivering("http://x/collection/x", data_dir, **{**DEFAULTS, **settings}) as parts:
        hold_while(lambda: parts.store.statistics().waiting > 0)
        yield parts


async def accepted_all(parts: Parts, since: float) -> float:
    """Wait until nothing is held; how many seconds that is after *since*."""
    while parts.settler.totals.accepted < read(parts):  # noqa: ASYNC110  # told to nobody
        await asyncio.sleep(0.1)
    return time.monotonic() - since


@pytest.mark.parametrize(
    ("fault", "state", "most_requests"),
    [
        (unreachable, DOWN, 200),
        (answering(500), DOWN, 200),
        (answering(401), AUTH_BLOCKED, 200),
        (answering(403), AUTH_BLOCKED, 200),
        (answering(429), THROTTLED, 200),
        (answering(503, "30"), THROTTLED, 125),
        (answering(429, "600"), THROTTLED, 40),
        (answering(307), DOWN, 200),
    ],
    ids=["unreachable", "500", "401", "403", "429", "503 30", "429 600", "redirect"],
)
@pytest.mark.parametrize("buffer", ["memory", "disk"])
def test_an_hour_of_trouble_loses_blames_and_hammers_nobody(
    platform: Platform, data_dir: Path, fault: Fault, state: str, most_requests: int, buffer: str
) -> None:
    async def scenario() -> None:
        async with at_work(data_dir, buffer__type=buffer) as parts:
            feed = parts.intake.feed("app.log")
            await feed.put(lines(orders(1000)))
            await accepted_all(parts, time.monotonic())
            begun, asked = time.monotonic(), len(platform.asked)
            platform.fault = fault
            while time.monotonic() < begun + HOUR:
                await feed.put(lines(orders(50)))
                await asyncio.sleep(10)
            assert parts.destination.state == state
            assert parts.settler.totals.accepted == 1000
            requests = len(platform.asked) - asked
            longest = max(later - earlier for earlier, later in pairwise(platform.asked))
            platform.fault, ended = None, time.monotonic()
            took = await accepted_all(parts, ended)
            await feed.end()
            assert parts.destination.state == READY
            assert 5 <= requests <= most_requests
            assert took <= max(61.0, longest) + 5, "the pause, and a few seconds"
            first_again = next(at for at in platform.asked if at >= ended)
            assert ended + took - first_again < 10, "then all at once"
            assert sum(parts.settler.totals.dead_lettered.values()) == 0
            assert len(platform.accepted) == read(parts) == 1000 + 360 * 50

    run(scenario())


def test_an_hour_with_another_schema_dead_letters_no_more_than_it_takes_to_notice(
    platform: Platform, data_dir: Path
) -> None:
    async def scenario() -> None:
        async with at_work(data_dir) as parts:
            feed = parts.intake.feed("app.log")
            await feed.put(lines(orders(1000)))
            await accepted_all(parts, time.monotonic())
            begun, asked = time.monotonic(), len(platform.asked)
            platform.fault = refusing_all
            while time.monotonic() < begun + HOUR:
                await feed.put(lines(orders(50)))
                await asyncio.sleep(10)
            await feed.end()
            assert parts.destination.state == SCHEMA_CHANGED
            assert parts.senders.stuck.is_set()
            blamed = sum(parts.settler.totals.dead_lettered.values())
            assert blamed == 450  # of the last 1000 verdicts 500 would have been half
            assert len(platform.asked) - asked < 200
            platform.fault, ended = None, time.monotonic()
            while len(platform.accepted) < read(parts) - blamed:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
            assert time.monotonic() - ended < 65
            assert parts.destination.state == READY

    run(scenario())


def test_where_the_buffer_is_small_reading_waits_for_an_hour_and_nothing_is_dropped(
    platform: Platform, data_dir: Path
) -> None:
    async def scenario() -> None:
        platform.fault = answering(429)
        settings = {
            "buffer__type": "memory",
            "buffer__max_bytes": "50KB",
            "batch__max_bytes": "10KB",
        }
        async with at_work(data_dir, **settings) as parts:
            feed = parts.intake.feed("app.log")

            async def reading() -> None:
                for _ in range(100):
                    await feed.put(lines(orders(50)))
                await feed.end()

            reader = asyncio.ensure_future(reading())
            await asyncio.sleep(HOUR)
            waiting = read(parts)
            assert not reader.done()
            assert waiting < 5000 / 2
            assert parts.budget.held <= 50_000 + 10_000
            assert len(platform.asked) < 200
            platform.fault = None
            await reader
            await accepted_all(parts, time.monotonic())
            assert len(platform.accepted) == read(parts) == 5000
            assert sum(parts.settler.totals.dead_lettered.values()) == 0

    run(scenario())


def test_a_thousand_429s_are_followed_by_business_as_usual(
    platform: Platform, data_dir: Path
) -> None:
    async def scenario() -> None:
        platform.fault = lambda records: answering(429 if len(platform.asked) <= 1000 else 200)(
            records
        )
        async with at_work(data_dir) as parts:
            feed = parts.intake.feed("app.log")
            await feed.put(lines(orders(500)))
            await feed.end()
            while len(platform.asked) < 1000:  # noqa: ASYNC110  # a day or so
                await asyncio.sleep(60)
            platform.fault = None
            took = await accepted_all(parts, time.monotonic())
            assert took < 130
            assert parts.settler.totals.accepted == 500

    run(scenario())


def test_another_token_ends_the_longest_pause(platform: Platform, data_dir: Path) -> None:
    async def scenario() -> None:
        platform.fault = answering(401)
        async with at_work(data_dir) as parts:
            feed = parts.intake.feed("app.log")
            await feed.put(lines(orders(500)))
            await feed.end()
            await asyncio.sleep(HOUR)
            platform.fault, begun = None, time.monotonic()
            parts.senders.another_token()
            assert await accepted_all(parts, begun) < 1

    run(scenario())


def test_a_stop_in_the_longest_pause_makes_one_last_try(platform: Platform, data_dir: Path) -> None:
    async def scenario() -> None:
        platform.fault = unreachable
        async with at_work(data_dir) as parts:
            feed = parts.intake.feed("app.log")
            await feed.put(lines(orders(500)))
            await feed.end()
            await asyncio.sleep(HOUR)
            while parts.destination.may_send(time.monotonic()) < 20:
                parts.destination.gave_up()
                await asyncio.sleep(0.5)
            platform.fault = None
            begun = time.monotonic()
            parts.senders.hurry(begun + 25)
            assert await accepted_all(parts, begun) < 2

    run(scenario())
