import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from agent.errors import StoreError
from agent.record import Position, Span
from agent.store import dead_letters, receipts
from agent.store.disk import Callbacks, Store
from agent.store.entry import Entry
from agent.store.positions import SavedPosition, saved_positions
from agent.store.writer import COMMIT_SPACING


async def limit_pages(store: Store, pages: int) -> None:
    """Let the file have so many pages: SQLite then fails as on a full disk."""

    def write(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await store._writer.submit(write)


class Troubles:
    """What the store called back with."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.recovered = 0

    def recover(self) -> None:
        self.recovered += 1


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110  # the condition is another thread's
            await asyncio.sleep(0.01)


async def test_what_was_settled_is_read_back_unchanged(store, receipt, letter, reopened):
    kept, dead = receipt(3), letter(b"\x00\xff{")
    await store.settle([kept], [dead])
    assert list(receipts.each_receipt(reopened())) == [kept]
    assert [stored.letter for stored in dead_letters.each(reopened())] == [dead]


async def test_settles_that_wait_together_share_a_commit(store, receipt):
    await store.settle([receipt()], [])
    before = store.statistics().commits
    await asyncio.gather(*(store.settle([receipt(n)], []) for n in range(1, 201)))
    assert store.statistics().commits - before <= 3
    assert store.statistics().receipts == 201


async def test_settles_that_follow_each_other_closely_share_commits(store, receipt):
    before = store.statistics().commits
    started = time.perf_counter()
    futures = []
    for number in range(60):
        futures.append(store.settle([receipt(number)], []))
        await asyncio.sleep(0.003)
    await asyncio.gather(*futures)
    seconds = time.perf_counter() - started
    assert store.statistics().commits - before <= seconds / COMMIT_SPACING + 2


async def test_settles_become_durable_in_the_order_they_were_made(store, letter, reopened):
    done = []
    for number in range(100):
        future = store.settle([], [letter(message=f"number {number}")])
        future.add_done_callback(lambda _, number=number: done.append(number))
        if number % 7 == 0:
            await asyncio.sleep(0.005)
    await store.settle([], [letter(message="last")])
    assert done == list(range(100))
    messages = [stored.letter.message for stored in dead_letters.each(reopened())]
    assert messages == [*(f"number {number}" for number in range(100)), "last"]


async def test_a_lone_settle_is_durable_soon(store, receipt):
    await store.settle([receipt()], [])
    waits = []
    for number in range(1, 10):
        await asyncio.sleep(0.06)
        started = time.perf_counter()
        await store.settle([receipt(number)], [])
        waits.append(time.perf_counter() - started)
    assert sorted(waits)[len(waits) // 2] < 0.02


async def test_nothing_to_settle_is_settled_at_once(store):
    assert store.settle([], []).done()


async def test_receipts_are_not_kept_where_nobody_wants_them(tmp_path, limits, receipt, letter):
    store = Store.open(tmp_path, limits=replace(limits, receipts_enabled=False))
    await store.settle([receipt()], [])
    await store.settle([receipt()], [letter()])
    assert (store.statistics().receipts, store.statistics().dead_letters) == (0, 1)
    await store.close()


async def test_statistics_say_what_waits_and_what_it_takes(store, receipt):
    future = store.settle([receipt()], [])
    assert store.statistics().waiting == 1
    await future
    numbers = store.statistics()
    assert (numbers.waiting, numbers.receipts, numbers.trouble) == (0, 1, None)
    assert numbers.bytes_on_disk > 32768
    assert 0 < numbers.last_commit_seconds < 5


async def test_closing_writes_what_waits(tmp_path, limits, receipt, reopened):
    store = Store.open(tmp_path, limits=limits)
    futures = [store.settle([receipt(number)], []) for number in range(50)]
    await store.close()
    await asyncio.gather(*futures)
    assert len(list(receipts.each_receipt(reopened()))) == 50


async def test_a_closed_store_takes_nothing_and_closes_again(tmp_path, limits, receipt):
    store = Store.open(tmp_path, limits=limits)
    store.close_now()
    store.close_now()
    with pytest.raises(StoreError, match="closed"):
        await store.settle([receipt()], [])


async def test_a_settle_given_up_by_its_waiter_is_written_all_the_same(store, receipt, reopened):
    future = store.settle([receipt()], [])
    future.cancel()
    await store.settle([receipt(1)], [])
    assert len(list(receipts.each_receipt(reopened()))) == 2


async def test_a_full_disk_makes_settles_wait_and_then_goes_on_in_order(
    tmp_path, limits, letter, reopened
):
    troubles = Troubles()
    store = Store.open(
        tmp_path, limits=limits, callbacks=Callbacks(troubles.words.append, troubles.recover)
    )
    await limit_pages(store, 1)
    store._writer._retry_every = 0.05
    futures = [store.settle([], [letter(b"x" * 100_000, message="a")])]
    await until(lambda: len(troubles.words) >= 2)
    futures.append(store.settle([], [letter(message="b")]))
    assert not any(future.done() for future in futures)
    assert "free space" in troubles.words[0]
    assert store.statistics().trouble == troubles.words[0]
    # The limit is the connection's: lift it where a free disk would have lifted itself.
    store._writer._connection.execute("PRAGMA max_page_count = 100000")
    await asyncio.gather(*futures)
    assert troubles.recovered == 1
    assert store.statistics().trouble is None
    assert [stored.letter.message for stored in dead_letters.each(reopened())] == ["a", "b"]
    await store.close()


async def test_closing_while_the_disk_is_full_gives_up_instead_of_waiting_for_ever(
    tmp_path, limits, letter
):
    troubles = Troubles()
    store = Store.open(tmp_path, limits=limits, callbacks=Callbacks(troubles.words.append))
    await limit_pages(store, 1)
    future = store.settle([], [letter(b"x" * 100_000)])
    await until(lambda: troubles.words)
    await store.close()
    with pytest.raises(StoreError, match=r"closed before.*free space"):
        await future


async def test_dead_letters_beyond_their_limit_wait_while_receipts_go_on_and_none_overtakes(
    tmp_path, limits, receipt, letter, reopened
):
    troubles = Troubles()
    store = Store.open(
        tmp_path,
        limits=replace(limits, dead_letters_max_bytes=1000),
        callbacks=Callbacks(troubles.words.append, troubles.recover),
    )
    await store.settle([], [letter(b"x" * 1000, message="first")])
    held = [store.settle([receipt(n)], [letter(message=f"held {n}")]) for n in range(2)]
    await store.settle([receipt(5)], [])
    assert not any(future.done() for future in held)
    assert "dead_letters.max_bytes" in troubles.words[0]
    assert len(list(receipts.each_receipt(reopened()))) == 1

    with sqlite3.connect(tmp_path / "store.db") as other:  # as a purge does
        other.execute("DELETE FROM dead_letter_records")
        other.execute("DELETE FROM dead_letters")
        other.execute("UPDATE dead_letters_kept SET count = 0, bytes = 0")
    other.close()
    await store.settle([], [letter(message="later")])
    await asyncio.gather(*held)
    assert troubles.recovered == 1
    stored = list(dead_letters.each(reopened()))
    assert [one.letter.message for one in stored] == ["held 0", "held 1", "later"]
    assert [one.id for one in stored] == [2, 3, 4], "a purged number is not given again"
    await store.close()


async def test_a_settle_that_cannot_be_written_fails_alone(store, receipt, reopened):
    futures = [
        store.settle([receipt(0)], []),
        store.settle([receipt(1, received_time_ms=2**70)], []),
        store.settle([receipt(2, spans=(Span("other.ndjson", 1, 0, 10),))], []),
    ]
    results = await asyncio.gather(*futures, return_exceptions=True)
    assert [type(result) for result in results] == [type(None), OverflowError, type(None)]
    kept = list(receipts.each_receipt(reopened()))
    assert [one.spans[0].source for one in kept] == ["orders.ndjson", "other.ndjson"]


async def test_a_locked_file_makes_settles_wait(tmp_path, limits, receipt):
    troubles = Troubles()
    store = Store.open(tmp_path, limits=limits, callbacks=Callbacks(troubles.words.append))
    store._writer._connection.execute("PRAGMA busy_timeout = 20")
    store._writer._retry_every = 0.05
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    future = store.settle([receipt()], [])
    await until(lambda: troubles.words)
    assert "another process" in troubles.words[0]
    assert not future.done()
    other.execute("ROLLBACK")
    other.close()
    await future
    await store.close()


async def test_damage_met_while_running_fails_settles_and_is_set_aside_at_the_next_start(
    tmp_path, limits, letter
):
    store = Store.open(tmp_path, limits=limits)
    await store.settle([], [letter(b"x" * 3_000_000)])
    await store.close()
    path = tmp_path / "store.db"
    page = 32768
    whole = bytearray(path.read_bytes())
    for start in range(page, len(whole), page):  # all but the first page, which has the schema
        whole[start : start + page] = b"\xa5" * page
    store = Store.open(tmp_path, limits=limits)
    assert not store.salvaged
    path.write_bytes(whole)
    with pytest.raises(StoreError, match="start the agent again"):
        await store.settle([], [letter()])
    with pytest.raises(StoreError, match="damaged"):
        await store.settle([], [letter()])
    await store.close()

    store = Store.open(tmp_path, limits=limits)
    (salvaged,) = store.salvaged
    assert salvaged.set_aside.read_bytes()[page:] == bytes(whole[page:])
    await store.settle([], [letter()])
    await store.close()


async def test_a_callback_that_raises_does_not_end_the_writer(tmp_path, limits, letter):
    def raising(words: str) -> None:
        raise RuntimeError(words)

    store = Store.open(
        tmp_path, limits=replace(limits, dead_letters_max_bytes=1), callbacks=Callbacks(raising)
    )
    await store.settle([], [letter()])
    waiting = store.settle([], [letter()])
    await asyncio.sleep(0.1)
    await store.close()
    with pytest.raises(StoreError):
        await waiting


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
