"""What is in the store of an agent that has just died, and is it whole?

The files are copied first: to look at them must change nothing for the agent that comes next.
"""

import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from agent.record import DeadLetter, Position
from agent.store import dead_letters, receipts
from agent.store.database import open_for_reading

_FILES = ("store.db", "store.db-wal")
_SPOOL_SINCE = 2  # the format of the store
_ENDED = ("accepted", "dead_lettered", "filtered", "dropped")
_KEPT = {
    "spool_kept": "SELECT COUNT(*), TOTAL(count), TOTAL(body_bytes) FROM spool",
    "dead_letters_kept": "SELECT COUNT(*), TOTAL(bytes) FROM dead_letters",
}


@dataclass(frozen=True, slots=True)
class Autopsy:
    """What the store says. Positions go by source, with the time (ms) at which they were saved."""

    positions: dict[str, tuple[Position, int]] = field(default_factory=dict)
    read: dict[str, Position] = field(default_factory=dict)  # where numbering goes on, by source
    spooled: int = 0  # records
    ahead: tuple[
        tuple[str, int, int], ...
    ] = ()  # source, line, count: durable, beyond its position
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """What the agent would tell whoever asks: the xactionId of each receipt, and dead letters."""

    receipts: list[str | None]
    letters: list[DeadLetter]


def kept_in(data_dir: Path) -> Kept:
    """Everything the store has verdicts on; nothing where there is no store."""
    connection = open_for_reading(data_dir)
    if connection is None:
        return Kept([], [])
    with closing(connection):
        letters = [stored.letter for stored in dead_letters.each(connection)]
        return Kept([each.xaction_id for each in receipts.each(connection)], letters)


def look(data_dir: Path) -> Autopsy:
    """Open a copy of the store; nothing was ever kept where there is none."""
    with tempfile.TemporaryDirectory(prefix="torture-autopsy-") as scratch:
        for name in _FILES:
            if (data_dir / name).exists():
                shutil.copyfile(data_dir / name, Path(scratch, name))
        path = Path(scratch, _FILES[0])
        if not path.exists():
            return Autopsy()
        try:
            with closing(sqlite3.connect(path)) as connection:
                return _look(connection)
        except sqlite3.Error as error:
            return Autopsy(findings=(f"the store cannot be read: {error}",))


def _look(connection: sqlite3.Connection) -> Autopsy:
    if connection.execute("PRAGMA user_version").fetchone()[0] < _SPOOL_SINCE:
        return Autopsy()
    ledger = dict(
        connection.execute("SELECT entry, SUM(records) FROM ledger GROUP BY entry").fetchall()
    )
    return Autopsy(
        positions=_positions(connection),
        read=_read(connection),
        spooled=connection.execute("SELECT records FROM spool_kept").fetchone()[0],
        ahead=tuple(_ahead(connection)),
        findings=tuple(_findings(connection, ledger)),
    )


def _positions(connection: sqlite3.Connection) -> dict[str, tuple[Position, int]]:
    rows = connection.execute(
        'SELECT name, line, "offset", saved_ms FROM positions JOIN sources ON id = source_id'
    )
    return {name: (Position(line, offset), saved) for name, line, offset, saved in rows}


def _read(connection: sqlite3.Connection) -> dict[str, Position]:
    rows = connection.execute(
        'SELECT name, COALESCE(read_line, line), COALESCE(read_offset, "offset")'
        " FROM positions JOIN sources ON id = source_id"
    )
    return {name: Position(line, offset) for name, line, offset in rows}


def _ahead(connection: sqlite3.Connection) -> Iterator[tuple[str, int, int]]:
    """Runs of lines that are durable although their source will be read again from before them."""
    names = dict(connection.execute("SELECT id, name FROM sources").fetchall())
    safe = dict(connection.execute("SELECT source_id, line FROM positions").fetchall())
    numbers = {name: number for number, name in names.items()}
    durable = connection.execute(
        "SELECT source_id, line, count FROM receipt_spans"
        " UNION ALL SELECT source_id, line, 1 FROM dead_letters"
    ).fetchall()
    for (spans,) in connection.execute("SELECT spans FROM spool"):
        durable += [(numbers[name], line, count) for name, line, _, count, _ in json.loads(spans)]
    for number, line, count in durable:
        if line >= safe.get(number, 1):
            yield names[number], line, count


def _findings(connection: sqlite3.Connection, ledger: dict[str, int]) -> Iterator[str]:
    verdict = connection.execute("PRAGMA integrity_check(3)").fetchall()
    if verdict != [("ok",)]:
        yield f"the store is damaged: {verdict}"
    for table, count in _KEPT.items():
        kept = connection.execute(f"SELECT * FROM {table}").fetchall()
        counted = connection.execute(count).fetchall()
        if kept != counted:
            yield f"{table} says {kept}, there are {counted}"
    held = connection.execute("SELECT records FROM spool_kept").fetchone()[0]
    ended = sum(ledger.get(entry, 0) for entry in _ENDED)
    if ledger.get("read", 0) != ended + held:
        yield f"the ledger is not balanced: {ledger}, {held} in the spool"
