"""What sources frame themselves: lines, dead letters and gaps, each with its position."""

import asyncio
from pathlib import Path

from agent.core.framing import Oversize
from agent.core.validation import Fault
from agent.record import Position
from agent.store.ledger import residue
from delivery.rig import Inlet, delivering, kept, opened, settled, until

NOWHERE = "http://127.0.0.1:9/collection/x"
TORN = Fault("torn", "the connection broke in the middle of a record")


async def test_whole_lines_of_several_tasks_share_one_numbering(
    inlet: Inlet, data_dir: Path
) -> None:
    taken: list[range] = []
    async with delivering(inlet.url, data_dir) as parts:
        feed = parts.intake.feed("tcp")
        await asyncio.gather(
            *(feed.lines(b'{"n":%d}\n{"m":1}\n' % n, on_taken=taken.append) for n in range(20))
        )
    assert sorted(line for lines in taken for line in lines) == list(range(1, 41))
    assert len(inlet.records) == 40
    assert parts.store.safe["tcp"].line == 41


async def test_what_a_source_refuses_is_a_dead_letter_and_moves_it_on(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        feed = parts.intake.feed("tcp")
        await feed.lines(b'{"a":1}\n')
        await feed.refuse(b'{"b":', TORN)
        await feed.oversize(Oversize(b"xxx", 5000, "abc"))
        await feed.lines(b'{"c":3}\n', end=Position(5, 9000))
    letters = kept(data_dir).letters
    assert [(each["record"], each["reason"], each["line"]) for each in letters] == [
        (b'{"b":', "torn", 2),
        (b"xxx", "too_large", 3),
    ]
    assert inlet.records == [b'{"a":1}', b'{"c":3}']
    assert parts.store.safe["tcp"] == Position(5, 9000)


async def test_a_gap_is_passed_and_nothing_is_read_of_it(inlet: Inlet, data_dir: Path) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        feed = parts.intake.feed("app.log")
        await feed.lines(b'{"a":1}\n')
        feed.skip(Position(3, 5000))
        await feed.lines(b'{"b":2}\n')
    assert [span[1:3] for span in kept(data_dir).spans] == [(1, 0), (3, 5000)]
    assert parts.meters.records_read.total() == 2
    assert parts.store.safe["app.log"] == Position(4, 5008)


async def test_a_source_that_was_left_is_forgotten_once_all_of_it_is_safe(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        for name, forget in (("gone.log", True), ("kept.log", False)):
            feed = parts.intake.feed(name, identity=name)
            await feed.lines(b'{"a":1}\n')
            feed.leave(forget=forget)
        other = parts.intake.feed("other.log")
        await until(lambda: len(inlet.records) == 2)
        await other.lines(b'{"a":1}\n')
        await until(lambda: set(parts.store.safe) == {"other.log"})
    saved = kept(data_dir).positions
    assert set(saved) == {"kept.log", "other.log"}


async def test_a_label_stands_for_many_streams_in_what_is_counted(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        for name in ("a.log", "b.log"):
            await parts.intake.feed(name, label="logs").lines(b'{"a":1}\n')
    assert dict(parts.meters.records_read.series()) == {("logs",): 2}


async def test_a_dead_letter_is_known_again_by_its_line_where_its_offset_is_not_exact(
    data_dir: Path,
) -> None:
    async with opened(NOWHERE, data_dir) as parts:
        feed = parts.intake.feed("app.log", identity="1")
        await feed.lines(b'{"a":1}\nbad\nworse\n', end=Position(4, 900))
        await settled(parts)
    assert [letter["offset"] for letter in kept(data_dir).letters] == [0, 0]

    async with opened(NOWHERE, data_dir) as parts:  # it was unanswered, so all is read again
        feed = parts.intake.feed("app.log", identity="1")
        await feed.lines(b'{"a":1}\n', end=Position(2, 450))
        await feed.lines(b"bad\nworse\nworst\n", end=Position(5, 900))
        await settled(parts)
    letters = kept(data_dir).letters
    assert [letter["record"] for letter in letters] == [b"bad", b"worse", b"worst"]


async def test_what_a_format_leaves_out_is_read_and_filtered_in_every_book(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        feed = parts.intake.feed("pod.log", label="pods")
        await feed.lines(b'{"a":1}\n')
        feed.leave_out("stderr", 3)
        await until(lambda: parts.settler.totals.accepted == 1)
    assert dict(parts.meters.records_read.series()) == {("pods",): 4}
    assert parts.meters.records_filtered.total() == 3
    assert parts.meters.records_held.value() == 0
    assert parts.store.balance.ledger["filtered", "stderr"] == 3
    assert residue(parts.store.balance.ledger, 0) == 0
