"""Do the books balance? What the ledger says, beside what is really there.

read = accepted + dead_lettered + filtered + dropped + held. [design: sentence 7]
"""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from agent.store import ledger
from agent.store.spool_view import Place, places

_SPOOL = "SELECT COUNT(*), COALESCE(SUM(count), 0), COALESCE(SUM(body_bytes), 0) FROM spool"
_SPOOL_BOOKED = "SELECT batches, records, bytes FROM spool_kept"
_LETTERS = "SELECT COUNT(*), COALESCE(SUM(bytes), 0) FROM dead_letters"
_LETTERS_BOOKED = "SELECT count, bytes FROM dead_letters_kept"
_OPEN = "SELECT reason, COUNT(*) FROM dead_letters WHERE replayed_ms IS NULL GROUP BY reason"
_REPLAYED = "SELECT COUNT(*) FROM dead_letters WHERE replayed_ms IS NOT NULL"
_RECEIPTS = "SELECT COALESCE(SUM(count), 0) FROM receipt_spans"


@dataclass(frozen=True, slots=True)
class Spool:
    """How much is spooled."""

    batches: int
    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Letters:
    """How many dead letters there are, and the bytes that they take of their limit."""

    count: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Audit:
    """Everything that is counted, as it is at one moment. Unless said otherwise in records."""

    entries: Mapping[ledger.LedgerKey, int]  # of the ledger, by entry and reason
    spool: Spool
    spool_booked: Spool
    letters: Letters
    letters_booked: Letters
    open_letters: Mapping[str, int]  # by reason: dead letters whose replay was not accepted
    replayed: int  # dead letters that are there, and accepted after all
    receipts: int
    places: list[Place]

    def total(self, entry: str) -> int:
        """An entry's records, whatever the reason."""
        return sum(records for (name, _), records in self.entries.items() if name == entry)

    def by_reason(self, entry: str) -> dict[str, int]:
        """An entry's records by reason, the most frequent first."""
        rows = sorted(self.entries.items(), key=lambda row: -row[1])
        return {reason: records for (name, reason), records in rows if name == entry and records}

    @property
    def missing(self) -> int:
        """Records read of which nobody knows what became; less than 0: answered for twice."""
        return ledger.residue(self.entries, self.spool.records)

    @property
    def without_receipt(self) -> int:
        """Records accepted while receipts were not kept.

        Those that did not land have receipts and are accepted no longer.
        """
        with_receipt = self.total("accepted") + self.total("failed")
        return with_receipt - self.receipts - self.total("pruned")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must be so, whether it is, and the numbers."""

    name: str
    holds: bool
    words: str


def take(connection: sqlite3.Connection) -> Audit:
    """Count everything, at one moment; an agent may go on meanwhile."""
    with _snapshot(connection):
        return Audit(
            entries=ledger.totals(connection),
            spool=Spool(*connection.execute(_SPOOL).fetchone()),
            spool_booked=Spool(*connection.execute(_SPOOL_BOOKED).fetchone()),
            letters=Letters(*connection.execute(_LETTERS).fetchone()),
            letters_booked=Letters(*connection.execute(_LETTERS_BOOKED).fetchone()),
            open_letters=dict(connection.execute(_OPEN).fetchall()),
            replayed=connection.execute(_REPLAYED).fetchone()[0],
            receipts=connection.execute(_RECEIPTS).fetchone()[0],
            places=places(connection),
        )


def checks(books: Audit) -> Iterator[Check]:
    """What must be so for every record to be accounted for once."""
    yield _conservation(books)
    negative = [" ".join(key).strip() for key, records in books.entries.items() if records < 0]
    words = f"less than none of: {', '.join(negative)}" if negative else "no entry is below zero"
    yield Check("the ledger is sane", not negative, words)
    yield _same("the spool holds what its account says", books.spool, books.spool_booked)
    yield from _dead_letters(books)
    yield _receipts(books)
    odd = [place.source for place in books.places if not _is_sane(place)]
    words = f"not those of {', '.join(odd)}" if odd else f"{len(books.places):,} known"
    yield Check("positions of sources are possible", not odd, words)


def _conservation(books: Audit) -> Check:
    missing = books.missing
    words = f"all {books.total('read'):,} are accounted for"
    if missing:
        words = f"{abs(missing):,} {'missing' if missing > 0 else 'counted twice'}"
    return Check("read = accepted + dead-lettered + filtered + dropped + held", not missing, words)


def _dead_letters(books: Audit) -> Iterator[Check]:
    booked, purged = books.by_reason("dead_lettered"), books.by_reason("purged")
    wrong: list[str] = []
    for reason in sorted({*booked, *purged, *books.open_letters}):
        found = books.open_letters.get(reason, 0) + purged.get(reason, 0)
        if found != booked.get(reason, 0):
            wrong.append(f"{reason}: {found:,} found, {booked.get(reason, 0):,} in the ledger")
    words = "; ".join(wrong) or f"{sum(books.open_letters.values()):,} kept"
    yield Check("each dead-lettered record is kept, or was purged", not wrong, words)
    replayed, booked_replayed = books.replayed, books.total("replayed")
    words = f"{replayed:,} kept of {booked_replayed:,} accepted in a replay"
    yield Check("replays are in the ledger", replayed <= booked_replayed, words)
    yield _same("dead letters take the room they are said to", books.letters, books.letters_booked)


def _receipts(books: Audit) -> Check:
    missing = books.without_receipt
    words = f"{books.receipts:,} kept, {books.total('pruned'):,} removed since"
    if missing > 0:
        words += f"; {missing:,} accepted while receipts were not kept"
    elif missing < 0:
        words += f"; {-missing:,} more than were accepted"
    return Check("accepted records have receipts", missing >= 0, words)


def _same(name: str, found: Spool | Letters, booked: Spool | Letters) -> Check:
    if found == booked:
        return Check(name, holds=True, words=_numbers(found))
    return Check(name, holds=False, words=f"found {_numbers(found)}; booked {_numbers(booked)}")


def _numbers(found: Spool | Letters) -> str:
    return ", ".join(f"{key} {getattr(found, key):,}" for key in type(found).__slots__)


def _is_sane(place: Place) -> bool:
    return place.position.line >= 1 and place.position.offset >= 0


@contextmanager
def _snapshot(connection: sqlite3.Connection) -> Iterator[None]:
    """All reads inside see the same moment."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
