"""A feed that takes apart what it is given: what comes out, and where it stands after each."""

from pathlib import Path
from typing import Any

import pytest

from agent.app.doors import doors_of
from agent.app.parts import Parts
from agent.config.formats import Formatted
from agent.config.validating import validated
from agent.core.framing import Oversize
from agent.core.validation import Fault
from agent.record import Position
from agent.sources.source import Feed
from delivery.rig import Inlet, delivering, kept


@pytest.fixture
async def inlet() -> Any:
    async with Inlet().listening() as inlet:
        yield inlet


SMALL = {"batch__max_bytes": "1KB", "inlet__max_request_bytes": "2KB"}


def feed_of(parts: Parts, **settings: Any) -> Feed:
    return doors_of(validated(Formatted, settings), parts.intake).feed("app.log", identity="1")


def cri(text: str, tag: str = "F", stream: str = "stdout") -> bytes:
    return f"2026-01-31T00:00:00Z {stream} {tag} {text}\n".encode()


async def test_records_come_out_however_bytes_come_in(inlet: Inlet, tmp_path: Path) -> None:
    data = cri('{"a":', "P") + cri("1}") + cri("oh", stream="stderr") + cri('{"b":2}')
    async with delivering(inlet.url, tmp_path) as parts:
        feed = feed_of(parts, format="cri", stream="stdout")
        for at in range(len(data) - 1):
            await feed.put(data[at : at + 1])
        assert feed.unfinished_bytes == len(data) - data.rindex(b"\n", 0, -1) - 2
        await feed.end()
        parts.settler.flush()
    assert inlet.records == [b'{"a":1}', b'{"b":2}']
    assert parts.settler.totals.filtered == {"other_stream": 1}
    assert parts.store.safe["app.log"] == Position(5, len(data))


async def test_a_position_is_safe_only_before_what_is_not_complete(
    inlet: Inlet, tmp_path: Path
) -> None:
    first, part = cri('{"a":1}'), cri('{"b":', "P")
    async with delivering(inlet.url, tmp_path) as parts:
        feed = feed_of(parts, format="cri")
        await feed.put(first + part)
        assert feed.position == Position(3, len(first + part))
        assert feed.unfinished_bytes > 0
    assert inlet.records == [b'{"a":1}']
    assert parts.store.safe["app.log"] == Position(2, len(first))


async def test_what_is_not_complete_is_kept_where_nothing_can_be_read_again(
    inlet: Inlet, tmp_path: Path
) -> None:
    async with delivering(inlet.url, tmp_path) as parts:
        feed = feed_of(parts, format="cri")
        await feed.lines(cri('{"b":', "P") + cri('{"e":1}', stream="stderr") + b"what\n")
        feed.identity = "2"
        assert feed.identity == "2"
        feed.leave(forget=True)
    letters = kept(tmp_path).letters
    assert [(each["record"], each["reason"]) for each in letters] == [
        (b'{"b":\n{"e":1}', "unfinished"),
        (b"what", "not_cri"),
    ]


async def test_where_it_can_be_read_again_nothing_is_made_of_it(
    inlet: Inlet, tmp_path: Path
) -> None:
    async with delivering(inlet.url, tmp_path) as parts:
        feed = feed_of(parts, format="json")
        await feed.lines(b'{"b":\n')
        feed.leave()
    assert kept(tmp_path).letters == []


async def test_gaps_lines_too_long_and_refused_ones_keep_their_order(
    inlet: Inlet, tmp_path: Path
) -> None:
    async with delivering(inlet.url, tmp_path) as parts:
        feed = feed_of(parts, format="json")
        assert await feed.lines(b'{"a":\n1}\nwhat\n') == 1
        await feed.oversize(Oversize(b"xxx", 5000, "abc"))
        await feed.refuse(b"torn", Fault("torn", "torn"), Position(9, 9000))
        await feed.lines(b'{"b":\n')
        feed.skip(Position(12, 9999))
        await feed.lines(b"2}")
        assert feed.position.offset == 10_001
        await feed.lines(b'{"c":3}\n', Position(13, 10_008))
        feed.refuse_at_once(b"last", Fault("torn", "torn"), Position(14, 20_000))
        feed.hasten(0.001, is_awaited=False)
        feed.leave_out("other", 1)
        parts.settler.flush()
    assert inlet.records == [b'{"a": 1}', b'{"b": 2}', b'{"c":3}']
    letters = kept(tmp_path).letters
    assert [(each["record"], each["line"]) for each in letters] == [
        (b"what", 2),
        (b"xxx", 3),
        (b"torn", 4),
        (b"last", 7),
    ]


async def test_a_line_without_its_end_may_be_a_whole_one(inlet: Inlet, tmp_path: Path) -> None:
    async with delivering(inlet.url, tmp_path) as parts:
        doors = {
            name: doors_of(Formatted(format=name), parts.intake).feed(name)
            for name in ("json", "cri", "docker")
        }
        assert doors["docker"].completes(b'{"log":"{}\\n"}')
        assert not doors["docker"].completes(b'{"log":"{}"}')
        assert not doors["docker"].completes(b'{"log":"{}\\n"')
        assert doors["cri"].completes(cri("{}")[:-1])
        assert not doors["cri"].completes(cri('{"a"')[:-1])
        await doors["cri"].lines(cri('{"a":', "P"))
        assert not doors["cri"].completes(cri("{}")[:-1])
        await doors["json"].lines(b'{"a":\n')
        assert doors["json"].completes(b"1}")
        assert not doors["json"].completes(b"1")
        plain = parts.intake.feed("plain")
        assert plain.completes(b"{}")
        assert not plain.completes(b'{"a')


@pytest.mark.parametrize("format_", ["json", "cri"])
async def test_an_oversize_line_in_parts_is_kept_by_its_head_where_the_file_is_gone(
    format_: str, inlet: Inlet, tmp_path: Path
) -> None:
    async with delivering(inlet.url, tmp_path, **SMALL) as parts:
        feed = feed_of(parts, format=format_)
        for _ in range(4):
            await feed.lines(cri("x" * 900, "P") if format_ == "cri" else b"x" * 900)
        feed.leave(forget=True)
    (letter,) = kept(tmp_path).letters
    assert letter["reason"] == "unfinished"
    assert letter["record"].startswith(b"xxx")
