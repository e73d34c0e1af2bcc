"""Which numbers do the sources and destinations of a damaged store have in the new one?

Those they had, unless an agent that ran meanwhile gave them to others; and where a name was lost, a
name that says so, for the rows that refer to it are still worth having.
"""

import sqlite3
from collections.abc import Iterable

from agent.store.rows import Row, Value

_SOURCE = "INSERT INTO sources (id, name, widest_span) VALUES (?, ?, ?)"
_DESTINATION = "INSERT INTO destinations (id, key, name) VALUES (?, ?, ?)"


class Numbers:
    """Maps old numbers to new ones, inserting what is not there yet."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.sources: dict[int, int] = {}  # their old numbers -> their numbers here
        self.destinations: dict[int, int] = {}
        self._connection = connection

    def insert_sources(self, rows: Iterable[Row]) -> None:
        """Rows of the table of that name."""
        for row in rows:
            self.sources.setdefault(row.number, self._source(row.number, *row.values[1:]))

    def insert_destinations(self, rows: Iterable[Row]) -> None:
        """Rows of the table of that name."""
        for row in rows:
            number = self._destination(row.number, *row.values[1:])
            self.destinations.setdefault(row.number, number)

    def insert_names(self, table: str, rows: Iterable[Row]) -> None:
        """Sources or destinations of which only the entry in their index may be left."""
        for row in rows:
            name, number = row.values
            if not isinstance(number, int):
                continue
            if table == "sources" and number not in self.sources:
                self.insert_sources([Row(number, [None, name, 0], True)])
            if table == "destinations" and number not in self.destinations:
                self.insert_destinations([Row(number, [None, name, "(its name was lost)"], True)])

    def source(self, number: Value) -> int:
        """The number here of the source of that old number."""
        assert isinstance(number, int)
        if number not in self.sources:
            self.sources[number] = self._source(number, f"(source {number}, its name was lost)")
        return self.sources[number]

    def destination(self, number: Value) -> int:
        """The number here of the destination of that old number."""
        assert isinstance(number, int)
        if number not in self.destinations:
            key, name = f"lost {number}", f"(destination {number}, its address was lost)"
            self.destinations[number] = self._destination(number, key, name)
        return self.destinations[number]

    def _source(self, number: int, name: Value, widest: Value = 0) -> int:
        query = "SELECT id FROM sources WHERE name = ?"
        if found := self._connection.execute(query, (name,)).fetchone():
            widen = "UPDATE sources SET widest_span = MAX(widest_span, ?) WHERE id = ?"
            self._connection.execute(widen, (widest, found[0]))
            return int(found[0])
        return self._inserted(_SOURCE, "sources", number, name, widest)

    def _destination(self, number: int, key: Value, name: Value) -> int:
        query = "SELECT id FROM destinations WHERE key = ?"
        if found := self._connection.execute(query, (key,)).fetchone():
            return int(found[0])
        return self._inserted(_DESTINATION, "destinations", number, key, name)

    def _inserted(self, insert: str, table: str, number: int, *values: Value) -> int:
        """Insert a row, under its old number where that is free; its number."""
        query = f"SELECT 1 FROM {table} WHERE id = ?"  # noqa: S608  # a name from this module
        taken = self._connection.execute(query, (number,)).fetchone()
        cursor = self._connection.execute(insert, (None if taken else number, *values))
        return int(cursor.lastrowid or 0)
