"""What stands around the agent? The emulator in a process of its own, behind a bad network."""

import json
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import IO, Any

from support.emulator import Remote
from support.proxy import CUT, HALF_CLOSED, STALLED, WELL, FlakyProxy
from torture.configuring import environment
from torture.faults import VERDICTS
from torture.script import Round


class Stage:
    """The inlet of one round. It is killed and started again on the same port and files."""

    def __init__(self, written: Round, directory: Path, log: IO[bytes]) -> None:
        self.fired: Counter[str] = Counter()  # faults by name
        self.restarts = 0
        self._settings = written.settings
        self._directory = directory
        self._log = log
        self._rules: tuple[dict[str, Any], ...] = VERDICTS
        self._fault_seed = written.seed
        self.remote = self._start("127.0.0.1:0")
        self.proxy = FlakyProxy(self.remote.port, written.seed, bytes_max=200_000)

    def __enter__(self) -> "Stage":
        self.proxy.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self.proxy.__exit__(None, None, None)
        self._end(signal.SIGKILL)

    @property
    def inlet_url(self) -> str:
        """The address for the agent, through the network."""
        return self.remote.inlet_url.replace(str(self.remote.port), str(self.proxy.port))

    def misbehave(self, *rules: dict[str, Any], fates: dict[str, float]) -> None:
        """Put these rules to work, beside the verdicts on records, and those chances."""
        self._count()
        self.proxy.fates = fates
        self._rules = (*VERDICTS, *rules)  # of two answers the first rule's counts
        self._fault_seed += 1
        self.remote.set_faults(*self._rules, seed=self._fault_seed)

    def restart(self, number: signal.Signals) -> None:
        """End the emulator by a signal and start it again, with the same faults."""
        self._count()
        self._end(number)
        self.restarts += 1
        self.remote = self._start(f"127.0.0.1:{self.remote.port}")

    def calm(self) -> None:
        """No more faults, other than that some records are refused."""
        self.misbehave(fates={WELL: 1.0})
        self.proxy.calm()

    def accepted(self) -> int:
        """Records the inlet accepted since it was last started."""
        return int(self.remote.stats()["records_accepted"])

    def harmed(self) -> int:
        """Connections that broke or stood still, each of which may have lost an answer."""
        return sum(self.proxy.befell[fate] for fate in (CUT, HALF_CLOSED, STALLED))

    def _count(self) -> None:
        fired = self.remote.stats()["faults"]
        self.fired.update({name: count for name, count in fired.items() if count})

    def _end(self, number: signal.Signals) -> None:
        self.process.send_signal(number)
        self.process.wait(10)
        assert self.process.stdout
        self.process.stdout.close()

    def _start(self, listen: str) -> Remote:
        settings = self._settings
        faults = self._directory.with_name("faults.json")
        faults.write_text(json.dumps({"seed": self._fault_seed, "rules": self._rules}))
        command = [sys.executable, "-m", "agent", "emulate", "--listen", listen]
        command += ["--data", str(self._directory), "--dialect", settings.dialect]
        command += ["--latency", str(settings.latency_ms), "--faults", str(faults)]
        command += [] if settings.gzip else ["--refuse-gzip"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self._log, env=environment()
        )
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the emulator did not start"
        said = json.loads(line)
        port = int(said["listening"].rpartition(":")[2])
        return Remote(port, said["inlet_url"], said["flow_id"])
