import time
from dataclasses import replace

import pytest

from agent.record import XactionIds
from agent.store import ledger, pruning, receipts
from agent.store.database import open_for_writing
from agent.store.disk import Store
from agent.store.pruning import prune_receipts
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds


@pytest.fixture
def connection(tmp_path):
    opened, _ = open_for_writing(tmp_path)
    yield opened
    opened.close()


def keep(connection, kept):
    connection.execute("BEGIN")
    settling = Settling(SourceIds(), 10**9)
    settling.write(connection, kept, [])
    settling.flush(connection)
    connection.execute("COMMIT")


def accepted_at(connection):
    return [one.accepted_at for one in receipts.each_receipt(connection)]


def test_receipts_older_than_the_limit_go_and_take_their_spans_and_ids_along(connection, receipt):
    now = time.time()
    listed = XactionIds(listed=tuple(f"id{n}" for n in range(10)))
    ages = [7200, 3700, 3500, 0]
    keep(connection, [receipt(n, accepted_at=now - age, ids=listed) for n, age in enumerate(ages)])
    assert prune_receipts(connection, 3600, 10**9) is False
    assert accepted_at(connection) == pytest.approx([now - 3500, now], abs=0.001)
    for table, rows in (("receipt_spans", 2), ("receipt_ids", 20)):
        assert connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone() == (rows,)


def test_what_was_pruned_is_counted_in_records(connection, receipt):
    keep(connection, [receipt(n) for n in range(5)])
    prune_receipts(connection, 1, 10**9)
    keep(connection, [receipt(5)])
    prune_receipts(connection, 1, 10**9)
    assert ledger.totals(connection)["pruned", ""] == 60


def test_receipts_beyond_the_bytes_go_oldest_first(connection, receipt):
    keep(connection, [receipt(n) for n in range(100)])
    (size,) = connection.execute("SELECT bytes_until FROM receipts LIMIT 1").fetchone()
    prune_receipts(connection, 1e10, 30 * size)
    assert accepted_at(connection) == [receipt(n).accepted_at for n in range(70, 100)]
    keep(connection, [receipt(100)])
    prune_receipts(connection, 1e10, 30 * size)
    assert accepted_at(connection) == [receipt(n).accepted_at for n in range(71, 101)]


def test_many_go_in_small_steps(connection, receipt):
    keep(connection, [receipt(n) for n in range(pruning.RECEIPTS_PER_STEP * 2 + 1)])
    steps = 1
    while prune_receipts(connection, 1, 10**9):
        steps += 1
    assert steps == 3
    assert accepted_at(connection) == []


def test_nothing_is_pruned_within_the_limits(connection, receipt):
    keep(connection, [receipt(n) for n in range(10)])
    assert prune_receipts(connection, 1e10, 10**9) is False
    assert len(accepted_at(connection)) == 10
    assert prune_receipts(connection, 1e10, 10**9) is False


async def test_a_store_prunes_by_itself_when_it_opens(tmp_path, limits, receipt, reopened):
    store = Store.open(tmp_path, limits=limits)
    await store.settle([receipt(n) for n in range(1000)], [])
    await store.close()
    store = Store.open(tmp_path, limits=replace(limits, receipts_keep=60))
    recent = receipt(accepted_at=time.time())
    deadline = time.monotonic() + 10
    while receipts.newest_sources(reopened(), 1) and time.monotonic() < deadline:
        if not list(receipts.each_receipt(reopened())):
            break
    await store.settle([recent], [])
    await store.close()
    assert len(list(receipts.each_receipt(reopened()))) == 1
