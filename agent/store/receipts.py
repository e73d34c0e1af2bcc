"""What became of this line, this xactionId, this batch? Reading receipts back, record by record."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count, repeat

from agent.record import Receipt, Span, XactionIds
from agent.store.accepted_ids import number_at, ordinals_of, read_runs, split_id
from agent.store.source_ids import milliseconds, storable

_PAGE = 200  # receipts read at once
_COLUMNS = "id, accepted_ms, received_time_ms, batch_id, prefix, indexes, attempts"
_BY_ID = f"SELECT {_COLUMNS} FROM receipts WHERE id = ?"  # noqa: S608
_AFTER = f"""SELECT {_COLUMNS} FROM receipts
    WHERE id > ? AND accepted_ms >= ? ORDER BY id LIMIT ?"""  # noqa: S608
_OF_FLOW = f"""SELECT {_COLUMNS} FROM receipts
    WHERE id > ? AND accepted_ms >= ? AND flow = ? ORDER BY id LIMIT ?"""  # noqa: S608
_OLDEST = "SELECT accepted_ms FROM receipts ORDER BY id LIMIT 1"
_SPANS = """SELECT source.name, span.line, span."offset", span.count, span.newline
    FROM receipt_spans AS span JOIN sources AS source ON source.id = span.source_id
    WHERE span.receipt_id = ? ORDER BY span.first"""
# The conditions repeat those of the two indexes, or SQLite would not use them.
_BY_PREFIX = "SELECT id FROM receipts WHERE prefix = ? AND indexes IS NOT NULL"
_BY_BATCH_ID = """SELECT id FROM receipts
    WHERE batch_id = ? AND prefix NOT IN (batch_id || ':', batch_id || '-')"""
_BY_LINE = """SELECT span.receipt_id, span.first + :line - span.line
    FROM sources AS source JOIN receipt_spans AS span ON span.source_id = source.id
    WHERE source.name = :source
        AND span.line BETWEEN :line - source.widest_span + 1 AND :line
        AND span.line + span.count > :line"""
# Of files that are followed, app.log#2 is a later one of the path app.log: both are named so.
_SOURCES_NAMED = """SELECT name FROM sources
    WHERE name = ?1 OR substr(name, -length(?1) - 1) = ?2
        OR rtrim(name, '0123456789') = ?1 || '#'
        OR substr(rtrim(name, '0123456789'), -length(?1) - 2) = ?2 || '#'"""
_LINE = re.compile(r"(.+):(\d{1,18})", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class FoundReceipt:
    """One accepted record. Times are seconds since 1970, or milliseconds where the name says so."""

    xaction_id: str | None
    batch_id: str | None
    received_time_ms: int | None
    accepted_at: float
    attempts: int
    source: str
    line: int
    span_line: int  # where the run of lines that was sent with this one starts …
    span_offset: int  # … and the bytes of the source before it
    index: int  # its place, from 0, among the records of its receipt


def find(connection: sqlite3.Connection, wanted: str) -> list[FoundReceipt]:
    """The records behind an xactionId, a batch id, or `source:line`; in order of acceptance.

    A source may be named by its last path segments, and means all files that were followed under
    that name. A line may have been accepted more than once,
    and a name may read as more than one of the three: all that fits is returned.
    """
    wanted = storable(wanted)
    places: set[tuple[int, int | None]] = set()  # of receipts, None for all of its records
    places.update(_by_xaction_id(connection, wanted))
    places.update(_by_line(connection, wanted))
    places.update((receipt_id, None) for receipt_id in _by_batch_id(connection, wanted))
    whole = {receipt_id for receipt_id, ordinal in places if ordinal is None}
    found: list[FoundReceipt] = []
    for receipt_id, ordinal in sorted(places, key=lambda place: (place[0], place[1] or 0)):
        receipt = _receipt(connection, receipt_id)
        if receipt is None:
            continue
        if ordinal is None:
            found += _records(receipt)
        elif receipt_id not in whole:
            found += _record_at(receipt, ordinal)
    return found


def newest_sources(connection: sqlite3.Connection, limit: int) -> list[str]:
    """Names of sources that the store knows, those it met last first."""
    query = "SELECT name FROM sources ORDER BY id DESC LIMIT ?"
    return [name for (name,) in connection.execute(query, (limit,))]


def each(connection: sqlite3.Connection, since: float | None = None) -> Iterator[FoundReceipt]:
    """Every accepted record, or those accepted at or after *since* (s); in order of acceptance.

    A reader may take its time: no transaction is open between two of them.
    """
    for receipt in each_receipt(connection, since):
        yield from _records(receipt)


def oldest(connection: sqlite3.Connection) -> float | None:
    """When the oldest record was accepted whose receipt is kept; None where there is none."""
    row: tuple[int] | None = connection.execute(_OLDEST).fetchone()
    return row[0] / 1000 if row else None


def each_receipt(
    connection: sqlite3.Connection, since: float | None = None, flow: str = ""
) -> Iterator[Receipt]:
    """What `each` reads, as it was settled; of all flows, or of the one of that name."""
    after = 0
    since_ms = 0 if since is None else milliseconds(since)
    while True:
        if flow:
            rows = connection.execute(_OF_FLOW, (after, since_ms, flow, _PAGE)).fetchall()
        else:
            rows = connection.execute(_AFTER, (after, since_ms, _PAGE)).fetchall()
        for row in rows:
            yield _read(connection, row)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def _by_xaction_id(connection: sqlite3.Connection, wanted: str) -> Iterator[tuple[int, int]]:
    query = "SELECT receipt_id, ordinal FROM receipt_ids WHERE xaction_id = ?"
    yield from connection.execute(query, (wanted,))
    prefix, number = split_id(wanted) or ("", 0)
    if not prefix:
        return
    for (receipt_id,) in connection.execute(_BY_PREFIX, (prefix,)):
        receipt = _receipt(connection, receipt_id)
        if receipt is not None:
            for ordinal in ordinals_of(number, receipt.ids.indexes):
                yield receipt_id, ordinal


def _by_batch_id(connection: sqlite3.Connection, wanted: str) -> Iterator[int]:
    for prefix in (f"{wanted}:", f"{wanted}-"):
        for (receipt_id,) in connection.execute(_BY_PREFIX, (prefix,)):
            receipt = _receipt(connection, receipt_id)
            if receipt is not None and receipt.batch_id == wanted:
                yield receipt_id
    for (receipt_id,) in connection.execute(_BY_BATCH_ID, (wanted,)):
        yield receipt_id


def _by_line(connection: sqlite3.Connection, wanted: str) -> Iterator[tuple[int, int]]:
    match = _LINE.fullmatch(wanted)
    if match is None:
        return
    named = (match[1], f"/{match[1]}")
    for (source,) in connection.execute(_SOURCES_NAMED, named).fetchall():
        yield from connection.execute(_BY_LINE, {"source": source, "line": int(match[2])})


def _receipt(connection: sqlite3.Connection, receipt_id: int) -> Receipt | None:
    row = connection.execute(_BY_ID, (receipt_id,)).fetchone()
    return _read(connection, row) if row else None


def _read(
    connection: sqlite3.Connection,
    row: tuple[int, int, int | None, str | None, str, str | None, int],
) -> Receipt:
    receipt_id, accepted_ms, received_time_ms, batch_id, prefix, indexes, attempts = row
    listed: tuple[str, ...] = ()
    if indexes is None:
        query = "SELECT xaction_id FROM receipt_ids WHERE receipt_id = ? ORDER BY ordinal"
        listed = tuple(each for (each,) in connection.execute(query, (receipt_id,)))
    spans = tuple(Span(*span) for span in connection.execute(_SPANS, (receipt_id,)))
    ids = XactionIds(prefix, read_runs(indexes or ""), listed)
    return Receipt(accepted_ms / 1000, received_time_ms, batch_id, ids, spans, attempts)


def _records(receipt: Receipt) -> Iterator[FoundReceipt]:
    ids = chain(receipt.ids, repeat(None))
    indexes = count()
    for span in receipt.spans:
        for line in range(span.line, span.line + span.count):
            yield _found(receipt, span, line, next(indexes), next(ids))


def _record_at(receipt: Receipt, ordinal: int) -> Iterator[FoundReceipt]:
    """The record at one place of a receipt, without making all the others; none beyond the last."""
    first = 0
    for span in receipt.spans:
        if first <= ordinal < first + span.count:
            yield _found(receipt, span, span.line + ordinal - first, ordinal, _id(receipt, ordinal))
        first += span.count


def _id(receipt: Receipt, ordinal: int) -> str | None:
    ids = receipt.ids
    if ids.listed:
        return ids.listed[ordinal] if ordinal < len(ids.listed) else None
    number = number_at(ordinal, ids.indexes)
    return None if number is None else f"{ids.prefix}{number}"


def _found(
    receipt: Receipt, span: Span, line: int, index: int, xaction_id: str | None
) -> FoundReceipt:
    return FoundReceipt(
        xaction_id=xaction_id,
        batch_id=receipt.batch_id,
        received_time_ms=receipt.received_time_ms,
        accepted_at=receipt.accepted_at,
        attempts=receipt.attempts,
        source=span.source,
        line=line,
        span_line=span.line,
        span_offset=span.offset,
        index=index,
    )
