"""Which dead letters are no longer wanted, and how do they go while an agent is writing?

A few go in each transaction, and between two of them the file is left to the agent.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from agent.store import ledger
from agent.store.dead_letters import MATCHES, TABLES, Selection, parameters

ROWS_PER_STEP = 1000
BYTES_PER_STEP = 16 << 20  # a record may be 100 MiB: a step ends with the one that exceeds this
_PAGES_PER_STEP = 256
_LEAST_PAUSE = 0.005  # seconds
_LONGEST_PAUSE = 0.5

_CHOSEN = f"""SELECT letter.id, bytes, CASE WHEN replayed_ms IS NULL THEN reason END FROM {TABLES}
    WHERE letter.id > :after AND letter.id <= :newest AND {MATCHES}
    ORDER BY letter.id LIMIT :rows"""  # noqa: S608
_SIZE = f"SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM {TABLES} WHERE {MATCHES}"  # noqa: S608
_NEWEST = "SELECT COALESCE(MAX(id), 0) FROM dead_letters"
_REMOVE = "DELETE FROM dead_letters WHERE id = ?"  # and with it, its record
_LOWER = "UPDATE dead_letters_kept SET count = count - ?, bytes = bytes - ?"


@dataclass(frozen=True, slots=True)
class Purged:
    """How many dead letters, and the bytes that they take of `dead_letters.max_bytes`."""

    count: int
    bytes: int


def purgeable(connection: sqlite3.Connection, selection: Selection) -> Purged:
    """What `purge` would remove."""
    return Purged(*connection.execute(_SIZE, parameters(selection)).fetchone())


def purge(connection: sqlite3.Connection, selection: Selection) -> Purged:
    """Remove the selected dead letters that are there now; those that come meanwhile stay.

    What was removed before an error stays removed, and is counted as removed in the store.
    """
    wanted = parameters(selection) | {"after": 0, "rows": ROWS_PER_STEP}
    wanted["newest"] = connection.execute(_NEWEST).fetchone()[0]
    count = size = 0
    while True:
        with _pause_after(), connection:
            connection.execute("BEGIN IMMEDIATE")
            chosen = _first_bytes(connection.execute(_CHOSEN, wanted))
            connection.executemany(_REMOVE, [(letter_id,) for letter_id, *_ in chosen])
            freed = sum(each for _, each, _ in chosen)
            connection.execute(_LOWER, (len(chosen), freed))
            # one whose replay was accepted is accounted for as accepted
            ledger.add(connection, Counter(("purged", reason) for *_, reason in chosen if reason))
        if not chosen:
            break
        wanted["after"] = chosen[-1][0]
        count, size = count + len(chosen), size + freed
    if count:
        _give_back(connection)
    return Purged(count, size)


def _first_bytes(rows: sqlite3.Cursor) -> list[tuple[int, int, str | None]]:
    """The first rows (id, size, reason), until their sizes exceed those of a step."""
    chosen: list[tuple[int, int, str | None]] = []
    size = 0
    for row in rows:
        chosen.append(row)
        size += row[1]
        if size >= BYTES_PER_STEP:
            break
    rows.close()
    return chosen


def _give_back(connection: sqlite3.Connection) -> None:
    """Return the pages that have become free to the file system."""
    free: int = connection.execute("PRAGMA freelist_count").fetchone()[0]
    for _ in range(0, free, _PAGES_PER_STEP):
        # A transaction by itself. `execute` would free only one page: it stops at the first row.
        with _pause_after():
            connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_PER_STEP})")


@contextmanager
def _pause_after() -> Iterator[None]:
    """Pause as long as it took: who waits to write only looks now and then whether it may."""
    started = time.monotonic()
    yield
    time.sleep(min(max(time.monotonic() - started, _LEAST_PAUSE), _LONGEST_PAUSE))
