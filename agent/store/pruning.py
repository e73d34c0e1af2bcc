"""Which receipts are too old, or too many, to be kept?

The oldest go first, a few in a transaction, so that no settle waits for long.
"""

import sqlite3
import time

from agent.store.settling import milliseconds

RECEIPTS_PER_STEP = 200


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
    connection.execute("DELETE FROM receipts WHERE id <= ?", (last,))
    connection.execute("COMMIT")
    return removable == RECEIPTS_PER_STEP
