"""From where must each source be read again after a crash?

A position moves in the very transaction that makes the records before it durable, in the spool or
as verdicts: never ahead of them, and never behind, which would send them twice.
"""

import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.core.checkpoints import Checkpoints
from agent.record import Position, Span
from agent.store.entry import Mark
from agent.store.source_ids import SourceIds, milliseconds, storable

_SAVE = """INSERT INTO positions
    (source_id, line, "offset", identity, saved_ms, read_line, read_offset)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (source_id) DO UPDATE SET line = excluded.line, "offset" = excluded."offset",
        identity = excluded.identity, saved_ms = excluded.saved_ms,
        read_line = excluded.read_line, read_offset = excluded.read_offset"""
_FORGET = """DELETE FROM positions
    WHERE source_id = (SELECT id FROM sources WHERE name = ?)"""
_SAVED = """SELECT source.name, COALESCE(read_line, line), COALESCE(read_offset, "offset"),
        identity, saved_ms / 1000.0
    FROM positions JOIN sources AS source ON source.id = positions.source_id"""

_AHEAD = """SELECT source.name, letter.line
    FROM dead_letters AS letter JOIN positions ON positions.source_id = letter.source_id
    JOIN sources AS source ON source.id = letter.source_id
    WHERE letter.line >= positions.line AND identity IS NOT NULL"""


@dataclass(frozen=True, slots=True)
class SavedPosition:
    """Where a source may resume, if it still is the one of that identity.

    Without an identity it cannot be read again: this is where its numbering goes on.
    """

    position: Position
    identity: str | None
    saved_at: float = field(default=0.0, compare=False)  # wall clock; 0 where that is not known


def dead_letters_ahead(connection: sqlite3.Connection) -> dict[str, set[int]]:
    """Lines of dead letters at or after the saved position of their file, by source.

    They were written before the lines around them were safe. Those lines are read again, these
    among them, and nobody needs the same dead letter twice. A line is enough to know one by: not
    of every line the offset is known, and then it depends on what was read together.
    """
    ahead: dict[str, set[int]] = {}
    for name, line in connection.execute(_AHEAD):
        ahead.setdefault(name, set()).add(line)
    return ahead


def saved_positions(connection: sqlite3.Connection) -> dict[str, SavedPosition]:
    """The saved position of every source, by name."""
    rows = connection.execute(_SAVED)
    return {
        name: SavedPosition(Position(line, offset), identity, saved_at)
        for name, line, offset, identity, saved_at in rows
    }


class Positions:
    """The checkpoints of all sources. Belongs to the thread that writes; anybody may read `safe`.

    What an entry passes is tried out on a copy, which takes the place of the original once the
    transaction has been committed.
    """

    def __init__(self, sources: SourceIds) -> None:
        self._sources = sources
        self._safe: dict[str, Position] = {}  # as of the last commit
        self._checkpoints: dict[str, Checkpoints] = {}
        self._identities: dict[str, str | None] = {}
        self._tried: dict[str, Checkpoints] = {}  # in this transaction
        self._touched: set[str] = set()  # since the last commit
        self._saved: dict[str, tuple[Position, Position | None]] = {}
        self._saving: dict[str, tuple[Position, Position | None]] = {}  # in this transaction
        self._left: dict[str, bool] = {}  # read no further; whether to forget them
        self._forgotten: set[str] = set()  # in this transaction

    @property
    def safe(self) -> Mapping[str, Position]:
        """Of each source that is read, the position before which nothing needs to be read again."""
        return self._safe.copy()

    def follow(self, source: str, start: Position, identity: str | None) -> None:
        """Begin with a source, which is read from *start* on; or go on with one that was left there
        while its records were on their way: what of them is not safe must not seem to be."""
        before = self._checkpoints.get(source)
        if before is None or before.end != start:
            self._checkpoints[source] = before = Checkpoints(start)
        self._identities[source] = identity
        self._touched.add(source)  # so that a crash finds its identity, even before it moves
        self._left.pop(source, None)
        self._safe[source] = before.safe

    def leave(self, source: str, *, forget: bool) -> None:
        """A source is read no further; with *forget*, its row goes once all of it is safe."""
        self._left[source] = forget
        self._touched.add(source)

    def reached(self, connection: sqlite3.Connection) -> dict[str, SavedPosition]:
        """How far each source was read, safe or not, and where those are that are not read.

        That is where another may go on in its place, as long as this process lives.
        """
        now = time.time()
        reached = saved_positions(connection)
        for source, checkpoints in self._checkpoints.items():
            identity = checkpoints.identity_at_end or self._identities[source]
            reached[storable(source)] = SavedPosition(checkpoints.end, identity, now)
        for source, forget in self._left.items():
            if forget:
                reached.pop(storable(source), None)
        return reached

    def read(self, mark: Mark) -> None:
        """Note how far a source was read; holds whatever becomes of the transaction."""
        self._touched.add(mark.source)
        for checkpoints in (self._checkpoints, self._tried):
            if mark.source in checkpoints:
                checkpoints[mark.source].read(mark.end, mark.count, mark.identity)

    def passed(self, spans: Iterable[Span]) -> None:
        """These lines need not be read again once this transaction is durable."""
        for span in spans:
            if span.source not in self._checkpoints:
                continue  # of an earlier run, or of no source: nothing will read it again
            if span.source not in self._tried:
                self._tried[span.source] = self._checkpoints[span.source].copy()
            self._tried[span.source].settle(span)

    def flush(self, connection: sqlite3.Connection) -> None:
        """Save what has moved, at the end of a transaction."""
        now = milliseconds(time.time())
        for source in self._touched | self._tried.keys():
            checkpoints = self._tried.get(source, self._checkpoints[source])
            identity = checkpoints.identity or self._identities[source]
            # What cannot be read again is numbered on from the last line that was read, safe or
            # not, so that no number ever stands for two of them.
            safe, read = checkpoints.safe, checkpoints.end if identity is None else None
            if (safe, read) != self._saved.get(source):
                self._saving[source] = safe, read
                number = self._sources.of(connection, source)
                row = (number, safe.line, safe.offset, identity, now)
                reached = (read.line, read.offset) if read else (None, None)
                connection.execute(_SAVE, (*row, *reached))
        for source, forget in self._left.items():
            if forget and self._is_settled(source):
                connection.execute(_FORGET, (storable(source),))
                self._forgotten.add(source)

    def committed(self) -> None:
        """What was tried is true."""
        for source in self._touched | self._tried.keys():
            if source in self._tried:
                self._checkpoints[source] = self._tried[source]
            self._safe[source] = self._checkpoints[source].safe
        self._saved |= self._saving
        for source in [source for source in self._left if self._is_settled(source)]:
            if not self._left[source] or source in self._forgotten:
                self._drop(source)
        self._tried.clear()
        self._touched.clear()
        self._saving.clear()
        self._forgotten.clear()

    def forget(self) -> None:
        """The transaction was rolled back."""
        self._tried.clear()
        self._saving.clear()
        self._forgotten.clear()

    def unsettled(self) -> int:
        """Records read that are neither durable nor answered for."""
        return sum(checkpoints.unsettled for checkpoints in self._checkpoints.values())

    def _is_settled(self, source: str) -> bool:
        return not self._tried.get(source, self._checkpoints[source]).unsettled

    def _drop(self, source: str) -> None:
        """Keep nothing in memory of a source that was left: there may be any number of them."""
        for kept in (self._checkpoints, self._identities, self._safe, self._left):
            del kept[source]
        self._saved.pop(source, None)
