"""Where a recipe is tried: a folder in the place of the paths it names, free ports, an emulator."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from agent.errors import StoreLocked
from agent.store.lock import take
from support.agent import eventually
from support.emulator import RunningEmulator

RECIPES = Path(__file__).parents[2] / "config" / "recipes"

_FOLDERS = {
    "/var/log/app": "logs",
    "/var/log/aep-agent.log": "agent.log",
    "/run/aep-agent": "run",
    "/var/lib/aep-agent": "data",
    "/etc/aep-agent": "etc",
    "/var/spool/rsyslog": "spool",
    "/usr/bin/aep-agent": "aep-agent",
}
_PORTS = ("5170", "5514", "8080")


def program(name: str) -> str:
    """Where a program is; without it the recipe cannot be tried here. In `.ci/run` they all are."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/lib/systemd")
    if not found:
        pytest.skip(f"{name} is not installed: `.ci/run` names the packages that recipes need")
    return found


@dataclass
class Stage:
    """`with Stage(root, emulator) as stage: stage.start(...)`; all it started ends with it."""

    root: Path  # short: the names of sockets may not be long
    emulator: RunningEmulator
    _ports: dict[str, int] = field(default_factory=dict)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> Self:
        for folder in ("logs", "run", "etc", "spool"):
            (self.root / folder).mkdir()
        self._ports = {written: _free_port() for written in _PORTS}
        wrapper = self.root / "aep-agent"
        wrapper.write_text(
            "#!/bin/sh\n"
            + "".join(f"export {name}='{value}'\n" for name, value in self._environment().items())
            + f'exec {sys.executable} -m agent "$@"\n'
        )
        wrapper.chmod(0o755)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stack.close()

    @property
    def logs(self) -> Path:
        """The folder that applications log into."""
        return self.root / "logs"

    @property
    def data(self) -> Path:
        """The agent's data directory."""
        return self.root / "data"

    def port(self, written: str) -> int:
        """The port that stands for the one a recipe names."""
        return self._ports[written]

    def place(self, name: str) -> Path:
        """A recipe as it is in the repository, with this stage's paths and ports."""
        text = (RECIPES / name).read_text()
        for written, ours in _FOLDERS.items():
            text = text.replace(written, str(self.root / ours))
        for written, port in self._ports.items():
            text = re.sub(rf"\b{written}\b", str(port), text)
        placed = self.root / "etc" / name
        placed.write_text(text)
        placed.chmod(
            (RECIPES / name).stat().st_mode & 0o755
        )  # logrotate refuses what others may write
        return placed

    def agent(self, recipe: str) -> "subprocess.Popen[bytes]":
        """Start the agent with a recipe."""
        return self.start([str(self.root / "aep-agent"), "run", str(self.place(recipe))])

    def listening(self, recipe: str) -> "subprocess.Popen[bytes]":
        """Start the agent with a recipe, and wait until it takes records."""
        log = self.root / "aep-agent.out"
        before = log.stat().st_size if log.exists() else 0
        running = self.agent(recipe)
        eventually(lambda: b"a source listens" in log.read_bytes()[before:])
        return running

    def receives(self, count: int) -> None:
        """Wait until so many records are in the inlet."""
        eventually(lambda: len(self.emulator.records()) >= count, within=30)

    def has_drained(self) -> bool:
        """Whether the agent that somebody else started has ended, and let go of its store."""
        try:
            take(self.data).close()
        except StoreLocked:
            return False
        return True

    def start(
        self, command: Sequence[str], stdin: int = subprocess.DEVNULL, **variables: str
    ) -> "subprocess.Popen[bytes]":
        """Start a program that goes on until it is stopped, or the stage ends."""
        log = self._stack.enter_context((self.root / f"{Path(command[0]).name}.out").open("ab"))
        started = subprocess.Popen(
            [*command],
            stdin=stdin,
            stdout=log,
            stderr=log,
            env={**os.environ, **variables},
            start_new_session=True,
        )
        self._stack.callback(_end, started)
        return started

    def stop(self, started: "subprocess.Popen[bytes]") -> int:
        """Have it end, and what it started, as `systemctl stop` does; its exit code."""
        os.killpg(started.pid, signal.SIGTERM)
        return started.wait(timeout=30)

    def said(self) -> str:
        """What everything wrote to its log, for when something goes wrong."""
        logs = sorted(self.root.glob("*.out")) + sorted(self.root.glob("agent.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs)

    def _environment(self) -> dict[str, str]:
        return {
            "PYTHONPATH": str(Path.cwd()),
            "AEP_INLET_URL": self.emulator.inlet_url,
            "AEP_FLOW_ID": self.emulator.flow_id,
            "AEP_AGENT_ADMIN__LISTEN": "null",
            "AEP_AGENT_BATCH__MAX_WAIT": "50ms",
            "AEP_AGENT_LOG__FORMAT": "json",
        }


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _end(started: "subprocess.Popen[bytes]") -> None:
    """End it, and whatever it started itself."""
    with suppress(ProcessLookupError):
        os.killpg(started.pid, signal.SIGKILL)
    started.wait()
