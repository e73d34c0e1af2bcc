"""The agent as its users run it: a process with files, pipes and signals."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.emulator import Remote

LIMIT = 60  # seconds after which a run counts as hung

# Waits that suit a test: an outage of a tenth of a second is a long one.
QUICK: Mapping[str, object] = {
    "delivery.retry.initial": "10ms",
    "delivery.retry.max": "100ms",
    "batch.max_wait": "20ms",
    "batch.max_bytes": "20KB",
    "log.format": "json",
}


@dataclass(frozen=True, slots=True)
class Finished:
    """A process that has ended."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def summary(self) -> dict[str, Any]:
        """What --json printed."""
        return dict(json.loads(self.stdout))

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log, line by line."""
        return [json.loads(line) for line in self.stderr.splitlines() if line.startswith(b"{")]

    def logged(self, words: str) -> list[dict[str, Any]]:
        """The log lines whose event holds these words."""
        return [line for line in self.log if words in line["event"]]


class Running:
    """A process that goes on until it is told to stop; killed when the test ends before it."""

    def __init__(
        self,
        arguments: Sequence[str],
        stdin: Any,
        limits: Mapping[int, int] | None = None,
        before: Sequence[str] = (),
        passed: Sequence[int] = (),
    ) -> None:
        """*limits* are of the system's, as `resource.RLIMIT_NOFILE`, and bind hard.

        *before* is a command line that starts another, *passed* are descriptors it inherits.
        """
        self.process = subprocess.Popen(
            [*_limiting(limits or {}), *before, sys.executable, "-m", "agent", *arguments],
            stdin=stdin,
            pass_fds=passed,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def write(self, content: bytes) -> None:
        """Write to its standard input, which stays open."""
        assert self.process.stdin
        self.process.stdin.write(content)
        self.process.stdin.flush()

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def finished(self, stdin: bytes | None = None) -> Finished:
        """Wait for its end; *stdin* is written first, and then closed."""
        stdout, stderr = self.process.communicate(stdin, timeout=LIMIT)
        return Finished(self.process.returncode, stdout, stderr)

    def peak_bytes(self) -> int:
        """The most memory it ever had."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024

    def cpu_seconds(self) -> float:
        """What it has worked so far, of however many seconds that took it."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                stream.close()
        self.process.wait()


def _limiting(limits: Mapping[int, int]) -> list[str]:
    """The beginning of a command line that runs the rest of it under these limits."""
    if not limits:
        return []
    sets = "".join(
        f"resource.setrlimit({each}, ({most}, {most}));" for each, most in limits.items()
    )
    script = f"import os, resource, sys; {sets} os.execv(sys.argv[1], sys.argv[1:])"
    return [sys.executable, "-S", "-c", script]


def aep_agent(*arguments: str | Path, stdin: Any = b"", cwd: Path | None = None) -> Finished:
    """Run any command to its end. *stdin* is bytes to pipe in, or a file or descriptor."""
    piped = {"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}
    done = subprocess.run(
        [sys.executable, "-m", "agent", *map(str, arguments)],
        capture_output=True,
        timeout=LIMIT,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        **piped,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def send_arguments(
    emulator: Remote, data_dir: Path, *files: str | Path, **settings: object
) -> list[str]:
    """The command line of a quick `send --json`; settings are keys with `__` for the dots."""
    return ["send", "--json", *_target(emulator, data_dir, settings), *map(str, files)]


def replay_arguments(
    emulator: Remote, data_dir: Path, *words: str, **settings: object
) -> list[str]:
    """The command line of a quick `dead-letters replay --json`, as `send_arguments`."""
    replay = ["dead-letters", "replay", "--json"]
    return [*replay, *_target(emulator, data_dir, settings), *words]


def _target(emulator: Remote, data_dir: Path, settings: Mapping[str, object]) -> list[str]:
    chosen = {**QUICK, **{key.replace("__", "."): value for key, value in settings.items()}}
    sets = [word for key, value in chosen.items() for word in ("--set", f"{key}={value}")]
    target = ["--inlet-url", emulator.inlet_url, "--flow-id", emulator.flow_id]
    return [*target, "--data-dir", str(data_dir), *sets]


def eventually(truth: Callable[[], object], within: float = 60.0) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + within
    while not truth():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)
