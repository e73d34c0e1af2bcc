"""What is found where a store is opened?"""

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agent.store import ledger
from agent.store.database import FILE_NAME, open_for_writing, suspect
from agent.store.positions import SavedPosition, dead_letters_ahead, saved_positions
from agent.store.spooling import Found, find_spooled
from agent.store.trouble import is_damage, readable_errors

if TYPE_CHECKING:
    from agent.store.salvage import Salvaged


@dataclass(frozen=True, slots=True)
class Contents:
    """What the store held when it was opened."""

    saved: Mapping[str, SavedPosition]
    ahead: Mapping[str, set[int]]  # lines of dead letters that resuming may meet again
    ledger: Mapping[ledger.LedgerKey, int]
    spooled: int  # records, for whichever destination
    spool: Found | None  # where some destination asked for it


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection that may write, and what there is."""

    connection: sqlite3.Connection
    contents: Contents
    salvaged: "tuple[Salvaged, ...]"  # what was found instead of a store, and what came of it


def open_store(data_dir: Path, spool_for: Sequence[tuple[str, str]], log_pages: int) -> Opened:
    """Open the store in *data_dir*, salvaging what is no readable store into a new one.

    *spool_for* are key and name of each destination whose batches are to be looked for, *log_pages*
    how large the log may grow. Raises StoreError whose text says what to do.
    """
    connection, salvaged = open_for_writing(data_dir, log_pages)
    try:
        return Opened(connection, _look(connection, spool_for), salvaged)
    except sqlite3.Error as error:
        connection.close()
        if not is_damage(error):
            with readable_errors(data_dir / FILE_NAME):
                raise
        suspect(data_dir)
    connection, salvaged_now = open_for_writing(data_dir, log_pages)
    return Opened(connection, _look(connection, spool_for), salvaged + salvaged_now)


def _look(connection: sqlite3.Connection, spool_for: Sequence[tuple[str, str]]) -> Contents:
    saved = saved_positions(connection)
    spooled = connection.execute("SELECT records FROM spool_kept").fetchone()[0]
    spool = find_spooled(connection, spool_for) if spool_for else None
    connection.execute("PRAGMA shrink_memory")  # of pages that are not needed so soon again
    return Contents(
        saved, dead_letters_ahead(connection), ledger.totals(connection), spooled, spool
    )
