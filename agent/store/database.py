"""How is the store's file opened: is it there, is it ours, is it whole, is it up to date?

A file of a newer format is refused untouched; one that cannot be read as a store is set aside,
never deleted.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from agent.errors import StoreCorrupt, StoreError, StoreFormat
from agent.store.schema import APPLICATION_ID, FORMAT, MIGRATIONS, PAGE_SIZE
from agent.store.trouble import is_damage, kind_of, openable, readable_errors

try:
    import fcntl
except ImportError:  # not on Windows: there, do not start two agents at once for the first time
    fcntl = None  # type: ignore[assignment]

FILE_NAME = "store.db"
BUSY_TIMEOUT = 10.0  # seconds to wait while another process writes
CHECKPOINT_PAGES = 512  # 16 MiB of write-ahead log before it is folded into the file
_MAGIC = b"SQLite format 3\0"


def open_for_writing(
    data_dir: Path, checkpoint_pages: int = CHECKPOINT_PAGES
) -> tuple[sqlite3.Connection, Path | None]:
    """A connection to the store in *data_dir*, made where there is none; and the file set aside.

    The write-ahead log is folded into the file whenever it has grown by *checkpoint_pages*.

    Raises StoreFormat where the store is newer than this agent, and StoreError (StoreFull where
    there is no room) where it cannot be opened; the text says what to do. The connection may be
    used from any one thread at a time and is in autocommit mode.
    """
    path = data_dir / FILE_NAME
    with openable(path), readable_errors(path), _alone_in(data_dir):
        _create(path)
        try:
            _refuse_foreign(path)
            return _prepare(path, checkpoint_pages), None
        except StoreCorrupt:
            aside = _set_aside(path)
        _create(path)
        return _prepare(path, checkpoint_pages), aside


def open_for_reading(data_dir: Path) -> sqlite3.Connection | None:
    """A connection that cannot write; None where no store was ever made in *data_dir*.

    Raises StoreFormat, StoreCorrupt or StoreError, saying what to do.
    """
    return _open_existing(data_dir / FILE_NAME, _connect_readonly)


def open_for_removing(data_dir: Path) -> sqlite3.Connection | None:
    """A connection that can write; None where no store was ever made in *data_dir*.

    Unlike `open_for_writing` it never makes a store and sets none aside: that is the agent's.
    Raises StoreFormat, StoreCorrupt or StoreError, saying what to do.
    """
    connection = _open_existing(data_dir / FILE_NAME, _connect_existing)
    if connection is not None:
        _set_up(connection)
    return connection


def _open_existing(
    path: Path, connect: Callable[[Path], sqlite3.Connection]
) -> sqlite3.Connection | None:
    with openable(path), readable_errors(path):
        if not path.exists():
            return None
        connection = connect(path)
        try:
            version = _identify(connection, path)
        except BaseException:
            connection.close()
            raise
        if version == 0:
            connection.close()
            return None
        return connection


def suspect(data_dir: Path) -> None:
    """Have the next opening read the whole file, because a part of it could not be."""
    with suppress(OSError):
        _suspicion(data_dir / FILE_NAME).touch(mode=0o600)


@contextmanager
def _alone_in(data_dir: Path) -> Iterator[None]:
    """Hold off other processes that open the store meanwhile: only one may set a file aside."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory = os.open(data_dir, os.O_RDONLY)
    try:
        if fcntl is not None:
            with suppress(OSError):  # some network file systems cannot lock a directory
                fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)


def _create(path: Path) -> None:
    """Make the file, for its owner only: SQLite gives its log the same permissions."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        os.close(os.open(path, os.O_RDWR))
        return
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # or a power cut could take the file with all that was durable in it
    finally:
        os.close(directory)


def _refuse_foreign(path: Path) -> None:
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
    connection = _connect_readonly(path, immutable=not _has_log(path))
    try:
        _identify(connection, path)
        if _suspicion(path).exists():
            if (verdict := connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
                raise StoreCorrupt(f"{path} is damaged: {verdict}")
            _suspicion(path).unlink()
    except sqlite3.DatabaseError as error:
        if is_damage(error):
            raise StoreCorrupt(f"{path} is damaged: {error}") from error
        if kind_of(error) != sqlite3.SQLITE_READONLY:
            raise
        # A crash while the file was being made left a journal that only a writer can roll back.
    finally:
        connection.close()


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


def _identify(connection: sqlite3.Connection, path: Path) -> int:
    """The format of an open store; raises where it is newer, or is no store of ours."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    application: int = connection.execute("PRAGMA application_id").fetchone()[0]
    tables: int = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0]
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


def _connect(target: str, *, uri: bool = False) -> sqlite3.Connection:
    return sqlite3.connect(
        target, timeout=BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, uri=uri
    )


def _connect_readonly(path: Path, *, immutable: bool = False) -> sqlite3.Connection:
    return _connect(f"{path.absolute().as_uri()}?mode=ro&immutable={immutable:d}", uri=True)


def _connect_existing(path: Path) -> sqlite3.Connection:
    return _connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)


def _set_up(connection: sqlite3.Connection, checkpoint_pages: int = CHECKPOINT_PAGES) -> None:
    """What a connection that writes must be told each time: the file does not keep it."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")


def _prepare(path: Path, checkpoint_pages: int) -> sqlite3.Connection:
    """Open, set up and migrate; raises StoreCorrupt where the file turns out to be damaged."""
    connection = _connect(str(path))
    try:
        # Neither can be changed once there are tables: free pages can be given back later.
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreError(
                f"the file system of {path} cannot hold the store (journal mode {mode}); choose a"
                " directory on a local disk with --data-dir or AEP_AGENT_DATA_DIR"
            )
        _set_up(connection, checkpoint_pages)
        _migrate(connection)
    except BaseException as error:
        connection.close()
        if is_damage(error):
            raise StoreCorrupt(f"{path} is damaged: {error}") from error
        raise
    return connection


def _migrate(connection: sqlite3.Connection) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    for number, statements in enumerate(MIGRATIONS[version:], version + 1):
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {number}")
        connection.execute("COMMIT")


def _set_aside(path: Path) -> Path:
    """Rename the file and what belongs to it; the new name of the file."""
    stem = f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    aside = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    _suspicion(path).unlink(missing_ok=True)
    return aside


def _suspicion(path: Path) -> Path:
    return path.with_name(path.name + ".suspect")
