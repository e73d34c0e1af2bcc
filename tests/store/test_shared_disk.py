"""Do processes that are killed, share a file or follow each other agree on what is in it?"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.record import Position, Span
from agent.store import dead_letters, receipts
from agent.store.disk import Store
from agent.store.entry import Entry
from agent.store.positions import SavedPosition, saved_positions

WRITE_UNTIL_KILLED = """
import asyncio, sys
from pathlib import Path
from agent.record import DeadLetter, Position
from agent.store.disk import Store, StoreLimits

async def main(data_dir, name, count):
    store = Store.open(data_dir, limits=StoreLimits(1e9, 10**9, 10**9))
    for number in range(count):
        letter = DeadLetter(
            record=b"%d" % number, length=1, reason="rejected", stage="platform", message="no",
            source=name, position=Position(number + 1, 0), attempts=1, first_at=0.0, last_at=0.0,
        )
        await store.settle([], [letter])
        print(number, flush=True)
    await store.close()

asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
"""


def start_writing(data_dir: Path, name: str, count: int) -> "subprocess.Popen[str]":
    words = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(data_dir), name, str(count)]
    return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)


async def test_what_was_settled_survives_kill_9(tmp_path, limits, letter, reopened):
    child = start_writing(tmp_path, "killed", 10_000)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) == 20:
            os.kill(child.pid, signal.SIGKILL)
            break
    settled = 20 + len(child.stdout.readlines())
    child.stdout.close()
    assert child.wait() == -signal.SIGKILL

    records = [stored.letter.record for stored in dead_letters.each(reopened())]
    assert records[: settled + 1] == [b"%d" % number for number in range(settled + 1)]
    assert len(records) <= settled + 2

    store = Store.open(tmp_path, limits=limits)
    assert not store.salvaged
    await store.settle([], [letter()])
    assert dead_letters.count(reopened()) == len(records) + 1
    await store.close()


async def test_two_processes_settle_in_one_store_at_once(tmp_path, limits, letter, reopened):
    children = [start_writing(tmp_path, name, 30) for name in ("one", "two")]
    for child in children:
        child.communicate(timeout=60)
        assert child.returncode == 0
    for name in ("one", "two"):
        selection = dead_letters.Selection(source=name)
        stored = list(dead_letters.each(reopened(), selection))
        assert [one.letter.position.line for one in stored] == list(range(1, 31))


async def test_two_stores_that_share_a_file_agree_on_its_sources(
    tmp_path, store, limits, receipt, reopened
):
    other = Store.open(tmp_path, limits=limits)
    for number, (each, source) in enumerate(
        [(store, "a"), (other, "b"), (store, "b"), (other, "a"), (store, "c"), (other, "c")]
    ):
        await each.settle([receipt(number, spans=(Span(source, 10 * number, 0, 10),))], [])
    await other.close()
    sources = [one.spans[0].source for one in receipts.each_receipt(reopened())]
    assert sources == ["a", "b", "b", "a", "c", "c"]


async def test_a_name_that_is_not_unicode_is_kept_escaped_and_found(
    store, receipt, letter, reopened
):
    name = os.fsdecode(b"caf\xe9.ndjson")
    await store.settle(
        [receipt(spans=(Span(name, 1, 0, 10),))],
        [letter(source=name, position=Position(11, 500))],
    )
    assert [found.line for found in receipts.find(reopened(), f"{name}:4")] == [4]
    selection = dead_letters.Selection(source=name)
    assert [one.letter.source for one in dead_letters.each(reopened(), selection)] == [
        "caf\\udce9.ndjson"
    ]


async def test_of_lines_that_cannot_be_read_again_no_number_is_given_twice(
    store, receipt, reopened
):
    for source, identity in (("tcp", None), ("file", "1:2:3")):
        store.follow(source, Position(1, 0), identity)
        for line in (11, 21):  # the first ten are still on their way
            store.read(source, Position(line, line * 100), 10)
        await store.settle([receipt(1, spans=(Span(source, 11, 1100, 10),))], [])
    assert store.safe["tcp"] == Position(1, 0)
    kept = reopened().execute('SELECT line, "offset" FROM positions').fetchall()
    assert kept == [(1, 0), (1, 0)], "nothing is said to be safe that is not"
    saved = saved_positions(reopened())
    assert saved["tcp"].position == Position(21, 2100)
    assert saved["file"].position == Position(1, 0), "it is read again from there"


async def test_who_goes_on_where_another_left_makes_nothing_safe_that_is_not(store, reopened):
    store.follow("a", Position(1, 0), "first")
    store.read("a", Position(11, 1000), 10, "second")
    store.leave("a", forget=False)
    reached = await store.reached()
    assert reached["a"] == SavedPosition(Position(11, 1000), "second")
    assert reached["a"].saved_at > 0
    store.follow("a", Position(11, 1000), "second")
    store.read("a", Position(21, 2000), 10, "third")
    await store.write(Entry(passed=(Span("a", 11, 1000, 10),)))
    assert store.safe["a"] == Position(1, 0)
    assert saved_positions(reopened())["a"].position == Position(1, 0)
    await store.write(Entry(passed=(Span("a", 1, 0, 10),)))
    assert store.safe["a"] == Position(21, 2000)


async def test_what_was_reached_is_known_of_those_that_left_but_not_of_the_forgotten(store):
    for name in ("left", "forgotten", "settled"):
        store.follow(name, Position(1, 0), name)
        store.read(name, Position(11, 1000), 10)
        store.leave(name, forget=name == "forgotten")
    await store.write(Entry(passed=(Span("settled", 1, 0, 10),)))
    assert "settled" not in store.safe, "nothing of it is kept in memory"
    reached = await store.reached()
    assert {name: each.position.line for name, each in reached.items()} == {
        "left": 11,
        "settled": 11,
    }


async def test_a_destination_more_needs_a_spool(store):
    with pytest.raises(StoreError, match="no spool"):
        await store.destination("key", "name")
