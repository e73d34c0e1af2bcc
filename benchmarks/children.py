"""What did a child cost? CPU, wall time and peak memory of one program, as the kernel counted them.

Linux only: a child's end is waited for through its pidfd, so that it is never missed by a poll.
"""

import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

ROOT = Path(__file__).resolve().parent.parent
_KIBIBYTE = 1024  # ru_maxrss counts these
_GRACE = 5.0  # seconds between asking a child to stop and ending it


class BenchmarkError(Exception):
    """A run did not do what it measures, so its numbers would be wrong."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A child that ended: its exit code, what it used, and what it wrote."""

    exit_code: int
    cpu_seconds: float  # user and system, with its own children that it waited for
    wall_seconds: float
    peak_rss: int  # bytes; the kernel never says less than the peak of who started the child
    stdout: bytes
    stderr: bytes


def _environment() -> dict[str, str]:
    """This environment with the checkout importable, without what would change the measured.

    The agent's variables would configure it, and Python's own (no bytecode cache, development
    mode) would slow it down as no user sees it.
    """
    ours = {n: v for n, v in os.environ.items() if not n.startswith(("AEP_", "PYTHON"))}
    paths = (str(ROOT), os.environ.get("PYTHONPATH"))
    return ours | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}


class Child:
    """A running program; its output goes to memory files, so that it never waits for a reader.

    A context manager: leaving it stops the child if it still runs.
    """

    def __init__(
        self, command: Sequence[str], *, stdin: int | None = None, stdout: int | None = None
    ) -> None:
        """Start `command`, which inherits the descriptors given (default stdin: end of file)."""
        self.command = list(command)
        self._stdout = os.memfd_create("stdout")
        self._stderr = os.memfd_create("stderr")
        self.started_ns = time.monotonic_ns()
        self._running = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=self._stdout if stdout is None else stdout,
            stderr=self._stderr,
            env=_environment(),
        )
        self.pid = self._running.pid
        self._ending = os.pidfd_open(self.pid)
        self._finished: Finished | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        os.close(self._stdout)
        os.close(self._stderr)

    def output(self) -> bytes:
        """What it has written to stdout so far."""
        return _whole(self._stdout)

    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._finished is None and not self._ended_within(0)

    def wait(self, timeout: float) -> Finished:
        """Wait until it ends; raises BenchmarkError if it takes more than `timeout` seconds."""
        if self._finished is None:
            if not self._ended_within(timeout):
                tail = _whole(self._stderr)[-2000:].decode(errors="replace")
                self.stop()
                raise BenchmarkError(f"{self} did not end within {timeout:g} s: {tail}")
            self._finished = self._reap()
        return self._finished

    def expect(self, timeout: float) -> Finished:
        """Wait until it ends; raises BenchmarkError unless its exit code is 0."""
        finished = self.wait(timeout)
        if finished.exit_code != 0:
            tail = finished.stderr[-2000:].decode(errors="replace")
            raise BenchmarkError(f"{self} ended with {finished.exit_code}: {tail}")
        return finished

    def stop(self) -> None:
        """Ask it to stop, and end it if it does not; nothing if it ended before."""
        if self._finished is not None:
            return
        # Not Popen.terminate: it would reap the child, and with it what the child used.
        signal.pidfd_send_signal(self._ending, signal.SIGTERM)
        if not self._ended_within(_GRACE):
            signal.pidfd_send_signal(self._ending, signal.SIGKILL)
            self._ended_within(_GRACE)
        self._finished = self._reap()

    def _ended_within(self, timeout: float) -> bool:
        return bool(select.select([self._ending], [], [], timeout)[0])

    def _reap(self) -> Finished:
        wall = (time.monotonic_ns() - self.started_ns) / 1e9
        _, status, used = os.wait4(self.pid, 0)
        os.close(self._ending)
        # Popen did not see the end itself: told the code, it does not wait for another one.
        self._running.returncode = os.waitstatus_to_exitcode(status)
        return Finished(
            exit_code=self._running.returncode,
            cpu_seconds=used.ru_utime + used.ru_stime,
            wall_seconds=wall,
            peak_rss=used.ru_maxrss * _KIBIBYTE,
            stdout=_whole(self._stdout),
            stderr=_whole(self._stderr),
        )

    def __str__(self) -> str:
        return " ".join(self.command)


def _whole(descriptor: int) -> bytes:
    """The whole of a file another program appends to, without moving the offset it shares."""
    return os.pread(descriptor, os.fstat(descriptor).st_size, 0)
