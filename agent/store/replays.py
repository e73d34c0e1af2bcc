"""How does a dead letter that is sent again stop being one?

Its receipt, its mark, its trail and the ledger change in one transaction. Until then it is simply
still a dead letter: nothing has to be undone where a replay ends half way.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from agent.record import DeadLetter, Position, Receipt, Span
from agent.store import ledger
from agent.store.dead_letters import MATCHES, TABLES, Selection, Stored, parameters
from agent.store.entry import Entry
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds, milliseconds, storable
from agent.store.waiting import Work

ACCEPTED, REFUSED = "accepted", "refused"
# What was stopped there is no record, or is not the record as it was sent.
BROKEN_STAGES = ("frame", "validate", "export")

_PLAN = f"""SELECT COUNT(*), TOTAL(sha256 IS NOT NULL), TOTAL(sha256 IS NULL AND broken),
    TOTAL(CASE WHEN sha256 IS NULL AND (:all OR NOT broken) THEN length END), COALESCE(MAX(id), 0)
    FROM (SELECT letter.id, length, sha256, stage IN {BROKEN_STAGES} AS broken
        FROM {TABLES} WHERE {MATCHES})"""  # noqa: S608
_MARK = """UPDATE dead_letters SET replayed_ms = :at_ms, attempts = attempts + :attempts
    WHERE id = :id AND replayed_ms IS NULL"""
_IS_THERE = "SELECT COUNT(*) FROM dead_letters WHERE id = ?"
_REFUSED = """SELECT reason, length(message) FROM dead_letters
    WHERE id = ? AND replayed_ms IS NULL"""
_CHANGE = """UPDATE dead_letters SET reason = ?, stage = ?, status = ?, message = ?,
    xaction_id = ?, attempts = attempts + ?, last_ms = ?, bytes = bytes + ? WHERE id = ?"""
_GROW = "UPDATE dead_letters_kept SET bytes = bytes + ?"
_TRAIL = """INSERT INTO replays (letter_id, at_ms, outcome, status, message, xaction_id)
    VALUES (?, ?, ?, ?, ?, ?)"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a replay of a selection would send, and what it leaves where it is."""

    letters: int
    bytes: int  # of their records
    cut: int  # only their first part was kept
    broken: int  # lines that are no records
    newest: int  # the highest number among them: what comes later is not of this replay


def plan(connection: sqlite3.Connection, selection: Selection, *, broken_too: bool) -> Plan:
    """What `each` would give. Lines that are no records are left out unless *broken_too*."""
    found = connection.execute(_PLAN, parameters(selection) | {"all": broken_too}).fetchone()
    total, cut, broken, size, newest = map(int, found)
    broken = 0 if broken_too else broken
    return Plan(total - cut - broken, size, cut, broken, newest)


def is_sent(stored: Stored, *, broken_too: bool) -> bool:
    """Whether a dead letter can be sent again."""
    return not stored.truncated and (broken_too or stored.letter.stage not in BROKEN_STAGES)


@dataclass(frozen=True, slots=True)
class _Letter:
    id: int
    reason: str
    span: Span  # the line it stands on
    flow: str = ""


class Underway:
    """The dead letters that are on their way, by the line that each has in this replay."""

    def __init__(self) -> None:
        self._letters: dict[int, _Letter] = {}

    def put(self, line: int, stored: Stored) -> None:
        """This dead letter is read as that line."""
        letter, position = stored.letter, stored.letter.position
        span = Span(letter.source, position.line, position.offset, 1)
        self._letters[line] = _Letter(stored.id, letter.reason, span, stored.flow or "")

    def spans(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """Where the records of these lines really stand."""
        return tuple(letter.span for letter in self.letters(spans))

    def letters(self, spans: Iterable[Span]) -> Iterator[_Letter]:
        """The dead letters of these lines, in their order."""
        for span in spans:
            for line in range(span.line, span.line + span.count):
                yield self._letters[line]

    def forget(self, spans: Iterable[Span]) -> None:
        """These lines are settled."""
        for span in spans:
            for line in range(span.line, span.line + span.count):
                self._letters.pop(line, None)


class Replays:
    """Takes the verdicts of a replay, where an agent would keep those on new records.

    Only for a buffer in memory: a batch that outlives the replay would not know what it is.
    """

    def __init__(
        self,
        submit: Callable[[Work], "asyncio.Future[None]"],
        underway: Underway,
        *,
        receipts_enabled: bool,
    ) -> None:
        self._submit = submit
        self._underway = underway
        self._receipts_enabled = receipts_enabled

    def follow(self, source: str, start: Position, identity: str | None) -> None:
        """Nothing: what is not settled is chosen again."""

    def read(self, source: str, end: Position, count: int, identity: str | None = None) -> None:
        """Nothing: the records were read long ago."""

    def leave(self, source: str, *, forget: bool) -> None:
        """Nothing, as above."""

    def write(self, entry: Entry) -> "asyncio.Future[None]":
        """Make the verdicts durable, all of them or none."""
        assert not entry.appended, "a replay is held in memory"
        accepted = [
            (receipt, list(self._underway.letters(receipt.spans))) for receipt in entry.receipts
        ]
        refused = [(letter, self._one(letter.position)) for letter in entry.dead_letters]
        work = partial(_write, accepted, refused, keep_receipts=self._receipts_enabled)
        written = self._submit(work)
        written.add_done_callback(lambda _: self._underway.forget(entry.passed))
        return written

    def _one(self, position: Position) -> _Letter:
        return next(self._underway.letters([Span("", position.line, position.offset, 1)]))


def _write(
    accepted: Sequence[tuple[Receipt, list[_Letter]]],
    refused: Sequence[tuple[DeadLetter, _Letter]],
    connection: sqlite3.Connection,
    *,
    keep_receipts: bool,
) -> None:
    changes: Counter[tuple[str, str]] = Counter()
    settling = Settling(SourceIds(), 0)
    for receipt, letters in accepted:
        if keep_receipts:
            spans = tuple(letter.span for letter in letters)
            flow = letters[0].flow if letters else ""
            settling.write(connection, [replace(receipt, spans=spans)], [], flow)
        for letter, xaction_id in zip(letters, receipt.ids, strict=True):
            changes.update(_accept(connection, receipt, letter, xaction_id))
    settling.flush(connection)
    for verdict, letter in refused:
        changes.update(_refuse(connection, verdict, letter))
    ledger.add(connection, changes)


def _accept(
    connection: sqlite3.Connection, receipt: Receipt, letter: _Letter, xaction_id: str
) -> Counter[tuple[str, str]]:
    """Mark a dead letter as accepted; what that does to the ledger."""
    at_ms = milliseconds(receipt.accepted_at)
    marks = {"at_ms": at_ms, "attempts": receipt.attempts, "id": letter.id}
    was_open = connection.execute(_MARK, marks).rowcount
    is_there = was_open or connection.execute(_IS_THERE, (letter.id,)).fetchone()[0]
    if is_there:
        connection.execute(_TRAIL, (letter.id, at_ms, ACCEPTED, None, "", xaction_id))
    if is_there and not was_open:  # somebody else replayed it meanwhile: it was sent twice
        return Counter({("read", ""): 1, ("accepted", ""): 1})
    moved = Counter({("accepted", ""): 1, ("replayed", ""): 1})
    moved["dead_lettered", letter.reason] = -1
    if not is_there:  # it was purged meanwhile, and is accepted nevertheless
        moved["purged", letter.reason] = -1
    return moved


def _refuse(
    connection: sqlite3.Connection, verdict: DeadLetter, letter: _Letter
) -> Counter[tuple[str, str]]:
    """Note that a dead letter stays one, and why; what that does to the ledger."""
    row = connection.execute(_REFUSED, (letter.id,)).fetchone()
    if row is None:  # purged meanwhile
        return Counter()
    reason, message_length = row
    message, last_ms = storable(verdict.message), milliseconds(verdict.last_at)
    grown = len(message) - message_length
    words = (verdict.reason, verdict.stage, verdict.status, message, verdict.xaction_id)
    connection.execute(_CHANGE, (*words, verdict.attempts, last_ms, grown, letter.id))
    connection.execute(_GROW, (grown,))
    trail = (letter.id, last_ms, REFUSED, verdict.status, message, verdict.xaction_id)
    connection.execute(_TRAIL, trail)
    changes: Counter[tuple[str, str]] = Counter()
    changes["dead_lettered", reason] -= 1
    changes["dead_lettered", verdict.reason] += 1
    return changes
