"""Is a file a store of ours, whole, and of a format we know? Told without writing to it."""

import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from agent.errors import StoreCorrupt, StoreError, StoreFormat
from agent.store import wal
from agent.store.aside import suspicion_of
from agent.store.ledger import AGE
from agent.store.pages import OnDisk, log_of
from agent.store.schema import APPLICATION_ID, FORMAT, PAGE_SIZE
from agent.store.trouble import is_damage, kind_of
from agent.store.where import teach

BUSY_TIMEOUT = 10.0  # seconds to wait while another process writes
_CHECKED_BYTES = 32 << 20  # up to this size a file is read as a whole after a crash
_OURS = "SELECT COUNT(*) FROM sqlite_master WHERE name IN ('dead_letter_records', 'receipt_spans')"
_AGE = "SELECT SUM(records) FROM ledger WHERE entry IN (?, ?)"
_MAGIC = b"SQLite format 3\0"


def refuse_foreign(path: Path) -> None:
    """Look at the file without writing to it; raise where it is not for us to write to.

    Closing a file drops the locks that this process holds on it: this must come before anything
    else here opens the same store.
    """
    size = path.stat().st_size
    if not size:
        return
    with path.open("rb") as file:
        header = file.read(100)
    if not header.startswith(_MAGIC) or _is_cut(header, size, path):
        raise StoreCorrupt(f"{path} is not a store, or only a part of one")
    # Without a log nobody is writing: then not even the empty log of a reader is left behind.
    has_log = _has_log(path)
    connection = connect_readonly(path, immutable=not has_log)
    try:
        identify(connection, path)
        if has_log:
            _check_log(connection, path)
        if suspicion_of(path).exists():
            _check(connection, path, "integrity_check")
            suspicion_of(path).unlink()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise StoreCorrupt(f"{path} is damaged: {error}") from error
        if kind_of(error) != sqlite3.SQLITE_READONLY:
            raise
        # A crash while the file was being made left a journal that only a writer can roll back.
    finally:
        connection.close()


def _check(connection: sqlite3.Connection, path: Path, pragma: str) -> None:
    if (verdict := connection.execute(f"PRAGMA {pragma}(1)").fetchone()[0]) != "ok":
        raise StoreCorrupt(f"{path} is damaged: {verdict}")


def _check_log(connection: sqlite3.Connection, path: Path) -> None:
    """Whether file and log, perhaps left so by a crash, belong together and are whole."""
    connection.execute("BEGIN")  # while this reads, no other process takes pages out of the log
    pages: int = connection.execute("PRAGMA page_count").fetchone()[0]
    with closing(OnDisk(log_of(path))) as log:
        frames = wal.frames_of(log)
        logged = {frame.page for frame in frames}
        size = path.stat().st_size
        if any(number not in logged for number in range(size // PAGE_SIZE + 1, pages + 1)):
            raise StoreCorrupt(f"{path} is cut short")
        with closing(connect_readonly(path, immutable=True)) as alone:  # without the log
            is_older = _age(alone) > _age(connection)
        if is_older:
            raise StoreCorrupt(f"{log_of(path)} is older than {path}")
        if size <= _CHECKED_BYTES:
            _check(connection, path, "quick_check")
        index = b""
        with suppress(OSError):  # last, for closing it again drops our lock of the log
            index = path.with_name(path.name + "-shm").read_bytes()
        if wal.hides_commits(log, frames, index):
            raise StoreCorrupt(f"{log_of(path)} is damaged: what follows in it was durable")


def _age(connection: sqlite3.Connection) -> int:
    """A number of the ledger that only ever grows; 0 where it cannot be told."""
    with suppress(sqlite3.DatabaseError):
        row = connection.execute(_AGE, AGE).fetchone()
        return int(row[0] or 0)
    return 0


def _is_cut(header: bytes, size: int, path: Path) -> bool:
    """Whether the file is shorter than it says, and no log is there to complete it.

    SQLite itself does not mind when only a part of the last page is missing.
    """
    if _has_log(path):
        return False
    page_size = int.from_bytes(header[16:18], "big")
    page_size = 65536 if page_size == 1 else page_size
    return len(header) < 100 or size < page_size * int.from_bytes(header[28:32], "big")


def _has_log(path: Path) -> bool:
    """Whether there are writes that are not in the file itself yet."""
    with suppress(FileNotFoundError):
        return path.with_name(path.name + "-wal").stat().st_size > 0
    return False


def identify(connection: sqlite3.Connection, path: Path) -> int:
    """The format of an open store; raises where it is newer, or is no store of ours."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and connection.execute(_OURS).fetchone()[0] == 2:
        raise StoreCorrupt(f"{path} is damaged: it does not say what it is")
    if tables and application != APPLICATION_ID:
        raise StoreError(
            f"{path} is a database of another program; choose another directory with --data-dir or"
            " AEP_AGENT_DATA_DIR"
        )
    if version > FORMAT:
        raise StoreFormat(
            f"{path} was written by a newer agent (format {version}, this agent reads up to"
            f" {FORMAT}); install that version again, or choose another directory with --data-dir"
            " or AEP_AGENT_DATA_DIR. The store was not touched"
        )
    return version


def connect(target: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        target, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, uri=uri
    )
    teach(connection)
    return connection


def connect_readonly(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    return connect(f"{path.absolute().as_uri()}?mode=ro&immutable={immutable:d}", uri=True)
