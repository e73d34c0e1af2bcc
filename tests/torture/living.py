"""How does one life of the agent go: started, fed, looked at, ended?"""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from types import TracebackType
from typing import IO, Any, Self

from torture.configuring import Doors, environment
from torture.feeding import Upstream
from torture.points import POINTS
from torture.script import Ending
from torture.writing import ConnectionWriter, PipeWriter, Poster, Writer

_ENDS_AFTER = 2.0  # seconds
_LOOK_EVERY = 0.1  # seconds
_HUNG = 20.0  # seconds after which an agent that was told to stop counts as hung


class Running:
    """A process of the agent, each door fed by one thread and its status watched by another.

    A context manager: leaving it kills what is left.
    """

    def __init__(
        self,
        config: Path,
        doors: Doors,
        log: IO[bytes],
        upstream: Upstream,
        seed: str,
        plan: dict[str, Any],
    ) -> None:
        self.answers = False  # whoever asks how it is
        self.safe_lines: dict[str, int] = {}  # by source: from which line on nothing is safe yet
        self.held: int | None = None  # records, as it said last
        self.was_killed = False  # by us, not by its own bomb
        self._port = doors.admin
        self._dice = Random(seed)
        self._ended = threading.Event()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "torture.crashing", json.dumps(plan), "run", str(config)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env=environment(),
        )
        assert self.process.stdin
        lines = {stream.name: list(stream.pending) for stream in upstream.streams}
        self.writers: dict[str, Writer] = {
            "stdin": PipeWriter(lines["stdin"], seed, self.process.stdin),
            "tcp": ConnectionWriter(lines["tcp"], seed, doors.tcp),
            "unix": ConnectionWriter(lines["unix"], seed, doors.unix),
            "http": Poster(lines["http"], seed, doors.http),
        }
        for writer in self.writers.values():
            writer.start()
        self._looking = threading.Thread(target=self._look)
        self._looking.start()

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
        self._looking.join()
        for writer in self.writers.values():
            writer.end()

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

    def finish_writing(self) -> None:
        """There will be no more lines than those it was made with."""
        for writer in self.writers.values():
            writer.finish()

    def finished(self, patience: float, is_done: Callable[["Running"], bool]) -> int | None:
        """Stop it once it is done, or has ended by itself; None where neither comes about."""
        deadline = time.monotonic() + patience
        while self.process.poll() is None and not is_done(self):
            if time.monotonic() > deadline:
                return None
            time.sleep(_LOOK_EVERY)
        with suppress(ProcessLookupError):
            self.process.terminate()
        return self._wait(_HUNG)

    def left_over(self) -> bool:
        """Whether a process that it started stays: what reads its configuration ends after it."""
        deadline = time.monotonic() + _ENDS_AFTER
        with suppress(ProcessLookupError):
            while time.monotonic() < deadline:
                os.killpg(self.process.pid, 0)
                time.sleep(_LOOK_EVERY)
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
                self.answers = True
                self.held = said["held"]
                places = said["safe_positions"].items()
                self.safe_lines = {name: place["line"] for name, place in places}
