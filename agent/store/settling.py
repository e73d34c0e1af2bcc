"""How do receipts and dead letters become rows, in the transaction of their entry?"""

import sqlite3
from collections.abc import Sequence

from agent.errors import StoreFull
from agent.record import DeadLetter, Receipt
from agent.store.accepted_ids import write_runs
from agent.store.source_ids import SourceIds, milliseconds, storable

_RECEIPT_BYTES = 120  # what a row costs beside its texts, roughly: the limits are no accounts
_SPAN_BYTES = 60
_DEAD_LETTER_BYTES = 200

_NEWEST_RECEIPT = "SELECT id, bytes_until FROM receipts ORDER BY id DESC LIMIT 1"
_INSERT_RECEIPT = """INSERT INTO receipts
    (id, accepted_ms, received_time_ms, batch_id, prefix, indexes, attempts, bytes_until, flow)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_SPAN = """INSERT INTO receipt_spans
    (receipt_id, first, source_id, line, "offset", count, newline)
    VALUES (?, ?, ?, ?, ?, ?, ?)"""
_INSERT_ID = "INSERT INTO receipt_ids (receipt_id, ordinal, xaction_id) VALUES (?, ?, ?)"
_INSERT_DEAD_LETTER = """INSERT INTO dead_letters
    (reason, stage, status, message, xaction_id, source_id, line, "offset", attempts,
     first_ms, last_ms, length, sha256, bytes, flow)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_INSERT_RECORD = "INSERT INTO dead_letter_records (id, record) VALUES (?, ?)"
_KEPT = "SELECT bytes FROM dead_letters_kept"
_KEEP = "UPDATE dead_letters_kept SET count = count + ?, bytes = bytes + ?"


class Settling:
    """Belongs to one connection.

    Receipts are gathered and inserted together at the end of the transaction: one statement a table
    for all of them, since there may be hundreds a second.
    """

    def __init__(self, sources: SourceIds, dead_letters_max_bytes: int) -> None:
        self._sources = sources
        self.dead_letters_max_bytes = dead_letters_max_bytes
        self._newest: tuple[int, int] | None = None  # in this transaction: id, bytes_until
        self._receipts: list[tuple[object, ...]] = []  # rows, as the next two
        self._spans: list[tuple[object, ...]] = []
        self._ids: list[tuple[object, ...]] = []

    def forget(self) -> None:
        """Forget what a transaction that was rolled back gave: its ids do not exist."""
        self._end()

    def flush(self, connection: sqlite3.Connection) -> None:
        """Insert what was gathered, at the end of a transaction."""
        for statement, rows in (
            (_INSERT_RECEIPT, self._receipts),
            (_INSERT_SPAN, self._spans),
            (_INSERT_ID, self._ids),
        ):
            if rows:
                connection.executemany(statement, rows)
        self._end()

    def write(
        self,
        connection: sqlite3.Connection,
        receipts: Sequence[Receipt],
        dead_letters: Sequence[DeadLetter],
        flow: str = "",
    ) -> None:
        """Write verdicts on records of that flow into the open transaction.

        Raises StoreFull, before anything is written, where dead letters have no room left.
        """
        if dead_letters:
            self._require_room(connection)
            self._write_dead_letters(connection, dead_letters, flow or None)
        for receipt in receipts:
            self._write_receipt(connection, receipt, flow or None)

    def _require_room(self, connection: sqlite3.Connection) -> None:
        kept = connection.execute(_KEPT).fetchone()[0]
        if kept >= self.dead_letters_max_bytes:
            raise StoreFull(
                f"the dead letters take {kept:,} bytes and may take"
                f" {self.dead_letters_max_bytes:,}: export them (`aep-agent dead-letters export`),"
                " then `aep-agent dead-letters purge` (or `purge --replayed`), or raise"
                " dead_letters.max_bytes; until then"
                " records that would become dead letters wait"
            )

    def _write_receipt(
        self, connection: sqlite3.Connection, receipt: Receipt, flow: str | None
    ) -> None:
        ids = receipt.ids
        indexes = None if ids.listed else write_runs(ids.indexes)
        size = _RECEIPT_BYTES + len(receipt.spans) * _SPAN_BYTES + 2 * len(ids.prefix)
        size += len(indexes or "") + sum(_SPAN_BYTES + 2 * len(each) for each in ids.listed)
        newest_id, bytes_before = self._newest or self._newest_stored(connection)
        receipt_id, bytes_until = newest_id + 1, bytes_before + size
        self._newest = receipt_id, bytes_until
        row = (
            receipt_id,
            milliseconds(receipt.accepted_at),
            receipt.received_time_ms,
            receipt.batch_id,
            ids.prefix,
            indexes,
            receipt.attempts,
            bytes_until,
            flow,
        )
        self._receipts.append(row)
        first = 0
        for span in receipt.spans:
            source_id = self._sources.of(connection, span.source, span.count)
            self._spans.append(
                (receipt_id, first, source_id, span.line, span.offset, span.count, span.newline)
            )
            first += span.count
        self._ids += [(receipt_id, ordinal, each) for ordinal, each in enumerate(ids.listed)]

    def _newest_stored(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """The id of the newest receipt, and the bytes of all receipts up to it."""
        newest: tuple[int, int] | None = connection.execute(_NEWEST_RECEIPT).fetchone()
        return newest or (0, 0)

    def _end(self) -> None:
        self._newest = None
        self._receipts.clear()
        self._spans.clear()
        self._ids.clear()

    def _write_dead_letters(
        self, connection: sqlite3.Connection, dead_letters: Sequence[DeadLetter], flow: str | None
    ) -> None:
        total = 0
        for letter in dead_letters:
            size = _DEAD_LETTER_BYTES + len(letter.record) + len(letter.message)
            total += size
            position = letter.position
            row = (
                letter.reason,
                letter.stage,
                letter.status,
                storable(letter.message),
                letter.xaction_id,
                self._sources.of(connection, letter.source),
                position.line,
                position.offset,
                letter.attempts,
                milliseconds(letter.first_at),
                milliseconds(letter.last_at),
                letter.length,
                letter.sha256,
                size,
                flow,
            )
            letter_id = connection.execute(_INSERT_DEAD_LETTER, row).lastrowid
            connection.execute(_INSERT_RECORD, (letter_id, letter.record))
        connection.execute(_KEEP, (len(dead_letters), total))
