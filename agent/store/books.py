"""How does one entry become rows, and what of it counts only once it is committed?"""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agent.record import Position
from agent.store.entry import Entry, Mark, Owner
from agent.store.ledger import Ledger, LedgerKey, residue
from agent.store.positions import Positions
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds
from agent.store.spooling import Spooling


@dataclass(frozen=True, slots=True)
class Balance:
    """The ledger and what the spool holds, as of one commit."""

    ledger: Mapping[LedgerKey, int]
    held: int  # records

    def of(self, entry: str) -> int:
        """The records of one entry, whatever the reason."""
        return sum(records for (name, _), records in self.ledger.items() if name == entry)

    @property
    def residue(self) -> int:
        """Records of which nothing is known: 0, or the books are wrong."""
        return residue(self.ledger, self.held)


class Books:
    """All that entries change: verdicts, spool, positions, ledger. For the thread that writes."""

    def __init__(
        self,
        dead_letters_max_bytes: int,
        *,
        receipts_enabled: bool,
        ledger: Mapping[LedgerKey, int],
        spooled: int,
    ) -> None:
        """*ledger* and *spooled*, in records, are as they were found."""
        self._sources = SourceIds()
        self._settling = Settling(self._sources, dead_letters_max_bytes)
        self._receipts_enabled = receipts_enabled
        self._ledger = Ledger(ledger)
        self.spooling = Spooling(spooled)
        self.positions = Positions(self._sources)
        self.balance = Balance(ledger, spooled)

    def write(
        self, entry: Entry, owner: Owner, news: Sequence["News"], connection: sqlite3.Connection
    ) -> None:
        """Write an entry of *owner* into the open transaction; *news* are what sources told before.

        Raises StoreFull, before anything is written, where dead letters have no room left.
        """
        for each in news:
            each.tell(self.positions)
        receipts = entry.receipts if self._receipts_enabled else ()
        self._settling.write(connection, receipts, entry.dead_letters, owner.flow)
        self.spooling.append(entry.appended, owner.destination_id)
        self.spooling.remove(connection, entry.removed)
        self.spooling.change(connection, entry.changed)
        self.positions.passed(entry.passed)
        self._ledger.add(entry.ledger())

    def limit_dead_letters(self, max_bytes: int) -> None:
        """Have dead letters take no more than that from now on. May be called in any thread."""
        self._settling.dead_letters_max_bytes = max_bytes

    def flush(self, connection: sqlite3.Connection) -> None:
        """Write what was gathered, at the end of a transaction."""
        self._settling.flush(connection)
        self.spooling.flush(connection)
        self.positions.flush(connection)
        self._ledger.flush(connection)

    def committed(self) -> None:
        """The transaction is durable."""
        self.positions.committed()
        self._ledger.committed()
        self.spooling.committed()
        self.balance = Balance(self._ledger.totals, self.spooling.records)

    def forget(self) -> None:
        """The transaction was rolled back: what it gave does not exist."""
        for part in (self._sources, self._settling, self.spooling, self.positions, self._ledger):
            part.forget()


class News:
    """What a source has to tell its positions, in order with the entries about its records."""

    def __init__(self, tell: Callable[[Positions], None]) -> None:
        self._tell: Callable[[Positions], None] | None = tell

    def tell(self, positions: Positions) -> None:
        """Tell it, but once: a transaction may be tried again."""
        if self._tell:
            self._tell(positions)
            self._tell = None


def begun(source: str, start: Position, identity: str | None) -> News:
    """A source is read from *start* on."""
    return News(lambda positions: positions.follow(source, start, identity))


def left(source: str, *, forget: bool) -> News:
    """A source is read no further."""
    return News(lambda positions: positions.leave(source, forget=forget))


def was_read(mark: Mark) -> News:
    """A source was read up to a mark."""
    return News(lambda positions: positions.read(mark))
