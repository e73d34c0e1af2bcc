"""What does an error of the database mean, and what is to be done about it?"""

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from agent.errors import StoreCorrupt, StoreError, StoreFull

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
# A full file system may show first as an error of writing to the log.
_NO_ROOM = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_LITTLE_ROOM = 1 << 20  # bytes: with less, an error of writing is for want of room
GONE = (
    "its file was removed or replaced while in use, and what it holds ends with this process: put"
    " it back, or let what is held be sent, and start the agent again; until then reading waits"
)
NO_ROOM = "no room is left; free space on its disk"
_HINTS = {
    sqlite3.SQLITE_FULL: NO_ROOM,
    sqlite3.SQLITE_BUSY: "another process keeps it locked; wait for it, or stop it",
    sqlite3.SQLITE_LOCKED: "it is locked; stop what else uses it",
    sqlite3.SQLITE_PROTOCOL: "it is locked; stop what else uses it",
    sqlite3.SQLITE_READONLY: "it is read-only; make the file and its directory writable",
    sqlite3.SQLITE_PERM: "it is not permitted; make the file and its directory writable",
    sqlite3.SQLITE_CANTOPEN: "it cannot be opened; check that its directory is there and writable",
    sqlite3.SQLITE_IOERR: "its disk reports an error; check the disk and the system's log",
}


def is_damage(error: BaseException) -> bool:
    """Whether *error* means that the file is no readable database, or no longer one."""
    return isinstance(error, sqlite3.DatabaseError) and kind_of(error) in _DAMAGED


def is_refusal(error: BaseException) -> bool:
    """Whether *error* is the system's, so that the same write may succeed later."""
    return isinstance(error, sqlite3.OperationalError) and kind_of(error) in _HINTS


def is_full(error: BaseException) -> bool:
    """Whether *error* means that there is no room left, so that removing something would help."""
    if isinstance(error, StoreFull):
        return True
    return isinstance(error, sqlite3.OperationalError) and kind_of(error) in _NO_ROOM


def why(error: BaseException) -> str:
    """What went wrong and what to do, in words for an operator."""
    hint = _HINTS.get(kind_of(error))
    return f"{hint} ({error})" if hint else str(error)


def kind_of(error: BaseException) -> int:
    """SQLite's primary result code; SQLITE_ERROR for what is no error of the library."""
    # The bytes above the lowest only refine the kind.
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


@contextmanager
def readable_errors(path: Path) -> Iterator[None]:
    """Turn what sqlite3 raises inside into a StoreError that says what to do about the file."""
    try:
        yield
    except sqlite3.Error as error:
        text = f"cannot use the store {path}: {why(error)}"
        if is_damage(error):
            raise StoreCorrupt(
                f"{text}; the agent sets the file aside when it next starts, and"
                f" `sqlite3 {path} .recover` may still read parts of it"
            ) from error
        if kind_of(error) == sqlite3.SQLITE_FULL:
            raise StoreFull(text) from error
        if is_full(error) and _is_on_full_disk(path):
            text = f"cannot use the store {path}: {_HINTS[sqlite3.SQLITE_FULL]} ({error})"
            raise StoreFull(text) from error
        raise StoreError(text) from error


def _is_on_full_disk(path: Path) -> bool:
    with suppress(OSError):
        return shutil.disk_usage(path.parent).free < _LITTLE_ROOM
    return False


@contextmanager
def openable(path: Path) -> Iterator[None]:
    """Turn what the system raises while the file is opened into a StoreError."""
    try:
        yield
    except OSError as error:
        text = f"cannot open the store {path}: {(error.strerror or str(error)).lower()}"
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFull(f"{text}; free space on its disk") from error
        if error.errno == errno.EROFS:
            step = "mount it for writing (systemd: StateDirectory=; Kubernetes: a volume)"
        else:
            step = "give this user access to that directory"
        raise StoreError(
            f"{text}; {step}, or choose another one with --data-dir or AEP_AGENT_DATA_DIR"
        ) from error
