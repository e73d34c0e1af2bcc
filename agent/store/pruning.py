"""Which receipts are too old, or too many, to be kept, and when does the file become smaller?

The oldest go first, a few in a transaction, so that no entry waits for long.
"""

import sqlite3
import time

from agent.store import ledger
from agent.store.source_ids import milliseconds

RECEIPTS_PER_STEP = 200
PAGES_PER_STEP = 64
_PAGES_WHERE_CRAMPED = 8  # each may move another page, which the log must have room for
_STEPS_WHERE_CRAMPED = 32
_FREE_PAGES_KEPT = 256  # 8 MiB, to be used again
_RECORDS = "SELECT COALESCE(SUM(count), 0) FROM receipt_spans WHERE receipt_id <= ?"


def tidy(connection: sqlite3.Connection, keep: float, max_bytes: int) -> bool:
    """Remove a few receipts, or else give back a few pages; whether there may be more to do."""
    return prune_receipts(connection, keep, max_bytes) or give_back(connection)


def prune_receipts(connection: sqlite3.Connection, keep: float, max_bytes: int) -> bool:
    """Remove a few receipts older than *keep* seconds, or beyond *max_bytes*.

    Returns whether there may be more to remove.
    """
    newest = connection.execute(
        "SELECT bytes_until FROM receipts ORDER BY id DESC LIMIT 1"
    ).fetchone()
    oldest_kept = milliseconds(time.time() - keep)
    removable = 0
    last = None
    query = "SELECT id, accepted_ms, bytes_until FROM receipts ORDER BY id LIMIT ?"
    for receipt_id, accepted_ms, bytes_until in connection.execute(query, (RECEIPTS_PER_STEP,)):
        # What is kept without this receipt is all that came after it.
        if accepted_ms >= oldest_kept and newest[0] - bytes_until < max_bytes:
            break
        removable, last = removable + 1, receipt_id
    if not removable:
        return False
    connection.execute("BEGIN IMMEDIATE")
    records: int = connection.execute(_RECORDS, (last,)).fetchone()[0]
    ledger.add(connection, {("pruned", ""): records})
    connection.execute("DELETE FROM receipts WHERE id <= ?", (last,))
    connection.execute("COMMIT")
    return removable == RECEIPTS_PER_STEP


def give_back(connection: sqlite3.Connection) -> bool:
    """Return a few free pages to the file system where they are most of the file.

    Returns whether there may be more to return.
    """
    free: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    if free <= _FREE_PAGES_KEPT or free * 2 < pages:
        return False
    _give_back(connection, PAGES_PER_STEP)
    return True


def fold(connection: sqlite3.Connection) -> bool:
    """Have the log become room again, and the free pages of the file; whether none of it is left.

    No more than a few megabytes of pages at a time. Both take a little room themselves.
    """
    try:
        for _ in range(_STEPS_WHERE_CRAMPED):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if not connection.execute("PRAGMA freelist_count").fetchone()[0]:
                return True
            _give_back(connection, _PAGES_WHERE_CRAMPED)
    except sqlite3.Error:  # it went as far as it goes
        pass
    return False


def _give_back(connection: sqlite3.Connection, pages: int) -> None:
    # `execute` would free only one page: it stops at the first row
    connection.executescript(f"PRAGMA incremental_vacuum({pages})")
