"""How many records were read, and what became of them, since the store was begun?

read = accepted + dead_lettered + filtered + dropped + what the spool holds, after every commit.
"""

import sqlite3
from collections import Counter
from collections.abc import Mapping

LedgerKey = tuple[str, str]  # entry and reason, as ("dead_lettered", "rejected")

_ADD = """INSERT INTO ledger (entry, reason, records) VALUES (?, ?, ?)
    ON CONFLICT (entry, reason) DO UPDATE SET records = records + excluded.records"""
# The sum of these is never smaller in a later state of a store: what was read, and what was taken
# off that again, since an earlier run had read it and dead-lettered it.
AGE = ("read", "known")
_OUTCOMES = frozenset({"accepted", "dead_lettered", "filtered", "dropped"})


def add(connection: sqlite3.Connection, added: Mapping[LedgerKey, int]) -> None:
    """Add to the ledger, in the transaction that is open."""
    rows = [(*key, records) for key, records in added.items() if records]
    connection.executemany(_ADD, rows)


def totals(connection: sqlite3.Connection) -> dict[LedgerKey, int]:
    """The whole ledger."""
    rows = connection.execute("SELECT entry, reason, records FROM ledger")
    return {(entry, reason): records for entry, reason, records in rows}


def residue(ledger: Mapping[LedgerKey, int], held: int) -> int:
    """Records that were read and of which nothing is known: 0, or the books are wrong."""
    read = ledger.get(("read", ""), 0)
    ended = sum(records for (entry, _), records in ledger.items() if entry in _OUTCOMES)
    return read - ended - held


class Ledger:
    """Gathers what the entries of one transaction add."""

    def __init__(self, totals: Mapping[LedgerKey, int]) -> None:
        """*totals* is the ledger as it was found."""
        self.totals: Mapping[LedgerKey, int] = totals  # as of the last commit
        self._added: Counter[LedgerKey] = Counter()
        self._written: Counter[LedgerKey] = Counter()  # in this transaction

    def add(self, added: Mapping[LedgerKey, int]) -> None:
        """Add at the end of the transaction."""
        for key, records in added.items():
            self._added[key] = self._added.get(key, 0) + records

    def flush(self, connection: sqlite3.Connection) -> None:
        """Write what was gathered."""
        add(connection, self._added)
        self._written, self._added = self._added, Counter()

    def committed(self) -> None:
        """What was written is durable."""
        self.totals = Counter(self.totals) + self._written
        self._written = Counter()

    def forget(self) -> None:
        """The transaction was rolled back."""
        self._added.clear()
        self._written.clear()
