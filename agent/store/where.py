"""Which dead letters are meant by `order.total > 100`? Conditions on records, asked by SQLite.

Only records that match are handed over, and no text of the user becomes part of a statement.
"""

import json
import sqlite3
from collections.abc import Sequence
from functools import cache

from agent.conditions import Condition, condition
from agent.core.fields import Reader
from agent.core.validation import fault

MATCHES_WHERE = """(:where IS NULL OR matches_where(:where, (
    SELECT record FROM dead_letter_records WHERE id = letter.id)))"""


def as_json(conditions: Sequence[Condition]) -> str | None:
    """What `MATCHES_WHERE` takes as `:where`; None where there are no conditions."""
    return json.dumps([each.text for each in conditions]) if conditions else None


def teach(connection: sqlite3.Connection) -> None:
    """Have a connection know what `MATCHES_WHERE` asks."""
    connection.create_function("matches_where", 2, _matches, deterministic=True)


def _matches(where: str, record: bytes | None) -> bool:
    """Whether all conditions hold for a record; what is no JSON object never matches."""
    if record is None or fault(record):
        return False
    conditions, reader = _read(where)
    found = reader.values(record)
    return all(each.holds(value) for each, value in zip(conditions, found, strict=True))


@cache
def _read(where: str) -> tuple[list[Condition], Reader]:
    conditions = [condition(text) for text in json.loads(where)]
    return conditions, Reader([each.path for each in conditions])
