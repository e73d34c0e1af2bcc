"""What became of accepted records so far, batch by batch, and is it known again after a kill -9?

A step of the data plane first appends rows, failures and profile changes to files, then one line
here: how far the arrivals are judged, which batches came of them, and where each of these files
ends. Whatever lies behind those ends was half done when an emulator was killed; it is cut off, and
judged again.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from agent.emulator.appending import AppendFile


class Reason(msgspec.Struct, frozen=True):
    """Why records of a batch failed: the platform's code, its words, and how many."""

    code: str
    description: str
    records: int


class Batch(msgspec.Struct, frozen=True, omit_defaults=True):
    """Records of one flow that landed together, or failed together.

    `offset` and `length` are the place of their `lines` in the dataset's rows, or among the
    failures. What an upsert only changes in Profile is a record without a line.
    """

    id: str
    dataset_id: str
    flow_id: str
    inlet_id: str
    sandbox: str
    started_ms: int
    completed_ms: int
    offset: int
    length: int
    lines: int
    records: int
    input_bytes: int
    failed: bool = False
    reasons: list[Reason] = []

    def as_catalog(self) -> dict[str, Any]:
        """The batch as Catalog lists it."""
        failed = self.records if self.failed else 0
        return {
            "status": "failed" if self.failed else "success",
            "relatedObjects": [{"type": "dataSet", "id": self.dataset_id}],
            "tags": {
                "flowId": [self.flow_id],
                "inletId": [self.inlet_id],
                "acp_enableErrorDiagnostics": ["true"],
            },
            "metrics": {
                "startTime": self.started_ms,
                "endTime": self.completed_ms,
                "inputByteSize": self.input_bytes,
                "inputFileCount": 1,
                "inputRecordCount": self.records,
                "outputByteSize": 0 if self.failed else self.length,
                "outputRecordCount": self.records - failed,
                "failedRecordCount": failed,
            },
            "errors": [
                {
                    "code": reason.code,
                    "description": reason.description,
                    "recordCount": reason.records,
                }
                for reason in self.reasons
            ],
            "started": self.started_ms,
            "completed": self.completed_ms,
        }


class Lost(msgspec.Struct, frozen=True):
    """Accepted records of a flow that never land, and why."""

    flow_id: str
    why: str
    records: int


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: all that a step changed."""

    arrivals_end: int
    failures_end: int
    profiles_end: int
    batches: list[Batch] = []
    lost: list[Lost] = []


_step = msgspec.json.Decoder(Step)


class Ledger:
    """The steps so far. `directory` keeps them over a restart; without one they are in memory."""

    def __init__(self, directory: Path) -> None:
        self._file = AppendFile.named(directory / "steps.ndjson")
        whole = self._file.read(0, self._file.end)
        self._file.truncate(whole.rfind(b"\n") + 1)

    def steps(self) -> Iterator[Step]:
        """Every step, the first one first."""
        for line in self._file.read(0, self._file.end).splitlines():
            yield _step.decode(line)

    def append(self, step: Step) -> None:
        """Make a step count. Raises OSError, and then it does not."""
        self._file.append(msgspec.json.encode(step) + b"\n")

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._file.close()
