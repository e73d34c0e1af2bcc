"""Under which number does the store know a source, and how are names and times written down?"""

import sqlite3

_REMEMBERED = 10_000
_KEEP = """INSERT INTO sources (name, widest_span) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET widest_span = MAX(widest_span, excluded.widest_span)
    RETURNING id, widest_span"""


def storable(text: str) -> str:
    """The text, with what UTF-8 cannot hold (as in odd file names) written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode()


def milliseconds(seconds: float) -> int:
    """Whole milliseconds since 1970 for wall clock seconds since 1970."""
    return round(seconds * 1000)


def source_names(connection: sqlite3.Connection) -> list[str]:
    """The names of all sources that the store knows."""
    return [name for (name,) in connection.execute("SELECT name FROM sources")]


class SourceIds:
    """Remembers the numbers of sources. Belongs to one connection."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, int]] = {}  # name -> id, widest span

    def of(self, connection: sqlite3.Connection, name: str, span_records: int = 0) -> int:
        """The number of the source, given to it now if it has none; and how wide its spans are."""
        known = self._known.get(name)
        if known and span_records <= known[1]:
            return known[0]
        row: tuple[int, int] = connection.execute(_KEEP, (storable(name), span_records)).fetchone()
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[name] = row
        return row[0]

    def forget(self) -> None:
        """Forget all: those that a transaction gave do not exist once it was rolled back."""
        self._known.clear()
