"""What does the agent say of itself while its files are rotated?

What it keeps as safe is taken at its word: after that even a kill -9 must lose nothing of it. So
that is looked up where it is kept, whether an agent runs or not; /status names the first hundred
streams only.
"""

import http.client
import json
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from agent.errors import StoreError
from agent.store.database import open_for_reading
from agent.store.positions import saved_positions


def vouching(path: Path, positions: Mapping[str, int], *, newer_than: int) -> int | None:
    """The number of the stream by whose safe position all of the file is safe; None without one.

    *positions* are offsets by stream. Streams up to the number *newer_than* are of files that were
    there before, any of which may have been as long as this one: of this one they say nothing. The
    last of them is in view until the agent has looked, and older ones after a crash.
    """
    names = [name for name in positions if name.partition("#")[0] == str(path)]
    numbers = {int(name.partition("#")[2] or 1): positions[name] for name in names}
    last = max(numbers, default=newer_than)
    if last <= newer_than or numbers[last] != path.stat().st_size:
        return None
    return last


def safe_offsets(data_dir: Path) -> dict[str, int]:
    """What is safe of each stream, as a crash would find it; nothing before there is a store."""
    with suppress(StoreError):
        if connection := open_for_reading(data_dir):
            with closing(connection):
                saved = saved_positions(connection)
            return {stream: each.position.offset for stream, each in saved.items()}
    return {}


class Witness:
    """The agent that runs at the moment, asked over HTTP; it may be away, or too busy."""

    def __init__(self, data_dir: Path, port: int) -> None:
        self.lost: Counter[str] = Counter()  # bytes that agents suspected to be lost, by cause
        self._data_dir = data_dir
        self._port = port

    def vouching(self, path: Path, *, newer_than: int) -> int | None:
        """As the function, by what is safe now."""
        return vouching(path, safe_offsets(self._data_dir), newer_than=newer_than)

    def seconds_until_it_answers(self, patience: float) -> float:
        """How long it takes from now, *patience* seconds at most."""
        begun = time.monotonic()
        while not self._asked("/status") and time.monotonic() - begun < patience:
            time.sleep(0.05)
        return time.monotonic() - begun

    def has_nothing_to_do(self) -> bool:
        """Whether it says that it has read everything there is, and that all is answered for."""
        status = self._status()
        sources = status.get("sources", {}).values()
        return bool(sources) and not status["held"] and not any(s["lag_bytes"] for s in sources)

    def note_lost(self) -> None:
        """Add up what this agent suspects to be lost, before it is killed."""
        for line in self._asked("/metrics").decode().splitlines():
            if line.startswith("aep_agent_file_lost_bytes_total{"):
                labels, _, count = line.rpartition(" ")
                self.lost[labels.partition('cause="')[2].partition('"')[0]] += int(float(count))

    def _status(self) -> dict[str, Any]:
        return dict(json.loads(self._asked("/status") or b"{}"))

    def _asked(self, path: str) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", path)
            return connection.getresponse().read()
        return b""
