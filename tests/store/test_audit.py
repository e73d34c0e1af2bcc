"""Does the audit find what does not add up, and nothing where all does?"""

import pytest

from agent.record import Batch, Position, Span
from agent.store import audit
from agent.store.database import open_for_removing
from agent.store.disk import Store, StoreLimits
from agent.store.entry import Entry
from agent.store.partition import Partition


@pytest.fixture
async def books(tmp_path, receipt, letter):
    """A store with some of everything, open for meddling."""
    limits = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**9)
    store = Store.open(tmp_path, limits=limits, spool_for=[("k", "inlet")])
    batch = Batch(b"a\nb", False, 2, 3, (Span("orders.ndjson", 12, 2000, 2),), 1.5)
    accepted = receipt()
    refused = (Span("orders.ndjson", 11, 1000, 1),)
    store.follow("orders.ndjson", Position(1, 0))
    store.read("orders.ndjson", Position(14, 3000), 13)
    await store.write(Entry(receipts=(accepted,), passed=accepted.spans))
    await store.write(Entry(dead_letters=(letter(),), passed=refused))
    await Partition(store, key="k").write(Entry(appended=(batch,), passed=batch.spans))
    await store.close()
    connection = open_for_removing(tmp_path)
    yield connection
    connection.close()


def wrong(connection):
    return [check.name for check in audit.checks(audit.take(connection)) if not check.holds]


def test_books_that_balance_are_found_to(books):
    taken = audit.take(books)
    assert [check for check in audit.checks(taken) if not check.holds] == []
    assert (taken.total("read"), taken.spool.records, taken.missing) == (13, 2, 0)
    assert taken.open_letters == {"invalid_json": 1}


CONSERVED = "read = accepted + dead-lettered + filtered + dropped + held"
KEPT = "each dead-lettered record is kept, or was purged"
SPOOL = "the spool holds what its account says"


@pytest.mark.parametrize(
    ("meddling", "names"),
    [
        ("UPDATE ledger SET records = records + 1 WHERE entry = 'read'", [CONSERVED]),
        ("DELETE FROM spool", [CONSERVED, SPOOL]),
        ("UPDATE spool_kept SET bytes = bytes + 1", [SPOOL]),
        ("DELETE FROM dead_letters", [KEPT, "dead letters take the room they are said to"]),
        (
            "UPDATE dead_letters_kept SET bytes = 0",
            ["dead letters take the room they are said to"],
        ),
        ("INSERT INTO ledger VALUES ('purged', 'rejected', 1)", [KEPT]),
        ("INSERT INTO ledger VALUES ('pruned', '', 1)", ["accepted records have receipts"]),
        (
            "UPDATE dead_letters SET replayed_ms = 1",
            [KEPT, "replays are in the ledger"],
        ),
        ("INSERT INTO ledger VALUES ('filtered', 'odd', -1)", [CONSERVED, "the ledger is sane"]),
        ("UPDATE positions SET line = 0", ["positions of sources are possible"]),
    ],
)
def test_what_does_not_add_up_is_found(books, meddling, names):
    books.execute(meddling)
    assert sorted(wrong(books)) == sorted(names)


def test_receipts_that_were_never_kept_are_no_failure_but_said(books):
    books.execute("DELETE FROM receipts")
    taken = audit.take(books)
    assert taken.without_receipt == 10
    checks = {check.name: check for check in audit.checks(taken)}
    assert checks["accepted records have receipts"].holds
    assert "10 accepted while receipts were not kept" in (
        checks["accepted records have receipts"].words
    )
