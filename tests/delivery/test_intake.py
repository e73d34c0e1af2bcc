import asyncio
import time
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest

from agent.record import Position
from delivery.rig import SOON, Inlet, delivering, fed, kept, lines, opened, orders, read, settled

NOWHERE = "http://127.0.0.1:9/collection/x"
BAD = b'{"a":1'
MIXED = b"\n".join(
    [b'{"n":1}', b'{"n":2}\r', b"", BAD, b'{"n":"\xc3\xa9"}', b"  ", b"7", b'{"n":4}\r', b'{"n":5}']
)
GOOD = [b'{"n":1}', b'{"n":2}', b'{"n":"\xc3\xa9"}', b'{"n":4}', b'{"n":5}']


async def test_every_record_arrives_byte_for_byte(inlet: Inlet, data_dir: Path) -> None:
    records = orders(500)
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, lines(records), block=777)
    assert sorted(inlet.records) == sorted(records)
    assert kept(data_dir).letters == []


@pytest.mark.parametrize("block", [1, 2, 3, 5, 8, 13, 21, len(MIXED)])
async def test_lines_of_all_kinds_are_the_same_however_they_are_cut(
    inlet: Inlet, data_dir: Path, block: int
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, MIXED, block=block)
        assert read(parts) == 7
    assert sorted(inlet.records) == sorted(GOOD)
    store = kept(data_dir)
    assert store.why() == [(BAD, "invalid_json"), (b"7", "not_an_object")]
    for letter in store.letters:
        assert MIXED[letter["offset"] :].startswith(letter["record"])
        assert MIXED[: letter["offset"]].count(b"\n") == letter["line"] - 1
    covered = [line for _, line, _, count, _ in store.spans for line in range(line, line + count)]
    assert sorted(covered) == [1, 2, 5, 8, 9]


async def test_a_source_that_ends_may_be_resumed_after_its_last_line(
    inlet: Inlet, data_dir: Path
) -> None:
    content = lines(orders(3)) + lines([BAD])
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, content)
    assert parts.store.safe == {"app.log": Position(5, len(content))}


async def test_blank_lines_alone_are_no_records_and_hold_nothing(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, b"\n  \r\n\n\t\n")
        assert (read(parts), parts.budget.held) == (0, 0)
    assert parts.store.safe["app.log"] == Position(5, 8)
    assert inlet.requests == []


async def test_an_empty_source_is_nothing_at_all(inlet: Inlet, data_dir: Path) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, b"")
    assert (inlet.requests, kept(data_dir).letters) == ([], [])


async def test_sources_keep_their_lines_apart(inlet: Inlet, data_dir: Path) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        first, second = parts.intake.feed("first"), parts.intake.feed("second")
        await first.put(b'{"from":')
        await second.put(b'{"from":')
        await first.put(b"1}\nx\n")
        await second.put(b"2}\n")
        await first.end()
        await second.end()
    assert sorted(inlet.records) == [b'{"from":1}', b'{"from":2}']
    assert [(each["source"], each["line"]) for each in kept(data_dir).letters] == [("first", 2)]


@pytest.mark.parametrize("block", [100, 1000, 1_000_000])
async def test_a_line_longer_than_any_request_is_a_dead_letter_and_its_neighbours_pass(
    inlet: Inlet, data_dir: Path, block: int
) -> None:
    settings = {
        "inlet__max_request_bytes": "2KB",
        "batch__max_bytes": "2KB",
        "dead_letters__max_record_bytes": "1KB",
    }
    long = b'{"long":"' + b"x" * 5000 + b'"}'
    content = b'{"a":1}\n' + long + b'\n{"b":2}\n' + long[:-2] + b"\n" + long
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, content, block=block)
    assert sorted(inlet.records) == [b'{"a":1}', b'{"b":2}']
    letters = kept(data_dir).letters
    assert [(each["line"], each["reason"]) for each in letters] == [
        (2, "too_large"),
        (4, "too_large"),
        (5, "too_large"),
    ]
    first = letters[0]
    assert (first["offset"], first["length"]) == (8, len(long))
    assert first["record"] == long[: len(first["record"])]
    assert len(first["record"]) == 1000
    assert first["sha256"] == sha256(long).hexdigest()
    assert parts.store.safe["app.log"].line == 6


async def test_the_longest_record_that_fits_a_request_is_sent_and_one_more_byte_is_not(
    inlet: Inlet, data_dir: Path
) -> None:
    settings = {"inlet__max_request_bytes": "2KB", "batch__max_bytes": "1KB"}
    fits = b'{"a":"' + b"x" * (2000 - len(b'{"messages":[]}') - 8) + b'"}'
    longer = fits.replace(b"xx", b"xxx", 1)
    for number, block in enumerate((1, 700, 5000)):
        for newline in (b"\n", b"\r\n"):
            async with delivering(inlet.url, data_dir, **settings) as parts:
                content = lines([fits, longer, fits], newline)
                await fed(parts, content, f"{number}{newline!r}", block=block)
            assert parts.settler.totals.accepted == 2
    assert set(inlet.records) == {fits}
    letters = kept(data_dir).letters
    assert len(letters) == 6
    assert all(letter["record"].rstrip(b"\r") == longer for letter in letters)


async def test_the_reader_waits_while_the_budget_is_used_up(inlet: Inlet, data_dir: Path) -> None:
    open_again = asyncio.Event()

    async def stalled(request):
        await open_again.wait()
        return inlet.accept(request)

    inlet.rule = stalled
    settings = {"batch__max_bytes": "1KB", "buffer__max_bytes": "8KB"}
    records = orders(400)
    async with delivering(inlet.url, data_dir, **settings) as parts:
        feeding = asyncio.ensure_future(fed(parts, lines(records), block=500))
        await asyncio.sleep(0.1)
        assert not feeding.done()
        assert parts.budget.exhausted_since is not None
        assert parts.budget.held < 8000 + 3 * 2000  # what was let in becomes two or three bodies
        held = read(parts)
        await asyncio.sleep(0.05)
        assert read(parts) == held < 400
        open_again.set()
        await feeding
    assert sorted(inlet.records) == sorted(records)
    assert parts.meters.source_pressure_seconds.value("app.log") > 0.1


async def test_a_reader_cancelled_while_it_waits_holds_nothing(data_dir: Path) -> None:
    settings = {"batch__max_bytes": "1KB", "buffer__max_bytes": "2KB", "batch__max_wait": "1h"}
    async with opened(NOWHERE, data_dir, **settings) as parts:
        feed = parts.intake.feed("a")
        await feed.put(lines(orders(50)))
        held, count = parts.budget.held, read(parts)
        waiting = asyncio.ensure_future(feed.put(lines(orders(50))))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert (parts.budget.held, read(parts)) == (held, count)


@pytest.mark.parametrize("line", [b"x", b"", b'{}\n{"a":1}\r'])
async def test_a_block_of_tiny_lines_never_keeps_the_loop_for_long(
    data_dir: Path, line: bytes
) -> None:
    longest = 0.0  # in CPU seconds of the loop's thread: whoever else is on the machine costs none

    async def watch() -> None:
        nonlocal longest
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            before, last = time.thread_time(), before
            longest = max(longest, before - last)

    settings = {"inlet__compression": "gzip", "buffer__max_bytes": "100MB"}
    async with opened(NOWHERE, data_dir, **settings) as parts:
        block = (line + b"\n") * (60_000 // (line.count(b"\n") + 1))
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch())
            begun = time.thread_time()
            await parts.intake.feed("a").put(block)
            whole = time.thread_time() - begun
            watching.cancel()
        await settled(parts)
    assert longest < whole / 2


async def test_dead_letters_that_cannot_be_written_stop_the_reader_before_memory_is_gone(
    data_dir: Path,
) -> None:
    settings = {
        "dead_letters__max_bytes": "1MB",
        "dead_letters__max_record_bytes": "1KB",
        "buffer__max_bytes": "4MB",
    }
    async with opened(NOWHERE, data_dir, **settings) as parts:
        feeding = asyncio.ensure_future(parts.intake.feed("a").put(b"x\n" * 60_000))
        async with asyncio.timeout(SOON * 3):
            while parts.budget.exhausted_since is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert not feeding.done()
        assert parts.budget.held < 4_000_000 + 4096 * 600
        assert read(parts) < 30_000
        feeding.cancel()


async def test_positions_of_neighbouring_runs_meet(inlet: Inlet, data_dir: Path) -> None:
    """A span's lines and bytes end exactly where the next one of the source begins."""
    content = lines(orders(40)) + lines(orders(40), b"\r\n") + lines(orders(40))
    async with delivering(inlet.url, data_dir, batch__max_records=7) as parts:
        await fed(parts, content, block=100)
    spans = kept(data_dir).spans
    for (_, line, offset, count, newline), (_, next_line, next_offset, *_) in pairwise(spans):
        assert next_line == line + count
        held = content[offset:next_offset]
        assert held.count(b"\n") == count
        assert held.count(b"\r\n") == (count if newline == 2 else 0)
