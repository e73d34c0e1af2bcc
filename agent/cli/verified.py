"""How far is it, while somebody waits for batches to be verified?"""

import sqlite3
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.store.verifying import Verdict

_EVERY = 1.0  # seconds
_STEPS = 1_000_000  # of SQLite's machine between two looks at the clock


def verified(connection: sqlite3.Connection, total: int) -> "Iterator[Verdict]":
    """A verdict on each batch; a terminal sees how many of *total* are done."""
    from agent.store.verifying import verify

    shown = time.monotonic()
    for number, verdict in enumerate(verify(connection), 1):
        yield verdict
        if sys.stderr.isatty() and time.monotonic() - shown > _EVERY:
            shown = time.monotonic()
            _show(f"{number:,} of {total:,} batches verified")
    _show("")


def file_problems(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with the file as such; a terminal sees that it is at work."""
    started = time.monotonic()

    def at_work() -> int:
        if time.monotonic() - started > _EVERY:
            _show(f"checking the file, {time.monotonic() - started:.0f} s so far")
        return 0

    connection.set_progress_handler(at_work, _STEPS)
    try:
        rows = connection.execute("PRAGMA quick_check").fetchall()
    finally:
        connection.set_progress_handler(None, _STEPS)
        _show("")
    return [words for (words,) in rows if words != "ok"]


def _show(words: str) -> None:
    """Words in the place of those before them, for people only."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{words}", end="", file=sys.stderr, flush=True)
