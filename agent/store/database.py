"""How is the store's file opened: is it there, is it ours, is it whole, is it up to date?

A file of a newer format is refused untouched; one that cannot be read as a store is set aside,
never deleted.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import StoreCorrupt, StoreError
from agent.store.aside import set_aside, suspicion_of, to_be_salvaged
from agent.store.checking import connect, connect_readonly, identify, refuse_foreign
from agent.store.reserve import Reserve
from agent.store.schema import APPLICATION_ID, MIGRATIONS, PAGE_SIZE
from agent.store.trouble import is_damage, is_full, openable, readable_errors

if TYPE_CHECKING:
    from agent.store.salvage import Salvaged

try:
    import fcntl
except ImportError:  # not on Windows: there, do not start two agents at once for the first time
    fcntl = None  # type: ignore[assignment]

FILE_NAME = "store.db"
CHECKPOINT_PAGES = 512  # 16 MiB of write-ahead log before it is folded into the file


def open_for_writing(
    data_dir: Path, checkpoint_pages: int = CHECKPOINT_PAGES
) -> "tuple[sqlite3.Connection, tuple[Salvaged, ...]]":
    """A connection to the store in *data_dir*, made where there is none; and what was salvaged.

    A file that cannot be read as a store is set aside and its rows are taken over into a new one:
    what came of that is told, also where an earlier start had set it aside and was cut off.

    The write-ahead log is folded into the file whenever it has grown by *checkpoint_pages*.

    Raises StoreFormat where the store is newer than this agent, and StoreError (StoreFull where
    there is no room) where it cannot be opened; the text says what to do. The connection may be
    used from any one thread at a time and is in autocommit mode.
    """
    path = data_dir / FILE_NAME
    with openable(path), readable_errors(path), _alone_in(data_dir):
        try:
            return _open_or_salvage(path, checkpoint_pages)
        except sqlite3.OperationalError as error:
            if not is_full(error):
                raise
        # Even opening takes a little room. What is sent then makes more.
        Reserve(data_dir, 0).give_up()
        return _open_or_salvage(path, checkpoint_pages)


def _open_or_salvage(
    path: Path, checkpoint_pages: int
) -> "tuple[sqlite3.Connection, tuple[Salvaged, ...]]":
    _create(path)
    try:
        refuse_foreign(path)
        connection = _prepare(path, checkpoint_pages)
    except StoreCorrupt:
        set_aside(path)
        _create(path)
        connection = _prepare(path, checkpoint_pages)
    try:
        return connection, _salvage(connection, path)
    except BaseException:
        connection.close()
        raise


def _salvage(connection: sqlite3.Connection, path: Path) -> "tuple[Salvaged, ...]":
    if not (asides := to_be_salvaged(path)):
        return ()
    from agent.store.salvage import salvage  # the reading of damaged files is seldom needed

    return tuple(salvage(connection, aside) for aside in asides)


def open_for_reading(data_dir: Path) -> sqlite3.Connection | None:
    """A connection that cannot write; None where no store was ever made in *data_dir*.

    Raises StoreFormat, StoreCorrupt or StoreError, saying what to do.
    """
    return _open_existing(data_dir / FILE_NAME, connect_readonly)


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
            version = identify(connection, path)
        except BaseException:
            connection.close()
            raise
        if version == 0:
            connection.close()
            return None
        return connection


def file_in(data_dir: Path) -> tuple[int, int] | None:
    """What tells the store's file in *data_dir* from any other; None where there is none."""
    with suppress(OSError):
        found = (data_dir / FILE_NAME).stat()
        return found.st_dev, found.st_ino
    return None


def bytes_on_disk(data_dir: Path) -> int:
    """What the store takes in *data_dir*, its log included."""
    size = 0
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            size += (data_dir / f"{FILE_NAME}{suffix}").stat().st_size
    return size


def suspect(data_dir: Path) -> None:
    """Have the next opening read the whole file, because a part of it could not be."""
    with suppress(OSError):
        suspicion_of(data_dir / FILE_NAME).touch(mode=0o600)


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


def _connect_existing(path: Path) -> sqlite3.Connection:
    return connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)


def _set_up(connection: sqlite3.Connection, checkpoint_pages: int = CHECKPOINT_PAGES) -> None:
    """What a connection that writes must be told each time: the file does not keep it."""
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # Some builds overwrite what is removed: then a removal would be as large as what it removes.
    connection.execute("PRAGMA secure_delete = FAST")
    connection.execute(f"PRAGMA wal_autocheckpoint = {checkpoint_pages}")


def _prepare(path: Path, checkpoint_pages: int) -> sqlite3.Connection:
    """Open, set up and migrate; raises StoreCorrupt where the file turns out to be damaged."""
    connection = connect(str(path))
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
