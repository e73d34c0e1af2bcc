import asyncio
import itertools
import subprocess
import sys
import threading
from dataclasses import replace

import pytest

from agent.store import dead_letters, ledger, purging
from agent.store.database import open_for_removing, open_for_writing
from agent.store.dead_letters import ALL, Selection
from agent.store.disk import Callbacks, Store
from agent.store.purging import Purged, purge, purgeable
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds


@pytest.fixture
def keep(tmp_path):
    """Put dead letters into the store, and close it."""

    def write(letters):
        connection, _ = open_for_writing(tmp_path)
        connection.execute("BEGIN")
        Settling(SourceIds(), 10**12).write(connection, [], letters)
        connection.execute("COMMIT")
        connection.close()

    return write


@pytest.fixture
def opened(tmp_path, keep):
    keep([])
    connection = open_for_removing(tmp_path)
    yield connection
    connection.close()


def kept(connection):
    return Purged(*connection.execute("SELECT count, bytes FROM dead_letters_kept").fetchone())


def numbers(connection):
    return [stored.id for stored in dead_letters.each(connection, records=False)]


def test_what_is_selected_goes_with_its_records_and_its_bytes(opened, keep, letter):
    keep([letter(reason="rejected" if n % 3 else "too_large") for n in range(9)])
    before = kept(opened)
    gone = purge(opened, Selection(reason="rejected"))
    assert gone.count == 6
    assert numbers(opened) == [1, 4, 7]
    assert kept(opened) == Purged(3, before.bytes - gone.bytes) == purgeable(opened, ALL)
    assert opened.execute("SELECT id FROM dead_letter_records").fetchall() == [(1,), (4,), (7,)]
    assert purge(opened, Selection(ids=(4, 7, 99))).count == 2
    assert purge(opened, ALL).count == 1
    assert kept(opened) == Purged(0, 0)


def test_what_was_purged_is_counted_by_reason_but_not_what_was_accepted_in_a_replay(
    opened, keep, letter
):
    keep([letter(reason="rejected" if n % 3 else "too_large") for n in range(9)])
    opened.execute("UPDATE dead_letters SET replayed_ms = 1 WHERE id IN (1, 2)")
    assert purge(opened, Selection(replayed=True)).count == 2
    purge(opened, Selection(ids=(3, 4)))
    purge(opened, ALL)
    purged = {key: n for key, n in ledger.totals(opened).items() if key[0] == "purged"}
    assert purged == {("purged", "rejected"): 5, ("purged", "too_large"): 2}


def test_numbers_of_what_was_removed_are_not_given_again(opened, keep, letter):
    keep([letter()] * 3)
    purge(opened, ALL)
    keep([letter()])
    assert numbers(opened) == [4]


@pytest.mark.parametrize(
    ("number", "size", "steps"),
    [
        (2 * purging.ROWS_PER_STEP + 1, 5, [purging.ROWS_PER_STEP, purging.ROWS_PER_STEP, 1]),
        (5, 9 << 20, [2, 2, 1]),
    ],
    ids=["many", "large"],
)
def test_many_or_large_ones_go_in_small_steps(opened, keep, letter, number, size, steps):
    keep([letter(b"x" * size)] * number)
    left = [number]

    def count(statement):
        if statement.startswith("UPDATE dead_letters_kept"):
            left.append(opened.execute("SELECT COUNT(*) FROM dead_letters").fetchone()[0])

    opened.set_trace_callback(count)
    assert purge(opened, ALL).count == number
    assert [a - b for a, b in itertools.pairwise(left) if a > b] == steps


def test_the_file_gets_smaller(opened, keep, letter, tmp_path):
    keep([letter(b"x" * (1 << 20))] * 40)
    opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = (tmp_path / "store.db").stat().st_size
    purge(opened, ALL)
    opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert before > 40 << 20
    assert (tmp_path / "store.db").stat().st_size < 1 << 20
    assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_was_kept_after_the_purge_began_stays(opened, keep, letter):
    keep([letter()] * (purging.ROWS_PER_STEP + 1))
    late = threading.Thread(target=keep, args=([letter()],))
    first = []

    def watch(statement):
        if statement.startswith("COMMIT") and not first:
            first.append(statement)
            late.start()

    opened.set_trace_callback(watch)
    purge(opened, ALL)
    late.join()
    assert numbers(opened) == [purging.ROWS_PER_STEP + 2]


async def test_a_settle_that_waits_for_room_goes_on_once_another_process_purges(
    tmp_path, limits, letter
):
    waiting = asyncio.Event()
    loop = asyncio.get_running_loop()
    store = Store.open(
        tmp_path,
        limits=replace(limits, dead_letters_max_bytes=1000),
        callbacks=Callbacks(
            lambda trouble: loop.call_soon_threadsafe(
                waiting.set if "dead-letters purge" in trouble else waiting.clear
            )
        ),
    )
    await store.settle([], [letter(b"x" * 1000)])
    held = store.settle([], [letter(b"y")])
    async with asyncio.timeout(5):
        await waiting.wait()
    assert not held.done()
    words = ["dead-letters", "purge", "--all", "--data-dir", str(tmp_path)]
    command = [sys.executable, "-m", "agent", *words]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=True)
    assert done.stdout.startswith(b"1 dead letter removed")
    async with asyncio.timeout(5):
        await held
    assert store.statistics().trouble is None
    await store.close()
