"""How is a configuration read without what reads it staying in memory? In a process of its own.

What reads it is a fifth of an idle agent and needed for an instant. Meanwhile this process may load
what it needs itself. Where no process can be had, the configuration is read right here.
"""

import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError, ConfigUnread

if TYPE_CHECKING:
    from agent.config.model import Config

# It imports from where this process does, wherever it was started and whatever lies there.
_START = "import sys, json; sys.path[:] = json.loads(sys.argv[1]); import agent.config.reader as r"


class ReadApart:
    """A configuration that is being read; the arguments are those of `load`."""

    def __init__(self, path: Path | None, overrides: Mapping[str, object]) -> None:
        self._path, self._overrides = path, overrides
        self._reader: subprocess.Popen[bytes] | None = None
        request = json.dumps([os.getpid(), None if path is None else str(path), {**overrides}])
        start = f"{_START}; r.main(sys.argv[2])"
        alone = "-I" if sys.flags.isolated else "-P"
        command = [sys.executable, alone, "-c", start, json.dumps(sys.path), request]
        if getattr(sys, "frozen", False):  # then the executable is no Python, but the agent itself
            return
        # Descriptors that this process was started with go on to it, for /dev/fd/7 may be a secret.
        # What goes wrong within is told by reading again here, and not by a traceback.
        with suppress(OSError):  # not allowed to start any, or too many, or no such executable
            self._reader = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, close_fds=False
            )

    def config(self) -> "Config":
        """The configuration, once it is read.

        Raises ConfigError whose text is a report of every problem, and ConfigUnread where there was
        not enough memory to read it.
        """
        if self._reader is None:
            return self._read_here()
        try:
            answer, _ = self._reader.communicate()
        except BaseException:
            self._reader.kill()
            self._reader.wait()
            raise
        if self._reader.returncode == -signal.SIGKILL:
            raise ConfigUnread(
                "the configuration could not be read: what reads it was killed, mostly for want of"
                " memory; allow the agent more of it, or try again when it has less to do"
            )
        if self._reader.returncode != 0:
            return self._read_here()
        read: Config | AgentError = pickle.loads(answer)
        if isinstance(read, AgentError):
            raise read
        return read

    def _read_here(self) -> "Config":
        from agent.config.loading import load

        return load(self._path, overrides=self._overrides)


def load_apart(path: Path | None, *, overrides: Mapping[str, object]) -> "Config":
    """As `load`, in a process of its own; see `ReadApart.config`."""
    return ReadApart(path, overrides).config()
