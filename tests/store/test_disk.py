"""Is what is settled on disk, in order and once, whatever the disk and the file are like?"""

import asyncio
import sqlite3
import time
from dataclasses import replace

import pytest

from agent.errors import StoreError
from agent.record import Span
from agent.store import dead_letters, receipts
from agent.store.disk import Callbacks, Store
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
