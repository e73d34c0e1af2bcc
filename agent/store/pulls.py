"""How does a record that was accepted and did not land become a dead letter, once?

Of each failed batch of the platform it is noted how many of its records were looked at; they come
in the same order each time. The note, the dead letters and the ledger change in one transaction.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence

from agent.record import DeadLetter
from agent.store import ledger
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds

_PULLED = "SELECT COALESCE(SUM(records), 0) FROM ledger WHERE entry = 'pulled' AND reason = ?"


def pulled(connection: sqlite3.Connection, batch_id: str) -> int:
    """How many of the records of a failed batch were looked at."""
    count: int = connection.execute(_PULLED, (batch_id,)).fetchone()[0]
    return count


def pull(
    connection: sqlite3.Connection,
    batch_id: str,
    before: int,
    count: int,
    letters: Sequence[DeadLetter],
    *,
    flow: str = "",
    max_bytes: int,
) -> bool:
    """Keep the *letters* among the next *count* records of a failed batch, after *before* of them.

    False, and nothing changes, where somebody else looked at them meanwhile. Raises StoreFull where
    dead letters have no room left.
    """
    settling = Settling(SourceIds(), max_bytes)
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        if pulled(connection, batch_id) != before:
            return False
        settling.write(connection, [], letters, flow)
        changes = Counter({("pulled", batch_id): count, ("failed", ""): len(letters)})
        changes["accepted", ""] = -len(letters)
        for letter in letters:
            changes["dead_lettered", letter.reason] += 1
        ledger.add(connection, changes)
    return True
