"""How does one life of the agent go: started, fed, looked at, ended?"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import IO, Any, Self

from torture.configuring import environment
from torture.points import POINTS
from torture.script import Ending

_LOOK_EVERY = 0.1  # seconds
_HUNG = 20.0  # seconds after which an agent that was told to stop counts as hung
_BLOCKS = (1, 3, 10, 100)  # lines written to the pipe at once
_PAUSES = (0.0, 0.001, 0.01)


class Running:
    """A process of the agent, its pipe fed by one thread and its status watched by another.

    A context manager: leaving it kills what is left.
    """

    def __init__(
        self,
        config: Path,
        admin_port: int,
        log: IO[bytes],
        lines: Sequence[bytes],
        seed: str,
        plan: dict[str, Any],
    ) -> None:
        self.safe_line = 1  # of the pipe: the line from which on nothing is safe yet, as told
        self.answers = False  # whoever asks how it is
        self.written = 0  # lines of the pipe
        self.was_killed = False  # by us, not by its own bomb
        self._port = admin_port
        self._lines = lines
        self._dice = Random(seed)
        self._ended = threading.Event()
        self._close_pipe = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "torture.crashing", json.dumps(plan), "run", str(config)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment(),
        )
        self._threads = [threading.Thread(target=each) for each in (self._feed, self._look)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.was_killed = True
            self.process.kill()
        self.process.wait()
        self._ended.set()
        self._close_pipe.set()
        for thread in self._threads:
            thread.join()

    def end(self, ending: Ending) -> int:
        """Let it live as long as it may, then end it; its exit code, negative for a signal."""
        code = self._wait(ending.seconds)
        if code is None and "freeze" in ending.kind:
            self.process.send_signal(signal.SIGSTOP)
            time.sleep(self._dice.uniform(0.1, 1.5))
            self.process.send_signal(signal.SIGCONT)
            code = self._wait(self._dice.uniform(0.0, 0.3))
        stops = "stop" in ending.kind or any(POINTS[name].stops for name, _, _ in ending.points)
        if code is None and stops:
            code = self._stop(ending.kind)
        if code is None:
            self.was_killed = True
            self.process.kill()
        return self.process.wait()

    def close_pipe(self) -> None:
        """There will be no more lines than those it was made with."""
        self._close_pipe.set()

    def finished(self, patience: float) -> int | None:
        """Wait for it to end by itself; None where it does not."""
        return self._wait(patience)

    def left_over(self) -> bool:
        """Whether a process that it started is still there."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 0)
            return True
        return False

    def _stop(self, kind: str) -> int | None:
        self.process.terminate()
        if kind == "stop, then kill":
            return self._wait(self._dice.uniform(0.0, 0.3))
        if kind == "stop twice":
            if (code := self._wait(self._dice.uniform(0.0, 0.3))) is not None:
                return code
            self.process.terminate()
        return self._wait(_HUNG)

    def _wait(self, seconds: float) -> int | None:
        with suppress(subprocess.TimeoutExpired):
            return self.process.wait(seconds)
        return None

    def _feed(self) -> None:
        pipe = self.process.stdin
        assert pipe
        with suppress(BrokenPipeError):
            while self.written < len(self._lines) and not self._ended.is_set():
                count = self._dice.choice(_BLOCKS)
                block = self._lines[self.written : self.written + count]
                self.written += len(block)  # whatever becomes of the rest, some may be read
                os.write(pipe.fileno(), b"".join(line + b"\n" for line in block))
                time.sleep(self._dice.choice(_PAUSES))
        self._close_pipe.wait()
        with suppress(BrokenPipeError):
            pipe.close()

    def _look(self) -> None:
        """Ask the agent how much of the pipe is safe, as a careful upstream would."""
        while not self._ended.wait(_LOOK_EVERY):
            with suppress(OSError, http.client.HTTPException, ValueError):
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=1)
                try:
                    connection.request("GET", "/status")
                    said = json.loads(connection.getresponse().read())
                finally:
                    connection.close()
                self.safe_line = said["safe_positions"].get("stdin", {"line": 1})["line"]
                self.answers = True
