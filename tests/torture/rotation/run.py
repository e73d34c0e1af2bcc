"""Is anything lost of files that are rotated in every way, while the agent is killed and starved?

Eight files are written to in turn, numbered lines, while they are renamed, copied and cut, removed
and made again, and turned elsewhere behind a symlink, some of it by the real logrotate. Then every
number is looked for in the inlet.
"""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

from support.emulator import Remote
from torture.configuring import environment, free_port
from torture.rotation.account import Account, again
from torture.rotation.logs import Logs
from torture.rotation.witness import Witness

_IN_FLIGHT = 4
_BATCH_RECORDS = 500
_SENT_TWICE = 2  # times what may be in flight: what awaits its answer, and what awaits its commit
_PATIENCE = 120.0
_LINES_PER_SECOND = 20_000
_LIFE, _LONGEST_LIFE = 3.0, 10.0  # seconds of an agent: thrice as long as it takes to start
_BAD_DAYS: tuple[tuple[dict[str, Any], ...], ...] = (
    (),
    ({"name": "slow", "delay": 0.05},),
    ({"name": "down", "status": 503},),
)


class Run:
    """One run in a directory of its own."""

    def __init__(self, directory: Path, seed: int, lines: int, kills: int) -> None:
        self._directory = directory
        self._dice = random.Random(seed)
        self._lines = lines
        self._kills = kills
        self._operations: Counter[str] = Counter()
        self._admin_port = free_port()
        self._data_dir = directory / "data"
        self._witness = Witness(self._data_dir, self._admin_port)
        self._logs = Logs(directory, self._dice, self._witness)

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
                self._witness.note_lost()
                agent.terminate()
                assert agent.wait(30) in (0, 3), f"exit code {agent.returncode}"
                landed = Counter(self._remote.records())
            finally:
                for process in (agent, emulator):
                    process.kill()
                    process.wait()
                self._logs.close()
        written = self._logs.written()
        raced = self._logs.raced(written - self._logs.on_disk() - landed.keys())
        in_flight = _SENT_TWICE * _IN_FLIGHT * _BATCH_RECORDS
        return Account(
            written=len(written),
            raced=len(raced),
            missing=tuple(sorted(line.decode() for line in written - landed.keys() - raced)),
            duplicates=again(landed),
            most_duplicates=(self._kills + self._operations["down"]) * in_flight,
            kills=self._kills,
            operations=self._operations,
            lost_bytes=dict(self._witness.lost),
            seconds=time.monotonic() - begun,
        )

    def _live(self, agent: "subprocess.Popen[bytes]") -> "subprocess.Popen[bytes]":
        """Write and rotate; kill the agent now and then, and start it again. The last one."""
        dice = self._dice
        kills, written = 0, 0
        next_operation = next_weather = time.monotonic()
        start = self._witness.seconds_until_it_answers(_PATIENCE)
        life = min(_LONGEST_LIFE, max(_LIFE, 3 * start))
        rate = min(_LINES_PER_SECOND, self._lines / life / max(1, self._kills))
        while written < self._lines:
            count = dice.choice((1, 5, 20, 100, 300))
            dice.choice(self._logs.in_use).write(count)
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
                self._witness.note_lost()
                agent.kill()
                agent.wait()
                kills += 1
                for _ in range(dice.randrange(0, 20)):  # while nobody looks
                    dice.choice(self._logs.in_use).write(10)
                    written += 10
                    self._operate()
                agent = self._started_agent()
            time.sleep(count / rate)
        return agent

    def _operate(self) -> None:
        if way := self._logs.rotate_one():
            self._operations[way] += 1

    def _wait_for_all(self) -> None:
        """Wait until nothing more comes, though the inlet takes all and the agent has time: on a
        machine with much to do it may be starting still."""
        self._logs.wait_for_logrotate()
        expected = len(self._logs.written())
        deadline = time.monotonic() + _PATIENCE
        quiet_since, before = time.monotonic(), -1
        while time.monotonic() < deadline:
            stats = self._remote.stats()
            accepted = int(stats["records_accepted"])
            distinct = accepted - int(stats["duplicates"])
            if accepted != before or not self._witness.has_nothing_to_do():
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
            "data_dir": str(self._data_dir),
            "inlet": {"url": self._remote.inlet_url, "flow_id": self._remote.flow_id},
            "sources": [{"type": "file", "paths": self._logs.patterns, "let_go": "1s"}],
            "batch": {"max_records": _BATCH_RECORDS, "max_wait": "50ms"},
            "delivery": {
                "max_in_flight": _IN_FLIGHT,
                "retry": {"initial": "20ms", "max": "200ms"},
            },
            "admin": {"listen": f"127.0.0.1:{self._admin_port}"},
            "log": {"format": "json"},
        }
