"""Who may use this data directory? One agent at a time; a second one is told who was first."""

import errno
import os
from contextlib import suppress
from pathlib import Path

from agent.errors import StoreLocked
from agent.store.trouble import openable
from agent.telemetry.logs import get_logger

try:
    import fcntl
except ImportError:  # not on Windows: there, nothing keeps two agents apart
    fcntl = None  # type: ignore[assignment]

FILE_NAME = "agent.lock"
_TAKEN = {errno.EWOULDBLOCK, errno.EACCES, errno.EAGAIN}
_PID_DIGITS = 20  # more than any pid has

log = get_logger("store")


class Lock:
    """A directory that is ours until `close`, or until this process ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    def close(self) -> None:
        """Let others have it. The file stays: removing it could take it from a third agent."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def take(data_dir: Path) -> Lock:
    """Make *data_dir* ours, and the directory if need be; see `hold`."""
    return hold(
        data_dir / FILE_NAME,
        f"uses {data_dir}; stop it, or choose another directory with --data-dir or"
        " AEP_AGENT_DATA_DIR",
    )


def hold(path: Path, does: str) -> Lock:
    """Make the file at *path* ours, and what stands beside it; *does* is what another does with it.

    Raises StoreLocked where another agent has it, StoreError where it cannot be written. A file
    system without locks is warned about, and nothing more.
    """
    with openable(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(descriptor, path.parent, does)
    except BaseException:
        os.close(descriptor)
        raise
    with suppress(OSError):  # only the message to a second agent needs it; the disk may be full
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, b"%d\n" % os.getpid(), 0)
    return Lock(descriptor)


def _lock(descriptor: int, data_dir: Path, does: str) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in _TAKEN:
            raise StoreLocked(f"another aep-agent{_owner(descriptor)} {does}") from None
        log.warning(
            "this file system cannot lock files: make sure that no other agent uses the directory",
            data_dir=str(data_dir),
            reason=error.strerror,
        )


def _owner(descriptor: int) -> str:
    """Who has it, where that is known yet."""
    with suppress(OSError):
        written = os.pread(descriptor, _PID_DIGITS, 0).strip()
        if written.isdigit():
            return f" (pid {int(written)})"
    return ""
