"""Which table does a row belong to, where nothing but the row itself is left to tell?

No two tables, and no table and index, have columns of the same kinds: see the test of this module.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache

from agent.store.schema import MIGRATIONS, PAGE_SIZE

# Their rows are in the pages of an index.
_IN_INDEX = frozenset({"receipt_ids", "receipt_spans", "ledger"})
_NOT_SALVAGED = frozenset({"dead_letters_kept", "spool_kept"})  # counted anew
_NULL = 0
_FIRST_BLOB = 12  # from here on even types are BLOB and odd ones TEXT


@dataclass(frozen=True, slots=True)
class Shape:
    """What a row of a table looks like."""

    table: str
    in_index: bool
    kinds: tuple[str, ...]  # of its columns: INTEGER, TEXT, BLOB, or NULL for the row's number
    nullable: tuple[bool, ...]
    fewest: int  # columns: rows may be older than the last ones

    def fits(self, types: Sequence[int]) -> bool:
        """Whether values of these types, as a record names them, may be a row."""
        if not self.fewest <= len(types) <= len(self.kinds):
            return False
        return all(
            nullable if kind == _NULL else kind_of(kind) == expected
            for kind, expected, nullable in zip(types, self.kinds, self.nullable, strict=False)
        )


# What the indexes of names hold: a name, and the number of its row.
NAMED = Shape("", True, ("TEXT", "INTEGER"), (False, False), 2)


def kind_of(type_: int) -> str:
    """The kind of value that a type in a record stands for."""
    if type_ < _FIRST_BLOB:
        return "INTEGER" if type_ not in (_NULL, 7, 10, 11) else "other"
    return "TEXT" if type_ % 2 else "BLOB"


@cache
def shapes() -> tuple[Shape, ...]:
    """The shapes of all tables whose rows can be salvaged."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    with closing(_empty_store()) as store:
        names = [row[0] for row in store.execute(query)]
        found = [_shape(store, name) for name in names if name not in _NOT_SALVAGED]
    # SQLite's own, which declares no kinds: the highest ids ever given.
    return (*found, Shape("sqlite_sequence", False, ("TEXT", "INTEGER"), (False, False), 2))


@cache
def last_root() -> int:
    """The page up to which there are only roots of trees, and the first page of the pointer map."""
    with closing(_empty_store()) as store:
        last: int = store.execute("SELECT MAX(rootpage) FROM sqlite_master").fetchone()[0]
    return last


@cache
def root_of(table: str) -> int:
    """The page of the root of a table or an index, the same in every store of this format."""
    query = "SELECT rootpage FROM sqlite_master WHERE name = ?"
    with closing(_empty_store()) as store:
        root: int = store.execute(query, (table,)).fetchone()[0]
    return root


def _shape(store: sqlite3.Connection, table: str) -> Shape:
    columns = store.execute(f"PRAGMA table_info({table})").fetchall()
    in_index = table in _IN_INDEX
    kinds, nullable = [], []
    for _, _, kind, not_null, _, key in columns:
        # The number of a row stands before it, not in it: there, its column is NULL.
        is_number = bool(key) and not in_index
        kinds.append("NULL" if is_number else kind)
        nullable.append(is_number or not not_null)
    fewest = len(columns)
    while nullable[fewest - 1]:
        fewest -= 1
    return Shape(table, in_index, tuple(kinds), tuple(nullable), fewest)


def _empty_store() -> sqlite3.Connection:
    store = sqlite3.connect(":memory:", isolation_level=None)
    store.execute(f"PRAGMA page_size = {PAGE_SIZE}")
    store.execute("PRAGMA auto_vacuum = INCREMENTAL")
    for statements in MIGRATIONS:
        for statement in statements:
            store.execute(statement)
    return store
