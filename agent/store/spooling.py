"""How do batches become rows of the spool, and rows batches again?"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

import orjson

from agent.record import Batch, Row, Span
from agent.store.source_ids import milliseconds, storable

ROW_BYTES = 256  # what a row costs beside its body and spans, roughly

_APPEND = """INSERT INTO spool (id, destination_id, hold, count, body_bytes, plain_bytes, gzipped,
    read_ms, attempts, first_ms, last_ms, not_before_ms, checksum, spans, ids_added, body)
    VALUES (?, ?, NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_REMOVE = "DELETE FROM spool WHERE id = ?"
_CHANGE = """UPDATE spool SET attempts = ?, first_ms = ?, last_ms = ?, not_before_ms = ?
    WHERE id = ?"""
_HOLD = "UPDATE spool SET hold = ? WHERE id = ?"
_KEEP = "UPDATE spool_kept SET batches = batches + ?, records = records + ?, bytes = bytes + ?"
_NEXT = """SELECT id, count, plain_bytes, gzipped, read_ms, attempts, first_ms, last_ms,
    not_before_ms, checksum, spans, ids_added, body
    FROM spool WHERE destination_id = ? AND hold IS NULL AND id > ? ORDER BY id"""
_DESTINATION = """INSERT INTO destinations (key, name) VALUES (?, ?)
    ON CONFLICT (key) DO UPDATE SET name = excluded.name RETURNING id"""
_NEWEST = "SELECT COALESCE(MAX(id), 0) FROM spool"
_ALL = "SELECT batches, records, bytes FROM spool_kept"
_OTHERS = """SELECT destination.id, destination.name, COUNT(*), SUM(count), SUM(body_bytes)
    FROM destinations AS destination CROSS JOIN spool ON destination_id = destination.id
    WHERE destination.id <> ? AND hold IS NULL GROUP BY destination.id"""
_HELD = """SELECT hold, COUNT(*), SUM(count), SUM(body_bytes) FROM spool
    WHERE hold IS NOT NULL GROUP BY hold"""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the spool: whose it is, or why it is held."""

    name: str
    batches: int
    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Own:
    """What the spool holds for one of the destinations that it was opened for."""

    destination_id: int
    share: Share
    newest: int  # no row of it had a higher id then


@dataclass(frozen=True, slots=True)
class Found:
    """What was in the spool when it was opened."""

    newest: int  # the highest id there is
    mine: dict[str, Own]  # by the keys of the destinations it was opened for
    others: tuple[Share, ...]  # of other destinations: not to be sent to these
    held: tuple[Share, ...]  # not to be sent at all, by reason


def find_spooled(connection: sqlite3.Connection, destinations: Sequence[tuple[str, str]]) -> Found:
    """What the spool holds for these *destinations*, keys and names, and besides."""
    ids = {key: destination_id(connection, key, name) for key, name in destinations}
    first, *_ = ids.values()
    counted = {
        number: Share(*row) for number, *row in connection.execute(_OTHERS, (first,)).fetchall()
    }
    held = tuple(Share(*row) for row in connection.execute(_HELD))
    # A spool of a million rows is not counted anew at every start: the first one has the rest.
    batches, records, size = connection.execute(_ALL).fetchone()
    besides = (*counted.values(), *held)
    counted[first] = Share(
        destinations[0][1],
        batches - sum(share.batches for share in besides),
        records - sum(share.records for share in besides),
        size - sum(share.bytes for share in besides),
    )
    newest = connection.execute(_NEWEST).fetchone()[0]
    mine = {
        key: Own(ids[key], counted.pop(ids[key], Share(name, 0, 0, 0)), newest)
        for key, name in destinations
    }
    return Found(newest, mine, tuple(counted.values()), held)


def destination_id(connection: sqlite3.Connection, key: str, name: str) -> int:
    """The number of a destination, which gets one if need be."""
    number: int = connection.execute(_DESTINATION, (key, name)).fetchone()[0]
    return number


def size_of(batch: Batch) -> int:
    """What a batch takes as a row, roughly."""
    return len(batch.body) + ROW_BYTES


def checksum(spans: str, ids_added: bytes, body: bytes) -> int:
    """What a row must have as its checksum."""
    return crc32(body, crc32(ids_added, crc32(spans.encode())))


class Spooling:
    """Gathers the rows of one transaction: what comes and goes within it is never written."""

    def __init__(self, records: int) -> None:
        """*records* is how many the spool holds, for whichever destination."""
        self.records = records  # as of the last commit
        self._written = 0  # records, in this transaction
        self._appended: dict[int, tuple[Batch, int]] = {}
        self._kept = [0, 0, 0]  # batches, records and bytes to be added

    def append(self, batches: Sequence[Batch], destination_id: int) -> None:
        """Write these, which are for that destination, at the end of the transaction."""
        for batch in batches:
            self._appended[batch.number] = batch, destination_id
            self._keep(batch, 1)

    def remove(self, connection: sqlite3.Connection, batches: Sequence[Batch]) -> None:
        """Remove these, whether they have been written yet or not."""
        for batch in batches:
            self._keep(batch, -1)
            if self._appended.pop(batch.number, None) is None:
                connection.execute(_REMOVE, (batch.number,))

    def change(self, connection: sqlite3.Connection, batches: Sequence[Batch]) -> None:
        """Keep how often, and when, these were tried."""
        for batch in batches:
            if batch.number not in self._appended:
                connection.execute(_CHANGE, (*_attempts(batch), batch.number))

    def flush(self, connection: sqlite3.Connection) -> None:
        """Write what was gathered."""
        if self._appended:
            rows = [_row(*appended) for appended in self._appended.values()]
            connection.executemany(_APPEND, rows)
        if any(self._kept):
            connection.execute(_KEEP, self._kept)
        self._written = self._kept[1]
        self._appended.clear()
        self._kept = [0, 0, 0]

    def committed(self) -> None:
        """What was written is durable."""
        self.records += self._written
        self._written = 0

    def forget(self) -> None:
        """The transaction was rolled back."""
        self._written = 0
        self._appended.clear()
        self._kept = [0, 0, 0]

    def _keep(self, batch: Batch, sign: int) -> None:
        for index, amount in enumerate((1, batch.count, len(batch.body))):
            self._kept[index] += sign * amount


def hold(connection: sqlite3.Connection, number: int, reason: str) -> None:
    """Offer a row no more, for that reason."""
    connection.execute(_HOLD, (reason, number))


@dataclass(frozen=True, slots=True)
class Damaged:
    """A row that is not what was written."""

    number: int
    count: int
    bytes: int


def load(
    connection: sqlite3.Connection, destination_id: int, after: int, max_bytes: int
) -> list[Batch | Damaged]:
    """The next batches in the order of sending, at least one if there is one, up to *max_bytes*."""
    found: list[Batch | Damaged] = []
    size = 0
    rows = connection.execute(_NEXT, (destination_id, after))
    for row in rows:
        found.append(_batch(row))
        size += len(row[-1]) + ROW_BYTES
        if size >= max_bytes:
            break
    rows.close()
    return found


def _row(batch: Batch, destination_id: int) -> tuple[object, ...]:
    spans = [
        [storable(span.source), span.line, span.offset, span.count, span.newline]
        for span in batch.spans
    ]
    text = orjson.dumps(spans).decode()
    return (
        batch.number,
        destination_id,
        batch.count,
        len(batch.body),
        batch.plain_bytes,
        batch.gzipped,
        milliseconds(batch.read_at),
        *_attempts(batch),
        checksum(text, batch.ids_added, batch.body),
        text,
        batch.ids_added,
        batch.body,
    )


def _attempts(batch: Batch) -> tuple[int, int, int, int]:
    times = (batch.first_at, batch.last_at, batch.not_before)
    return (batch.attempts, *map(milliseconds, times))  # type: ignore[return-value]


def _batch(row: tuple[Any, ...]) -> Batch | Damaged:
    number, count, plain_bytes, gzipped, read_ms, attempts, *rest = row
    first_ms, last_ms, not_before_ms, expected, spans, ids_added, body = rest
    try:
        if checksum(spans, ids_added, body) != expected:
            return Damaged(number, count, len(body))
    except (AttributeError, TypeError):  # another type than was written
        return Damaged(number, count, 0)
    batch = Batch(
        body=body,
        gzipped=bool(gzipped),
        count=count,
        plain_bytes=plain_bytes,
        spans=tuple(Span(*span) for span in orjson.loads(spans)),
        read_at=read_ms / 1000,
        attempts=attempts,
        first_at=first_ms / 1000,
        last_at=last_ms / 1000,
        not_before=not_before_ms / 1000,
        ids_added=ids_added,
        row=Row.THERE,
    )
    return replace(batch, number=number)
