"""How do batches leave the spool, or their wait, by a person's decision? While no agent runs.

Every change keeps the spool's account and the ledger right, in one transaction.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from agent.record import DeadLetter
from agent.store import ledger
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds
from agent.store.spool_view import Spooled, each
from agent.store.spooling import destination_id
from agent.store.verifying import problem

REASON = "released"

_CHOSEN = "(:ids IS NULL OR id IN (SELECT value FROM json_each(:ids)))"
_DUE = f"""UPDATE spool SET not_before_ms = 0, hold = NULL
    WHERE (not_before_ms > 0 OR hold IS NOT NULL) AND {_CHOSEN}
        AND id NOT IN (SELECT value FROM json_each(:damaged))"""  # noqa: S608
_HELD = f"SELECT id FROM spool WHERE hold IS NOT NULL AND {_CHOSEN}"  # noqa: S608
_ADOPT = """UPDATE spool SET destination_id = ?, not_before_ms = 0
    WHERE id IN (SELECT value FROM json_each(?))"""
_REMOVE = "DELETE FROM spool WHERE id = ?"
_LOWER = """UPDATE spool_kept SET batches = batches - 1, records = records - ?,
    bytes = bytes - ?"""


@dataclass(frozen=True, slots=True)
class Due:
    """How many batches wait no longer, and the numbers of those that stay held: damaged."""

    batches: int
    damaged: tuple[int, ...]


def make_due(connection: sqlite3.Connection, ids: Sequence[int] = ()) -> Due:
    """Let batches be sent at once, held ones too, but for those that are not as they were."""
    chosen = json.dumps(ids) if ids else None
    held = [number for (number,) in connection.execute(_HELD, {"ids": chosen})]
    damaged: tuple[int, ...] = ()
    if held:
        batches = each(connection, held, bodies=True)
        damaged = tuple(one.id for one in batches if problem(one))
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        found = connection.execute(_DUE, {"ids": chosen, "damaged": json.dumps(damaged)})
    return Due(found.rowcount, damaged)


def adopt(connection: sqlite3.Connection, ids: Sequence[int], key: str, name: str) -> None:
    """Give batches to the destination of that key. Their bodies must be what it takes."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        destination = destination_id(connection, key, name)
        connection.execute(_ADOPT, (destination, json.dumps(ids)))


def to_dead_letters(
    connection: sqlite3.Connection,
    spooled: Spooled,
    letters: Sequence[DeadLetter],
    max_bytes: int,
    flow: str = "",
) -> None:
    """Keep the records of a batch as dead letters of that flow; take it out of the spool.

    Raises StoreFull, and changes nothing, where dead letters may not take *max_bytes* more.
    """
    assert len(letters) == spooled.count, "every record of a batch is answered for"
    settling = Settling(SourceIds(), max_bytes)
    connection.execute("BEGIN IMMEDIATE")
    try:
        settling.write(connection, [], letters, flow)
        settling.flush(connection)
        ledger.add(connection, {("dead_lettered", REASON): len(letters)})
        connection.execute(_REMOVE, (spooled.id,))
        connection.execute(_LOWER, (spooled.count, spooled.body_bytes))
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
