"""Which accepted records failed to land, and what does the platform say of each?

A failure is one line of `failures.ndjson`: {"xactionId", "receivedTimeMs", "flowId", "datasetId",
"batchId", "message", "record", "failed"}. `record` is what was sent. `failed` is what the platform
exports: the XDM message, with `_validationErrors` where the entity breaks its schema, or with
`_errors._streamingValidation` where the message around it is wrong.
"""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from agent.emulator.appending import AppendFile
from agent.emulator.ledger import Batch
from agent.emulator.messages import object_members
from agent.emulator.reasons import Reasons


class FailedBatches:
    """The failures of all flows, in order."""

    def __init__(self, directory: Path) -> None:
        self._file = AppendFile.named(directory / "failures.ndjson")
        self._batches: dict[str, Batch] = {}
        self.records = 0
        self.reasons = Reasons()

    @property
    def end(self) -> int:
        """Where the next failure is written."""
        return self._file.end

    def cut(self, end: int) -> None:
        """Cut off what lies behind `end`."""
        self._file.truncate(end)

    def write(self, lines: bytes) -> None:
        """Write the failures of a batch; they count once it is added. Raises OSError."""
        self._file.append(lines)

    def add(self, batch: Batch) -> None:
        """Count a failed batch; its failures are written already."""
        self._batches[batch.id] = batch
        for reason in batch.reasons:
            self.reasons.add(reason.code, reason.description, self.records, reason.records)
        self.records += batch.records

    def __len__(self) -> int:
        return len(self._batches)

    def batches(self, offset: int, limit: int) -> list[Batch]:
        """At most `limit` failed batches without the first `offset`, in order."""
        return list(islice(self._batches.values(), offset, offset + limit))

    def get(self, batch_id: str) -> Batch | None:
        """A failed batch by its id."""
        return self._batches.get(batch_id)

    def failed_records(self, batch_id: str) -> Iterator[bytes]:
        """The records of a failed batch as the platform exports them, one JSON object each."""
        for line in self._lines(self._batches[batch_id]):
            yield (object_members(line) or {})["failed"]

    def failures(
        self, offset: int = 0, limit: int = 100, *, flow_id: str | None = None
    ) -> Iterator[bytes]:
        """At most `limit` whole lines, of all flows or of one, without the first `offset`."""
        for batch in list(self._batches.values()):
            if flow_id not in (None, batch.flow_id):
                continue
            if offset >= batch.records:
                offset -= batch.records
                continue
            for line in self._lines(batch)[offset:]:
                if limit <= 0:
                    return
                yield line
                limit -= 1
            offset = 0

    def close(self) -> None:
        """Close the file; what is in it stays."""
        self._file.close()

    def _lines(self, batch: Batch) -> list[bytes]:
        return self._file.read(batch.offset, batch.length).split(b"\n")[:-1]
