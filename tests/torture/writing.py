"""How do lines get into the agent, by every door that is not a file? By a thread for each."""

import http.client
import os
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import IO

_BLOCKS = (1, 3, 10, 100)  # lines written at once
_PAUSES = (0.0, 0.001, 0.01)
_NDJSON = {"Content-Type": "application/x-ndjson"}
_TRY_AGAIN = 0.02  # seconds
_ANSWERED_WITHIN = 20.0  # seconds


class Writer(ABC):
    """Writes lines in order until all are written, or its agent has ended."""

    def __init__(self, lines: Sequence[bytes], seed: str) -> None:
        self.written = 0  # lines, some of them perhaps only in part
        self.answered = 0  # lines
        self._lines = lines
        self._dice = Random(seed)
        self._ended = threading.Event()
        self._close = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def finish(self) -> None:
        """There will be no more lines than those it was made with."""
        self._close.set()

    def end(self) -> None:
        """The agent has ended."""
        self._ended.set()
        self._close.set()
        self._thread.join()

    @abstractmethod
    def _open(self) -> None:
        """Get to the agent. Raises OSError while it does not listen."""

    @abstractmethod
    def _put(self, block: bytes) -> bool:
        """Write it; whether it was answered. Raises OSError where the agent has gone."""

    @abstractmethod
    def _shut(self) -> None:
        """Let go."""

    def _run(self) -> None:
        if not self._opened():
            return
        with suppress(OSError, http.client.HTTPException):
            self._write()
            self._close.wait()
        with suppress(OSError):
            self._shut()

    def _opened(self) -> bool:
        while not self._ended.is_set():
            try:
                self._open()
                return True
            except OSError:
                time.sleep(_TRY_AGAIN)
        return False

    def _write(self) -> None:
        while self.written < len(self._lines) and not self._ended.is_set():
            block = self._lines[self.written : self.written + self._dice.choice(_BLOCKS)]
            self.written += len(block)  # whatever becomes of the rest, some may be read
            if self._put(b"".join(line + b"\n" for line in block)):
                self.answered = self.written
            time.sleep(self._dice.choice(_PAUSES))


class PipeWriter(Writer):
    """Writes into the agent's standard input."""

    def __init__(self, lines: Sequence[bytes], seed: str, pipe: IO[bytes]) -> None:
        super().__init__(lines, seed)
        self._pipe = pipe

    def _open(self) -> None:
        pass

    def _put(self, block: bytes) -> bool:
        os.write(self._pipe.fileno(), block)
        return False

    def _shut(self) -> None:
        self._pipe.close()


class ConnectionWriter(Writer):
    """Writes into a TCP or Unix connection."""

    def __init__(self, lines: Sequence[bytes], seed: str, address: int | Path) -> None:
        """*address*: a port of this machine, or a socket's path."""
        super().__init__(lines, seed)
        self._address = address

    def _open(self) -> None:
        if not self._lines:
            return
        is_unix = isinstance(self._address, Path)
        self._socket = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
        self._socket.settimeout(_ANSWERED_WITHIN)
        try:
            self._socket.connect(str(self._address) if is_unix else ("127.0.0.1", self._address))
        except OSError:
            self._socket.close()
            raise

    def _put(self, block: bytes) -> bool:
        self._socket.sendall(block)
        return False

    def _shut(self) -> None:
        if self._lines:
            self._socket.close()


class Poster(Writer):
    """Posts blocks of lines, one after the other; what is not answered is posted again."""

    def __init__(self, lines: Sequence[bytes], seed: str, port: int) -> None:
        super().__init__(lines, seed)
        self._port = port

    def _open(self) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", self._port, timeout=_ANSWERED_WITHIN
        )
        self._connection.connect()

    def _put(self, block: bytes) -> bool:
        while not self._ended.is_set():
            self._connection.request("POST", "/", block, _NDJSON)
            answer = self._connection.getresponse()
            answer.read()
            if answer.status not in (429, 503):
                assert answer.status == 200, answer.status
                return True
            time.sleep(_TRY_AGAIN)
        raise ConnectionError("the agent has ended")

    def _shut(self) -> None:
        self._connection.close()
