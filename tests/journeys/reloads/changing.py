"""An agent whose configuration is changed while it runs."""

import json
import signal
import socket
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from support.agent import LIMIT
from support.agent import eventually as soon
from support.emulator import RunningEmulator
from support.listening import Listening
from support.records import lines

Inlet = Callable[..., RunningEmulator]


CERTIFICATES = Path(__file__).parents[2] / "delivery" / "certificates"


DONE = "the configuration was read again"


WRONG = "the configuration is wrong, going on with the old one"


def eventually(truth: Callable[[], object]) -> None:
    """Wait until it is so, for long where others use the machine."""
    soon(truth, LIMIT)


class Changing:
    """An agent that runs, and the file that it reads again."""

    def __init__(self, agent: Listening, path: Path) -> None:
        self.agent = agent
        self.path = path

    def reload(self, event: str = DONE) -> dict[str, Any]:
        """Have the file read again; the line of the log that says so."""
        count = len(self.agent.said(event))
        self.agent.agent.signal(signal.SIGHUP)
        eventually(lambda: len(self.agent.said(event)) > count)
        return self.agent.said(event)[-1]

    def write(self, **changes: Any) -> None:
        """Change sections of the file; a section that is None goes."""
        whole = json.loads(self.path.read_text()) | changes
        self.path.write_text(json.dumps({key: it for key, it in whole.items() if it is not None}))

    def changed(self, **changes: Any) -> dict[str, Any]:
        """Change the file and have it read again."""
        self.write(**changes)
        return self.reload()

    def stopped(self) -> None:
        """Stop it, with nothing left over."""
        self.agent.agent.signal(signal.SIGTERM)
        assert self.agent.finished().code == 0


Run = Callable[..., Any]


def followed(path: Path, **more: Any) -> dict[str, Any]:
    return {"type": "file", "name": path.name, "paths": [str(path)], "poll": "50ms", **more}


def tcp(name: str = "door", **more: Any) -> dict[str, Any]:
    return {"type": "tcp", "name": name, "listen": "127.0.0.1:0", **more}


def a_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def append(path: Path, records: list[bytes]) -> None:
    with path.open("ab") as file:
        file.write(lines(records))


def arrived(emulator: RunningEmulator, records: list[bytes]) -> None:
    """Wait until the inlet has these and no others, each once."""
    eventually(lambda: emulator.stats()["records_accepted"] >= len(records))
    assert Counter(emulator.records()) == Counter(records)
