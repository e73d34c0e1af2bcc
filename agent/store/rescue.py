"""How do rows of a damaged store come into a new one, with books that balance after every commit?

What the old ledger says was read, and of which no row is left, counts as dropped, reason "damaged";
rows that the old ledger does not know of count as read. A row of the spool that is not as it was
written is kept and held, reason "damaged": it is not sent, and can be exported.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import TypeGuard

import orjson

from agent.store import ledger
from agent.store.renumbering import Numbers
from agent.store.rows import Row, Value
from agent.store.spooling import checksum

DAMAGED = "damaged"
_UNKNOWN = "its reason was lost when the store was damaged"
_MOST_LINES_TOLD = 20
_IMPLAUSIBLE = 1 << 44
_KEEP_BATCHES = """UPDATE spool_kept
    SET batches = batches + ?, records = records + ?, bytes = bytes + ?"""
_KEEP_LETTERS = """UPDATE dead_letters_kept SET count = (SELECT COUNT(*) FROM dead_letters),
    bytes = (SELECT COALESCE(SUM(bytes), 0) FROM dead_letters)"""
_LOST = "SELECT COALESCE(SUM(records), 0) FROM ledger WHERE entry = 'dropped' AND reason = ?"
_SPOOLED = "SELECT checksum FROM spool WHERE id = ?"
_SPOOL = "INSERT INTO spool VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_LETTER = """INSERT OR IGNORE INTO dead_letters
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_RECORD = "INSERT OR IGNORE INTO dead_letter_records (id, record) VALUES (?, ?)"
# Whatever asks for whole records passes over those of which only a hash would tell the end.
_CUT = "UPDATE dead_letters SET sha256 = COALESCE(sha256, 'lost') WHERE id = ?"
_WITHOUT_RECORD = """SELECT id FROM dead_letters
    WHERE id NOT IN (SELECT id FROM dead_letter_records)"""
_POSITION = "INSERT OR IGNORE INTO positions VALUES (?, ?, ?, ?, ?, ?, ?)"
_REPLAY = """INSERT OR IGNORE INTO replays SELECT ?, ?, ?, ?, ?, ?, ?
    WHERE EXISTS (SELECT 1 FROM dead_letters WHERE id = ?2)"""
_RECEIPT = "INSERT OR IGNORE INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_SPAN = """INSERT OR IGNORE INTO receipt_spans SELECT ?, ?, ?, ?, ?, ?, ?
    WHERE EXISTS (SELECT 1 FROM receipts WHERE id = ?1)"""
_ID = """INSERT OR IGNORE INTO receipt_ids SELECT ?, ?, ?
    WHERE EXISTS (SELECT 1 FROM receipts WHERE id = ?1)"""
_SEQUENCE = "UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = ?"
_BEGIN_SEQUENCE = """INSERT INTO sqlite_sequence (name, seq) SELECT ?, ?
    WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)"""
_WIDEST = """UPDATE sources SET widest_span = MAX(widest_span, COALESCE(
    (SELECT MAX(count) FROM receipt_spans WHERE source_id = sources.id), 0))"""
_PRUNED = """SELECT COALESCE(SUM(CASE entry WHEN 'pruned' THEN -records ELSE records END), 0)
    - (SELECT COALESCE(SUM(count), 0) FROM receipt_spans)
    FROM ledger WHERE entry IN ('accepted', 'failed', 'pruned')"""


class Rescue:
    """Writes rows into the transaction that is open; `flush` ends what one transaction needs."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.counts: Counter[str] = Counter()  # rows salvaged, by table; and damaged batches
        self.lines: list[str] = []  # which lines are in batches that are damaged
        self.carried = 0  # records that an earlier salvage had to give up
        self._connection = connection
        self.numbers = Numbers(connection)
        self._knows_accepted = False
        self._has_letters = False  # in this transaction
        self._kept = [0, 0, 0]  # batches, records, bytes
        self._ledger: Counter[ledger.LedgerKey] = Counter()
        self._without_row = 0  # records that were read, and are nowhere yet
        self.insert: Mapping[str, Callable[[Iterable[Row], bool], None]] = {
            "sources": lambda rows, sure: self.numbers.insert_sources(rows),
            "destinations": lambda rows, sure: self.numbers.insert_destinations(rows),
            "sqlite_sequence": self._insert_sequence,
            "positions": self._insert_positions,
            "spool": self._insert_batches,
            "dead_letters": self._insert_letters,
            "dead_letter_records": self._insert_records,
            "replays": self._insert_replays,
            "receipts": self._insert_receipts,
            "receipt_spans": self._insert_spans,
            "receipt_ids": self._insert_ids,
        }

    def read_ledger(self, rows: Iterable[Row], *, again: bool) -> None:
        """Begin with the old books; *again* where they were taken over by an earlier attempt."""
        old: Counter[ledger.LedgerKey] = Counter()
        for row in rows:
            entry, reason, records = row.values
            if _is_plausible(records) and entry != "salvaging":
                old[str(entry), str(reason)] = records
        self._knows_accepted = ("accepted", "") in old
        self.carried = old["dropped", DAMAGED]
        if again:
            return
        purged = Counter(
            {reason: old["purged", reason] for entry, reason in old if entry == "purged"}
        )
        ended = purged.total()
        for (entry, reason), records in old.items():
            if entry in ("accepted", "filtered", "dropped"):
                ended += records
            if entry != "dead_lettered":  # those come with their rows, except for the purged ones
                self._ledger[entry, reason] += records
        for reason, records in purged.items():
            self._ledger["dead_lettered", reason] += records
        if ("read", "") in old:
            self._without_row += old["read", ""] - ended
        else:
            self._ledger["read", ""] += ended

    def never_below(self, letter_id: int) -> None:
        """Give no dead letter an id that was ever given, as far as that is known."""
        self._insert_sequence([Row(0, ["dead_letters", letter_id], True)], True)

    def flush(self) -> None:
        """Bring the books up to what was inserted."""
        execute = self._connection.execute
        execute(_KEEP_BATCHES, self._kept)
        (lost,) = execute(_LOST, (DAMAGED,)).fetchone()
        lost_now = max(0, lost + self._without_row)
        self._ledger["dropped", DAMAGED] += lost_now - lost
        self._ledger["read", ""] += lost_now - lost - self._without_row
        ledger.add(self._connection, self._ledger)
        if self._has_letters:
            execute(_KEEP_LETTERS)
        self.forget()

    def forget(self) -> None:
        """The transaction is over, or was rolled back."""
        self._kept = [0, 0, 0]
        self._without_row = 0
        self._has_letters = False
        self._ledger.clear()

    def finish(self) -> None:
        """Make good what no single row can tell: records and receipts that are missing."""
        execute = self._connection.execute
        for (letter_id,) in execute(_WITHOUT_RECORD).fetchall():
            execute(_RECORD, (letter_id, b""))
            execute(_CUT, (letter_id,))
            self.counts["without_record"] += 1
        execute(_WIDEST)  # where it was lost, or another run had begun a narrower one
        if self.counts["receipts"]:  # else none may ever have been kept
            without_receipt = execute(_PRUNED).fetchone()[0]
            self._ledger["pruned", ""] += max(0, without_receipt)

    def lost(self) -> int:
        """Records that were read, and are nowhere."""
        (lost,) = self._connection.execute(_LOST, (DAMAGED,)).fetchone()
        return max(0, int(lost) - self.carried)

    def _place(self, records: int) -> None:
        """These have a row again."""
        self._without_row -= records

    def _insert_sequence(self, rows: Iterable[Row], sure: bool) -> None:
        for row in rows:
            name, highest = row.values
            if name == "dead_letters":
                self._connection.execute(_BEGIN_SEQUENCE, (name, 0))
                self._connection.execute(_SEQUENCE, (highest, name))

    def _insert_positions(self, rows: Iterable[Row], sure: bool) -> None:
        for row in rows:
            if row.number in self.numbers.sources:  # without its name it is of no use
                # older rows have no last two columns
                values = (self.numbers.sources[row.number], *row.values[1:], None, None)[:7]
                self.counts["positions"] += self._connection.execute(_POSITION, values).rowcount

    # --- spool ---

    def _insert_batches(self, rows: Iterable[Row], sure: bool) -> None:
        for row in rows:
            self._insert_batch(row, sure)

    def _insert_batch(self, row: Row, sure: bool) -> None:
        _, destination, hold, count, _, *middle, expected, spans, ids_added, body = row.values
        assert isinstance(body, bytes)
        assert isinstance(ids_added, bytes)
        stored = self._connection.execute(_SPOOLED, (row.number,)).fetchone()
        if stored and stored[0] == expected:
            return  # a page that is there twice
        text = str(spans)
        intact = row.whole and checksum(text, ids_added, body) == expected
        records = _records_in(text)
        count = records or (count if _is_plausible(count) else 0)
        if not (intact and sure):
            hold = DAMAGED
            self.counts["damaged"] += 1
            self._tell(text)
        number = None if stored else row.number
        values = (number, self.numbers.destination(destination), hold, count, len(body), *middle)
        self._connection.execute(_SPOOL, (*values, expected, text, ids_added, body))
        for index, amount in enumerate((1, count, len(body))):
            self._kept[index] += amount
        self._place(count)
        self.counts["spool"] += 1
        self.counts["records"] += count

    def _tell(self, spans: str) -> None:
        """Note which lines are in doubt, for whoever can send them again."""
        for source, line, _, count, _ in _spans(spans):
            if len(self.lines) < _MOST_LINES_TOLD:
                self.lines.append(f"{source}:{line}-{line + count - 1}")

    # --- dead letters ---

    def _insert_letters(self, rows: Iterable[Row], sure: bool) -> None:
        for row in rows:
            values = [row.number, *row.values[1:], None, None][:17]
            values[6] = self.numbers.source(values[6])
            values[14] = values[14] if _is_plausible(values[14]) else 0
            self._insert_letter(values)

    def _insert_letter(self, values: list[Value]) -> None:
        if not self._connection.execute(_LETTER, values).rowcount:
            return
        self._has_letters = True
        self.counts["dead_letters"] += 1
        if values[15] is None:  # a replayed one counts as accepted
            self._ledger["dead_lettered", str(values[1])] += 1
            self._place(1)

    def _insert_records(self, rows: Iterable[Row], sure: bool) -> None:
        for row in rows:
            record = row.values[1]
            assert isinstance(record, bytes)
            is_known = "SELECT 1 FROM dead_letters WHERE id = ?"
            if not self._connection.execute(is_known, (row.number,)).fetchone():
                self._insert_letter(self._nameless(row.number, record))
            self._connection.execute(_RECORD, (row.number, record))
            if not row.whole:
                self._connection.execute(_CUT, (row.number,))

    def _nameless(self, number: int, record: bytes) -> list[Value]:
        """A row for a record of which nothing else is left."""
        source = self.numbers.source(0)
        size = len(record)
        told: list[Value] = [number, DAMAGED, "store", None, _UNKNOWN, None]
        return [*told, source, 0, 0, 0, 0, 0, size, None, size, None, None]

    def _insert_replays(self, rows: Iterable[Row], sure: bool) -> None:
        for row in rows:
            values = [row.number, *row.values[1:], None][:7]
            self.counts["replays"] += self._connection.execute(_REPLAY, values).rowcount

    # --- receipts ---

    def _insert_receipts(self, rows: Iterable[Row], sure: bool) -> None:
        # older rows have no last column
        values = [(row.number, *row.values[1:], None)[:9] for row in rows]
        self.counts["receipts"] += self._connection.executemany(_RECEIPT, values).rowcount

    def _insert_spans(self, rows: Iterable[Row], sure: bool) -> None:
        values = [
            (*row.values[:2], self.numbers.source(row.values[2]), *row.values[3:]) for row in rows
        ]
        if self._knows_accepted:
            self._connection.executemany(_SPAN, values)
            return
        for each in values:
            if self._connection.execute(_SPAN, each).rowcount and _is_plausible(each[5]):
                self._ledger["accepted", ""] += each[5]
                self._place(each[5])

    def _insert_ids(self, rows: Iterable[Row], sure: bool) -> None:
        self._connection.executemany(_ID, [row.values for row in rows])


def _spans(text: str) -> list[tuple[str, int, int, int, int]]:
    try:
        spans = orjson.loads(text)
        return [(str(each[0]), *map(int, each[1:5])) for each in spans]  # type: ignore[misc]
    except (ValueError, TypeError, IndexError):
        return []


def _records_in(text: str) -> int | None:
    """How many records the spans of a batch are about; None where they do not tell."""
    records = sum(span[3] for span in _spans(text))
    return records if records and _is_plausible(records) else None


def _is_plausible(amount: Value) -> TypeGuard[int]:
    """Whether it may be a number of records or bytes: sums of such amounts stay in bounds."""
    return isinstance(amount, int) and 0 <= amount < _IMPLAUSIBLE
