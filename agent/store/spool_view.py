"""What is in the spool, and how far were the sources read? Looking on, while an agent may run."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.record import Batch, Position, Span
from agent.store.source_ids import milliseconds

_PAGE = 100  # rows read at once: no transaction stays open while somebody reads on
_COLUMNS = """batch.id, destination.key, destination.name, hold, count, body_bytes,
    plain_bytes, gzipped, read_ms, attempts, first_ms, last_ms, not_before_ms, checksum, spans,
    ids_added"""
_TABLES = "spool AS batch JOIN destinations AS destination ON destination.id = destination_id"
_CHOSEN = "(:ids IS NULL OR batch.id IN (SELECT value FROM json_each(:ids)))"
_ROWS = f"""SELECT {_COLUMNS} FROM {_TABLES}
    WHERE batch.id > :after AND {_CHOSEN} ORDER BY batch.id LIMIT :page"""  # noqa: S608
_BODY = "SELECT body FROM spool WHERE id = ?"
_HOLDINGS = """SELECT destination.name, hold, COUNT(*), SUM(count), SUM(body_bytes),
    SUM(plain_bytes), MIN(read_ms), MAX(attempts), TOTAL(not_before_ms > :now_ms),
    MAX(not_before_ms), MIN(batch.id)
    FROM spool AS batch JOIN destinations AS destination ON destination.id = destination_id
    GROUP BY destination.id, hold ORDER BY destination.id, hold"""
_POSITIONS = """SELECT name, line, "offset", identity, saved_ms
    FROM positions JOIN sources AS source ON source.id = source_id ORDER BY name"""


@dataclass(frozen=True, slots=True)
class Holding:
    """The batches for one destination that may be sent, or that one reason holds back."""

    destination: str
    hold: str | None
    batches: int
    records: int
    bytes: int  # of bodies, as sent
    plain_bytes: int
    oldest_read_at: float
    attempts: int  # the most that one of them had
    waiting: int  # batches that are not to be sent yet …
    not_before: float  # … until then, the last of them
    first: int  # the lowest number


@dataclass(frozen=True, slots=True)
class Place:
    """Everything of a source before `position` is in the spool or answered for."""

    source: str
    position: Position
    identity: str | None
    saved_at: float


@dataclass(frozen=True, slots=True)
class Spooled:
    """One batch in the spool; `body` is empty where it was not asked for."""

    id: int
    key: str  # of its destination
    destination: str
    hold: str | None
    count: int
    body_bytes: int
    plain_bytes: int
    gzipped: bool
    read_at: float
    attempts: int
    first_at: float
    last_at: float
    not_before: float
    checksum: int
    spans: str
    ids_added: bytes
    body: bytes = b""

    def batch(self) -> Batch:
        """The batch as it was put into the spool. Raises ValueError where the spans are damaged."""
        return Batch(
            body=self.body,
            gzipped=self.gzipped,
            count=self.count,
            plain_bytes=self.plain_bytes,
            spans=read_spans(self.spans),
            read_at=self.read_at,
            attempts=self.attempts,
            first_at=self.first_at,
            last_at=self.last_at,
            ids_added=self.ids_added,
        )


def holdings(connection: sqlite3.Connection, now: float) -> list[Holding]:
    """What the spool holds, by destination and by why it is held back; *now* is wall clock."""
    found: list[Holding] = []
    for row in connection.execute(_HOLDINGS, {"now_ms": milliseconds(now)}):
        name, hold, batches, records, size, plain, read_ms, attempts, waiting, until_ms, first = row
        sizes = (batches, records, size, plain, read_ms / 1000, attempts, int(waiting))
        found.append(Holding(name, hold, *sizes, until_ms / 1000, first))
    return found


def places(connection: sqlite3.Connection) -> list[Place]:
    """How far each source was read, by name."""
    return [
        Place(name, Position(line, offset), identity, saved_ms / 1000)
        for name, line, offset, identity, saved_ms in connection.execute(_POSITIONS)
    ]


def each(
    connection: sqlite3.Connection, ids: Sequence[int] = (), *, bodies: bool = False
) -> Iterator[Spooled]:
    """The batches of these numbers, or all of them, in the order of sending.

    Those that are settled meanwhile are left out. No transaction is open between two of them.
    """
    wanted = {"ids": json.dumps(ids) if ids else None, "page": _PAGE, "after": 0}
    while True:
        rows = connection.execute(_ROWS, wanted).fetchall()
        for row in rows:
            body = connection.execute(_BODY, (row[0],)).fetchone() if bodies else (b"",)
            if body:
                yield _spooled(row, body[0])
        if len(rows) < _PAGE:
            return
        wanted["after"] = rows[-1][0]


def read_spans(text: str) -> tuple[Span, ...]:
    """The spans of a row. Raises ValueError where they are damaged."""
    try:
        return tuple(Span(*fields) for fields in json.loads(text))
    except TypeError as error:
        raise ValueError(f"the spans are damaged: {error}") from error


def _spooled(row: tuple, body: bytes) -> Spooled:  # type: ignore[type-arg]
    number, key, name, hold, count, body_bytes, plain_bytes, gzipped = row[:8]
    read_ms, attempts, first_ms, last_ms, not_before_ms, checksum, spans, ids_added = row[8:]
    sizes = (count, body_bytes, plain_bytes, bool(gzipped))
    times = (read_ms / 1000, attempts, first_ms / 1000, last_ms / 1000, not_before_ms / 1000)
    return Spooled(number, key, name, hold, *sizes, *times, checksum, spans, ids_added, body)
