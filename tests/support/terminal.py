"""A terminal with a program in it, as a person has it: keys go in, what is shown comes out."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence

from support.agent import LIMIT


class Terminal:
    """Runs a program in a pseudo-terminal; killed where it is still there at the end."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        *,
        columns: int = 100,
        rows: int = 40,
    ) -> None:
        self._controlling, terminal = pty.openpty()
        self.shown = b""
        self.resize(columns, rows)
        self.process = subprocess.Popen(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            env={**os.environ, "TERM": "xterm-256color", **(environment or {})},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0) and None,
        )
        os.close(terminal)

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._controlling)

    def resize(self, columns: int, rows: int) -> None:
        """Make the window so large; the program is told by SIGWINCH."""
        fcntl.ioctl(self._controlling, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        """Press these keys."""
        os.write(self._controlling, keys.encode())

    def until(self, words: str, *, seconds: float = LIMIT) -> str:
        """Everything shown since the last time, up to and including these words."""
        begun = time.monotonic()
        while words.encode() not in self.shown:
            left = begun + seconds - time.monotonic()
            assert left > 0, (
                f"{words!r} was not shown: {self.shown[-4000:].decode(errors='replace')}"
            )
            if not select.select([self._controlling], [], [], min(left, 0.2))[0]:
                continue
            try:
                self.shown += os.read(self._controlling, 65536)
            except OSError:  # the program has ended, and with it the terminal
                assert words.encode() in self.shown, f"{words!r} was not shown before the end"
        before, found, self.shown = self.shown.partition(words.encode())
        return (before + found).decode(errors="replace")

    def interrupt(self) -> None:
        """Press Ctrl-C, which the terminal makes a signal of."""
        self.type("\x03")

    def ended(self) -> int:
        """Its exit code; what it still shows is read meanwhile, for nobody else does."""
        begun = time.monotonic()
        while self.process.poll() is None and time.monotonic() < begun + LIMIT:
            if select.select([self._controlling], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self._controlling, 65536)
                except OSError:
                    break
        return self.process.wait(timeout=LIMIT)

    def signal(self, number: signal.Signals) -> None:
        """Send the program a signal."""
        self.process.send_signal(number)
