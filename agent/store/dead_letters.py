"""Which records are dead letters, and why? Reading them from a connection that cannot write."""

import json
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from agent.conditions import Condition
from agent.record import DeadLetter, Position
from agent.store.source_ids import milliseconds, storable
from agent.store.where import MATCHES_WHERE, as_json

_PAGE = 500  # rows read at once: a long read would keep the writer's log from being folded in
_VARYING = re.compile(r"\b(?=[0-9a-fA-F-]*\d)[0-9a-fA-F][0-9a-fA-F-]{7,}\b|\d+")
# Every condition is inactive where its parameter is NULL; the one that reads records comes last.
MATCHES = f"""(:id IS NULL OR letter.id = :id)
    AND (:ids IS NULL OR letter.id IN (SELECT value FROM json_each(:ids)))
    AND (:reason IS NULL OR reason = :reason)
    AND (:stage IS NULL OR stage = :stage)
    AND (:since_ms IS NULL OR last_ms >= :since_ms)
    AND (:source IS NULL OR source.name = :source
        OR substr(source.name, -length(:source) - 1) = '/' || :source)
    AND (:flow IS NULL OR COALESCE(letter.flow, '') = :flow)
    AND (:replayed IS NULL OR (replayed_ms IS NOT NULL) = :replayed)
    AND {MATCHES_WHERE}"""  # noqa: S608
TABLES = "dead_letters AS letter JOIN sources AS source ON source.id = letter.source_id"
_COLUMNS = """letter.id, length, reason, stage, message, source.name, line, "offset", attempts,
    first_ms, last_ms, status, xaction_id, sha256, replayed_ms, flow"""
_OLDEST_FIRST = f"""SELECT {_COLUMNS} FROM {TABLES}
    WHERE letter.id > :after AND {MATCHES} ORDER BY letter.id LIMIT :page"""  # noqa: S608
_NEWEST_FIRST = f"""SELECT {_COLUMNS} FROM {TABLES}
    WHERE letter.id < :after AND {MATCHES} ORDER BY letter.id DESC LIMIT :page"""  # noqa: S608
_BY_MESSAGE = f"""SELECT reason, stage, message, COUNT(*), MIN(first_ms), MAX(last_ms),
    MAX(letter.id) FROM {TABLES} WHERE {MATCHES} GROUP BY reason, stage, message"""  # noqa: S608
_COUNT = f"SELECT COUNT(*) FROM {TABLES} WHERE {MATCHES}"  # noqa: S608
_LAST_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters: those for which everything that is set holds.

    `replayed`: only those whose replay was accepted, or only the others; None for both.
    """

    id: int | None = None
    reason: str | None = None
    stage: str | None = None
    source: str | None = None  # its name, or the last segments of its path
    since: float | None = None  # last attempt at or after, seconds since 1970
    ids: tuple[int, ...] = ()  # any of these, where there are some
    where: tuple[Condition, ...] = ()  # about the record; what is no JSON object never matches
    replayed: bool | None = None
    flow: str | None = None  # the name of the flow they are of; empty for those of none

    @property
    def is_narrow(self) -> bool:
        """Whether anything but `replayed=False` is set: whether a person chose."""
        return replace(self, replayed=self.replayed or None) != Selection()


ALL = Selection()


@dataclass(frozen=True, slots=True)
class Stored:
    """A dead letter and the number it is known by."""

    id: int
    letter: DeadLetter
    replayed_at: float | None = None  # when it was accepted after all
    flow: str | None = None  # of which it is, where flows had names

    @property
    def truncated(self) -> bool:
        """Whether only the first part of the record was kept."""
        return self.letter.sha256 is not None


@dataclass(frozen=True, slots=True)
class Group:
    """Dead letters that differ only in the numbers of their messages."""

    reason: str
    stage: str
    count: int
    first_at: float
    last_at: float
    message: str  # of one of them …
    example: int  # … which has this number


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of sending a dead letter again."""

    at: float
    outcome: str  # accepted, refused
    status: int | None
    message: str
    xaction_id: str | None


def each(
    connection: sqlite3.Connection,
    selection: Selection = ALL,
    *,
    records: bool = True,
    newest_first: bool = False,
) -> Iterator[Stored]:
    """The selected dead letters, one at a time; without their records where *records* is false.

    A reader may take its time: no transaction is open between two of them.
    """
    query, after = (_NEWEST_FIRST, _LAST_ID) if newest_first else (_OLDEST_FIRST, 0)
    while True:
        page = parameters(selection) | {"after": after, "page": _PAGE}
        rows = connection.execute(query, page).fetchall()
        for row in rows:
            stored = _stored(row)
            if not records:
                yield stored
            elif (record := _record(connection, stored.id)) is not None:
                yield replace(stored, letter=replace(stored.letter, record=record))
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def find(connection: sqlite3.Connection, letter_id: int) -> Stored | None:
    """The dead letter of that number, if there is one."""
    return next(each(connection, Selection(id=letter_id)), None)


def replays(connection: sqlite3.Connection, letter_id: int) -> list[Replay]:
    """The trail of a dead letter: each time it was sent again, the first one first."""
    query = """SELECT at_ms, outcome, status, message, xaction_id FROM replays
        WHERE letter_id = ? ORDER BY id"""
    rows = connection.execute(query, (letter_id,))
    return [Replay(at_ms / 1000, *words) for at_ms, *words in rows]


def count(connection: sqlite3.Connection, selection: Selection = ALL) -> int:
    """How many are selected."""
    number: int = connection.execute(_COUNT, parameters(selection)).fetchone()[0]
    return number


def groups(connection: sqlite3.Connection, selection: Selection = ALL) -> list[Group]:
    """The selected dead letters by reason, stage and shape of message; the largest group first."""
    found: dict[tuple[str, str, str], Group] = {}
    for row in connection.execute(_BY_MESSAGE, parameters(selection)):
        reason, stage, message, number, first_ms, last_ms, example = row
        group = Group(reason, stage, number, first_ms / 1000, last_ms / 1000, message, example)
        key = (reason, stage, message_shape(message))
        known = found.get(key)
        found[key] = _joined(known, group) if known else group
    return sorted(found.values(), key=lambda group: -group.count)


def message_shape(message: str) -> str:
    """The message with its numbers and ids replaced by `#`, so that alike messages are equal."""
    return _VARYING.sub("#", message)


def _joined(one: Group, other: Group) -> Group:
    return replace(
        max(one, other, key=lambda group: group.example),
        count=one.count + other.count,
        first_at=min(one.first_at, other.first_at),
        last_at=max(one.last_at, other.last_at),
    )


def parameters(selection: Selection) -> dict[str, Any]:
    """What `MATCHES` is to be run with."""
    since = selection.since
    return {
        "id": selection.id,
        "ids": json.dumps(selection.ids) if selection.ids else None,
        "reason": selection.reason and storable(selection.reason),
        "stage": selection.stage and storable(selection.stage),
        "source": selection.source and storable(selection.source),
        "since_ms": None if since is None else milliseconds(since),
        "where": as_json(selection.where),
        "replayed": selection.replayed,
        "flow": selection.flow,
    }


def _record(connection: sqlite3.Connection, letter_id: int) -> bytes | None:
    """The bytes of a record; None where it was purged since its row was read."""
    query = "SELECT record FROM dead_letter_records WHERE id = ?"
    row: tuple[bytes] | None = connection.execute(query, (letter_id,)).fetchone()
    return row[0] if row else None


def _stored(row: tuple[Any, ...]) -> Stored:
    letter_id, length, reason, stage, message, source, line, offset, attempts = row[:9]
    first_ms, last_ms, status, xaction_id, sha256, replayed_ms, flow = row[9:]
    letter = partial(DeadLetter, record=b"", length=length, reason=reason, stage=stage)
    return Stored(
        letter_id,
        letter(
            message=message,
            source=source,
            position=Position(line, offset),
            attempts=attempts,
            first_at=first_ms / 1000,
            last_at=last_ms / 1000,
            status=status,
            xaction_id=xaction_id,
            sha256=sha256,
        ),
        None if replayed_ms is None else replayed_ms / 1000,
        flow,
    )
