"""Is anything lost of files that are rotated in every way, while the agent is killed and starved?

Eight files are written to in turn, numbered lines, while they are renamed, copied and cut, removed
and made again, and turned elsewhere behind a symlink, some of it by the real logrotate. Then every
number is looked for in the inlet.
"""

import argparse
import http.client
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from support.emulator import Remote
from torture.configuring import environment, free_port

_IN_FLIGHT = 4
_BATCH_RECORDS = 500
_SENT_TWICE = 2  # times what may be in flight: what awaits its answer, and what awaits its commit
_PATIENCE = 120.0
_LINES_PER_SECOND = 20_000
_LIFE = 3.0  # seconds of an agent, at least: it takes one to start
_BAD_DAYS: tuple[tuple[dict[str, Any], ...], ...] = (
    (),
    ({"name": "slow", "delay": 0.05},),
    ({"name": "down", "status": 503},),
)


@dataclass(frozen=True, slots=True)
class Account:
    """What came of one run."""

    written: int
    raced: int  # lines that no file held any more, for they were written while one was cut
    missing: tuple[str, ...]
    duplicates: Counter[str]  # by file
    most_duplicates: int
    kills: int
    operations: Counter[str]
    lost_bytes: dict[str, float]  # as the agent suspects, by cause
    seconds: float

    @property
    def findings(self) -> list[str]:
        """What must not be."""
        found = [f"{len(self.missing)} lines are missing: {self.missing[:5]}"] * bool(self.missing)
        if self.duplicates.total() > self.most_duplicates:
            found.append(
                f"{self.duplicates.total()} duplicates, {self.most_duplicates} had a cause"
            )
        return found


@dataclass(eq=False)
class Log:
    """One file that is written to, and how it is rotated."""

    path: Path
    rotate: "Callable[[Log], bool]"
    lines: int = 0
    rotations: int = 0
    writer: IO[bytes] | None = None
    rests: bool = False  # until all of it is safe
    writes_on: int = 0  # so many times to the file it has open, though that was rotated

    def write(self, count: int) -> None:
        """Add lines, each in a write of its own or many in one."""
        if self.writer is None or (self.writes_on <= 0 and not self._is_current()):
            self.close()
            self.writer = self.path.open("ab", buffering=0)
        self.writes_on -= 1
        name = self.path.stem
        numbers = range(self.lines, self.lines + count)
        self.writer.write(b"".join(b'{"_id":"%s-%d"}\n' % (name.encode(), n) for n in numbers))
        self.lines += count

    def close(self) -> None:
        """Write no more to the file it has open."""
        if self.writer:
            self.writer.close()
        self.writer = None

    def _is_current(self) -> bool:
        assert self.writer
        with suppress(FileNotFoundError):
            return os.path.samestat(os.fstat(self.writer.fileno()), self.path.stat())
        return False


class Rotation:
    """One run in a directory of its own."""

    def __init__(self, directory: Path, seed: int, lines: int, kills: int) -> None:
        self._directory = directory
        self._dice = random.Random(seed)
        self._lines = lines
        self._kills = kills
        self._operations: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()
        self._admin_port = free_port()
        self._logs_directory = directory / "logs"
        self._targets = directory / "targets"
        self._targets.mkdir(parents=True)
        self._logs_directory.mkdir()
        self._rotating: list[subprocess.Popen[bytes]] = []
        ways = (
            self._rename,
            self._rename,
            self._logrotate_create,
            self._logrotate_copytruncate,
            self._copy_and_cut,
            self._remove,
            self._turn_link,
            self._cut,
        )
        self._logs = [Log(self._logs_directory / f"w{n}.log", way) for n, way in enumerate(ways)]
        self._turn_link(self._logs[6])

    def play(self) -> Account:
        """Write everything, through all that happens meanwhile; then look for every line."""
        begun = time.monotonic()
        with (self._directory / "agent.log").open("ab") as log:
            self._log = log
            emulator = self._started_emulator()
            agent = self._started_agent()
            try:
                agent = self._live(agent)
                self._remote.set_faults()
                self._wait_for_all()
                self._note_lost()
                agent.terminate()
                assert agent.wait(30) in (0, 3), f"exit code {agent.returncode}"
                landed = Counter(self._remote.records())
            finally:
                for process in (agent, emulator, *self._rotating):
                    process.kill()
                    process.wait()
                for each in self._logs:
                    each.close()
        written = {line for each in self._logs for line in _lines(each)}
        raced = written - self._on_disk() - landed.keys()
        raced = {line for line in raced if line.startswith(b'{"_id":"w3-')}
        missing = sorted(line.decode() for line in written - landed.keys() - raced)
        in_flight = _SENT_TWICE * _IN_FLIGHT * _BATCH_RECORDS
        return Account(
            written=len(written),
            raced=len(raced),
            missing=tuple(missing),
            duplicates=_again(landed),
            most_duplicates=self._kills * in_flight + self._operations["down"] * in_flight,
            kills=self._kills,
            operations=self._operations,
            lost_bytes=dict(self._lost),
            seconds=time.monotonic() - begun,
        )

    def _live(self, agent: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        """Write and rotate; kill the agent now and then, and start it again. The last one."""
        dice = self._dice
        kills, written = 0, 0
        next_operation = next_weather = time.monotonic()
        rate = min(_LINES_PER_SECOND, self._lines / _LIFE / max(1, self._kills))
        while written < self._lines:
            count = dice.choice((1, 5, 20, 100, 300))
            dice.choice([log for log in self._logs if not log.rests]).write(count)
            written += count
            now = time.monotonic()
            if now >= next_operation:
                self._operate()
                next_operation = now + dice.uniform(0.0, 0.03)
            if now >= next_weather:
                rules = dice.choice(_BAD_DAYS)
                self._operations.update(rule["name"] for rule in rules)
                self._remote.set_faults(*rules, seed=written)
                next_weather = now + dice.uniform(0.2, 1.0)
            if kills < self._kills and written > (kills + 1) * self._lines / (self._kills + 1):
                self._note_lost()
                agent.kill()
                agent.wait()
                kills += 1
                for _ in range(dice.randrange(0, 20)):  # while nobody looks
                    dice.choice([log for log in self._logs if not log.rests]).write(10)
                    written += 10
                    self._operate()
                agent = self._started_agent()
            time.sleep(count / rate)
        return agent

    def _operate(self) -> None:
        log = self._dice.choice(self._logs)
        if log.lines and log.path.exists() and log.rotate(log):
            self._operations[log.rotate.__name__.strip("_")] += 1

    # ---- ways to rotate; each says whether it did

    def _rename(self, log: Log) -> bool:
        log.rotations += 1
        log.path.rename(log.path.with_name(f"{log.path.name}.{log.rotations}"))
        log.writes_on = self._dice.randrange(3)
        return True

    def _logrotate_create(self, log: Log) -> bool:
        log.writes_on = self._dice.randrange(5)
        return self._logrotate(log, "create")

    def _logrotate_copytruncate(self, log: Log) -> bool:
        return self._logrotate(log, "copytruncate")

    def _logrotate(self, log: Log, way: str) -> bool:
        """Have it rotated by the real program, beside what is written meanwhile."""
        self._rotating = [process for process in self._rotating if process.poll() is None]
        if any(process.args[-1].endswith(f"{way}.conf") for process in self._rotating):
            return False
        config = self._directory / f"{way}.conf"
        config.write_text(f"{log.path} {{\n rotate 2000\n nocompress\n {way}\n missingok\n}}\n")
        config.chmod(0o644)
        state = self._directory / f"{way}.state"
        command = ["/usr/sbin/logrotate", "--force", "--state", str(state), str(config)]
        self._rotating.append(subprocess.Popen(command, stderr=self._log))
        return True

    def _copy_and_cut(self, log: Log) -> bool:
        """While nobody writes, so that nothing falls between the two."""
        log.rotations += 1
        shutil.copyfile(log.path, log.path.with_name(f"{log.path.name}.{log.rotations}"))
        os.truncate(log.path, 0)
        return True

    def _remove(self, log: Log) -> bool:
        """Only when all of it is known to be safe: whoever removes before, loses."""
        if self._is_safe(log):
            log.path.unlink()
        return not log.rests

    def _cut(self, log: Log) -> bool:
        if self._is_safe(log):
            os.truncate(log.path, 0)
        return not log.rests

    def _turn_link(self, log: Log) -> bool:
        log.rotations += 1
        target = self._targets / f"{log.path.name}-{log.rotations}"
        target.touch()
        following = log.path.with_name("next")
        following.symlink_to(target)
        following.rename(log.path)
        return True

    # ---- what is known

    def _is_safe(self, log: Log) -> bool:
        """Whether all of it is; until then nothing more is written to it."""
        status = self._asked("/status")
        positions = json.loads(status)["safe_positions"] if status else {}
        names = [name for name in positions if name.partition("#")[0] == str(log.path)]
        last = max(names, key=lambda name: int(name.partition("#")[2] or 1), default=None)
        log.rests = last is None or positions[last]["offset"] != log.path.stat().st_size
        if not log.rests:
            # The place may be one in a former file that was as long: lines tell files apart.
            lines = log.path.read_bytes().splitlines()
            log.rests = not set(lines) <= set(self._remote.records())
        return not log.rests

    def _note_lost(self) -> None:
        for line in self._asked("/metrics").decode().splitlines():
            if line.startswith("aep_agent_file_lost_bytes_total{"):
                labels, _, count = line.rpartition(" ")
                self._lost[labels.partition('cause="')[2].partition('"')[0]] += int(float(count))

    def _asked(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._admin_port, timeout=10)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            return connection.getresponse().read()
        return b""

    def _on_disk(self) -> set[bytes]:
        paths = [*self._logs_directory.iterdir(), *self._targets.iterdir()]
        return {line for path in paths for line in path.read_bytes().split(b"\n")}

    def _wait_for_all(self) -> None:
        """Wait until nothing more comes, though the agent reads and the inlet takes all."""
        for process in self._rotating:
            process.wait(10)
        expected = sum(log.lines for log in self._logs)
        deadline = time.monotonic() + _PATIENCE
        quiet_since, before = time.monotonic(), -1
        while time.monotonic() < deadline:
            stats = self._remote.stats()
            accepted = int(stats["records_accepted"])
            distinct = accepted - int(stats["duplicates"])
            if accepted != before:
                quiet_since, before = time.monotonic(), accepted
            quiet = time.monotonic() - quiet_since
            if quiet > (1.0 if distinct >= expected else 8.0):
                return
            time.sleep(0.1)

    def _started_emulator(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "agent", "emulate", "--listen", "127.0.0.1:0"]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, env=environment()
        )
        assert process.stdout
        with process.stdout:
            said = json.loads(process.stdout.readline())
        port = int(said["listening"].rpartition(":")[2])
        self._remote = Remote(port, said["inlet_url"], said["flow_id"])
        return process

    def _started_agent(self) -> "subprocess.Popen[bytes]":
        config = self._directory / "agent.json"
        config.write_text(json.dumps(self._configuration()))
        return subprocess.Popen(
            [sys.executable, "-m", "agent", "run", str(config)],
            stdout=self._log,
            stderr=self._log,
            env=environment(),
        )

    def _configuration(self) -> dict[str, Any]:
        return {
            "data_dir": str(self._directory / "data"),
            "inlet": {"url": self._remote.inlet_url, "flow_id": self._remote.flow_id},
            "sources": [
                {
                    "type": "file",
                    "paths": [f"{self._logs_directory}/*.log*", f"{self._targets}/*"],
                    "let_go": "1s",
                }
            ],
            "batch": {"max_records": _BATCH_RECORDS, "max_wait": "50ms"},
            "delivery": {
                "max_in_flight": _IN_FLIGHT,
                "retry": {"initial": "20ms", "max": "200ms"},
            },
            "admin": {"listen": f"127.0.0.1:{self._admin_port}"},
            "log": {"format": "json"},
        }


def _lines(log: Log) -> Iterator[bytes]:
    name = log.path.stem.encode()
    return (b'{"_id":"%s-%d"}' % (name, number) for number in range(log.lines))


def _again(landed: Counter[bytes]) -> Counter[str]:
    """How often a line came again, by file."""
    again: Counter[str] = Counter()
    for line, count in landed.items():
        again[line[8:10].decode()] += count - 1
    return +again


def main(argv: Sequence[str] | None = None) -> int:
    """Run once; exit code 1 where there are findings."""
    parser = argparse.ArgumentParser(prog="python -m torture.rotation", description=__doc__)
    parser.add_argument("--seed", type=int, help="what decides the script (default: by lot)")
    parser.add_argument("--lines", type=int, default=1_000_000, help="to write (1,000,000)")
    parser.add_argument("--kills", type=int, default=20, help="how many SIGKILLs (20)")
    args = parser.parse_args(argv)
    seed = random.randrange(10**6) if args.seed is None else args.seed
    print(f"SEED={seed} repeats this script, though not its timing", file=sys.stderr)
    directory = Path(tempfile.mkdtemp(prefix="rotation-"))
    account = Rotation(directory, seed, args.lines, args.kills).play()
    print(told(account))
    if account.findings:
        print(f"files, store and log: {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


def told(account: Account) -> str:
    """The account in words."""
    operations = ", ".join(f"{name} {count}" for name, count in account.operations.most_common())
    return "\n".join(
        (
            f"{account.written:,} lines written in {account.seconds:.0f} s, {account.kills} kills",
            f"operations: {operations}",
            f"missing: {len(account.missing)}",
            f"written while a file was cut, and in no file after it: {account.raced}",
            f"duplicates: {account.duplicates.total():,} {dict(account.duplicates)},"
            f" at most {account.most_duplicates:,} have a cause",
            f"bytes the agent suspects to be lost: {account.lost_bytes or 'none'}",
            *account.findings,
        )
    )


if __name__ == "__main__":
    sys.exit(main())
