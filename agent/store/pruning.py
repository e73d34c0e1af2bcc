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
    oldest_kept = milliseconds(time.time() - keep)
    if not _is_due(connection, oldest_kept, max_bytes):
        return False
    connection.execute("BEGIN IMMEDIATE")
    excess = _bytes_kept(connection) - max_bytes
    count = freed = last = 0
    query = "SELECT id, accepted_ms, bytes FROM receipts ORDER BY id LIMIT ?"
    for receipt_id, accepted_ms, size in connection.execute(query, (RECEIPTS_PER_STEP,)):
        if accepted_ms >= oldest_kept and freed >= excess:
            break
        count, freed, last = count + 1, freed + size, receipt_id
    connection.execute("DELETE FROM receipts WHERE id <= ?", (last,))
    connection.execute(
        "UPDATE totals SET count = count - ?, bytes = bytes - ? WHERE kind = 'receipts'",
        (count, freed),
    )
    connection.execute("COMMIT")
    return count == RECEIPTS_PER_STEP


def _is_due(connection: sqlite3.Connection, oldest_kept: int, max_bytes: int) -> bool:
    oldest = connection.execute("SELECT accepted_ms FROM receipts ORDER BY id LIMIT 1").fetchone()
    if oldest is None:
        return False
    too_old: bool = oldest[0] < oldest_kept
    return too_old or _bytes_kept(connection) > max_bytes


def _bytes_kept(connection: sqlite3.Connection) -> int:
    query = "SELECT bytes FROM totals WHERE kind = 'receipts'"
    kept: int = connection.execute(query).fetchone()[0]
    return kept
