"""An agent that is at work, for whoever looks at its status page."""

import json
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support.agent import Running
from support.emulator import Remote
from support.watching import admin_address


class BusyAgent:
    """`with BusyAgent(tmp_path, emulator) as agent: agent.feed(500)`: `run` with standard input."""

    def __init__(self, directory: Path, emulator: Remote, **settings: Any) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._config = directory / "agent.json"
        whole = {
            "data_dir": str(directory / "data"),
            "inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id},
            "sources": [{"type": "stdin", "name": "orders"}],
            "batch": {"max_wait": "50ms"},
            "delivery": {"retry": {"initial": "50ms", "max": "1s"}},
            "admin": {"listen": "127.0.0.1:0"},
            "log": {"format": "json"},
            "shutdown": {"grace": "1s"},
            **settings,
        }
        self._config.write_text(json.dumps(whole))

    def __enter__(self) -> Self:
        self.running = Running(["run", str(self._config)], subprocess.PIPE)
        self.address = admin_address(self.running)
        self._log = threading.Thread(target=self._drain, daemon=True)
        self._log.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.running.process.kill()
        self._log.join(10)
        self.running.close()

    def feed(self, records: int, refused: int = 0) -> None:
        """Give it so many records, and lines that are none."""
        line = '{"_id":"%d","city":"Zürich","total":%d}\n'
        good = "".join(line % (time.monotonic_ns() + n, n) for n in range(records))
        self.running.write((good + 'no record: "Zürich"\n' * refused).encode())

    def feed_for(self, seconds: float, a_second: int, refused: int = 0) -> None:
        """Give it records for some time, more and less of them, as life does."""
        for number in range(int(seconds * 4)):
            wave = 1 + 0.4 * ((number % 12) / 12)
            self.feed(int(a_second / 4 * wave), refused if number % 8 == 0 else 0)
            time.sleep(0.25)

    def _drain(self) -> None:
        assert self.running.process.stderr
        for _ in self.running.process.stderr:
            pass
