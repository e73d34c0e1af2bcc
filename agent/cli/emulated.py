"""The emulator in a process of its own: how is it started, and what did it make of records?"""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from agent.errors import AgentError

_ANSWER_SECONDS = 70.0  # a little longer than it may be asked to wait
_SETTLE_SECONDS = 60.0
_FAILURES_MAX = 1000  # that are looked at for reasons


@dataclass(frozen=True, slots=True)
class Landed:
    """What became of the records that a flow accepted; every one of them is judged."""

    landed: int
    failed: int
    reasons: list[tuple[str, int]]  # why records failed: the platform's words, and how often
    warnings: int  # expressions of the mapping that failed
    last_warning: str
    dataset_id: str
    profiles: int  # people whom Profile knows by now
    row: dict[str, Any] = field(default_factory=dict)  # the last one that landed


class EmulatedPlatform:
    """A running emulator."""

    def __init__(self, listening: dict[str, str]) -> None:
        self.url = listening["listening"]
        self.token_url = listening["token_url"]
        self.client_id = listening["client_id"]

    def landed(self, flow_id: str) -> Landed:
        """Wait until everything is judged, and tell. Raises AgentError."""
        self._ask("POST", f"/_emulator/settle?wait={_SETTLE_SECONDS:g}")
        flow = next(each for each in self._ask("GET", "/_emulator/flows") if each["id"] == flow_id)
        dataset = f"/_emulator/datasets/{flow['datasetId']}"
        last = max(0, flow["landed"] - 1)
        rows = self._ask("GET", f"{dataset}?limit=1&offset={last}")["rows"]
        return Landed(
            landed=flow["landed"],
            failed=flow["failed"],
            reasons=self._reasons(),
            warnings=flow["warnings"],
            last_warning=next(reversed(flow["last_warnings"]), ""),
            dataset_id=flow["datasetId"],
            profiles=self._ask("GET", "/_emulator/profiles?limit=1")["total"],
            row=rows[0] if rows else {},
        )

    def _reasons(self) -> list[tuple[str, int]]:
        failures = self._ask("GET", f"/_emulator/failed?limit={_FAILURES_MAX}")["failed"]
        return Counter(map(_why, failures)).most_common()

    def _ask(self, method: str, path: str) -> Any:
        host = urlsplit(self.url).netloc
        with closing(HTTPConnection(host, timeout=_ANSWER_SECONDS)) as connection:
            connection.request(method, path)
            answer = connection.getresponse()
            content = answer.read()
        if answer.status >= 400:
            text = content.decode("utf-8", "replace")
            raise AgentError(f"the emulator answered {answer.status} to {path}: {text}")
        return json.loads(content) if content else None


@contextmanager
def emulated(flags: Sequence[str], log: Path) -> Iterator[EmulatedPlatform]:
    """An emulator that ends with the block. Raises AgentError where it does not start."""
    command = [sys.executable, "-m", "agent", "emulate", *flags]
    with (
        log.open("wb") as file,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=file, start_new_session=True
        ) as process,
    ):
        try:
            assert process.stdout
            line = process.stdout.readline()
            if not line:
                raise AgentError(f"the emulator did not start; see {log}")
            yield EmulatedPlatform(json.loads(line))
        finally:
            process.terminate()


def _why(failure: dict[str, Any]) -> str:
    """Where in the record what was wrong, as the platform says it."""
    first: dict[str, Any] = next(iter(failure["failed"].get("_validationErrors", [])), {})
    return f"{first.get('pointerToViolation', '#')}: {failure['message']}"
