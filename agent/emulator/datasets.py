"""Which rows does each dataset have?

A row is one line of `datasets/ID/rows.ndjson`: {"xactionId", "receivedTimeMs", "flowId", "batchId",
"entity"}. The lines of a batch lie together, so that a page of rows is found by counting batches.
Where the emulator keeps a directory and DuckDB is there, `rows.parquet` beside it is made of them
when everything is judged, and at the end.
"""

import os
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from agent.emulator.appending import AppendFile
from agent.emulator.ledger import Batch


@dataclass(slots=True)
class _Rows:
    """The rows of one dataset: which batches they came with, and how many there were before."""

    batches: list[Batch] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    records: int = 0
    end: int = 0  # in bytes

    def add(self, batch: Batch) -> None:
        self.batches.append(batch)
        self.before.append(self.records)
        self.records += batch.lines
        self.end = batch.offset + batch.length


class Datasets:
    """The rows of all datasets, in a directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory / "datasets"
        self._rows: dict[str, _Rows] = {}

    def add(self, batch: Batch) -> None:
        """Count a batch that landed; its rows are written already."""
        self._rows.setdefault(batch.dataset_id, _Rows()).add(batch)

    def cut(self) -> None:
        """Cut off what lies behind the last batch of each dataset. Raises OSError."""
        for folder in self._directory.glob("*"):
            file = folder / "rows.ndjson"
            if file.exists():
                os.truncate(file, self.end(folder.name))

    def end(self, dataset_id: str) -> int:
        """Where the next batch of a dataset begins."""
        rows = self._rows.get(dataset_id)
        return rows.end if rows else 0

    def write(self, dataset_id: str, lines: bytes) -> None:
        """Write the rows of a batch at the end; they count once it is added. Raises OSError."""
        file = self.file(dataset_id)
        file.parent.mkdir(parents=True, exist_ok=True)
        rows = AppendFile.named(file)
        try:
            rows.truncate(self.end(dataset_id))  # a write that failed may have left something
            rows.append(lines)
        finally:
            rows.close()

    def ids(self) -> list[str]:
        """The datasets in which something landed."""
        return list(self._rows)

    def count(self, dataset_id: str) -> int:
        """How many rows a dataset has."""
        rows = self._rows.get(dataset_id)
        return rows.records if rows else 0

    def file(self, dataset_id: str) -> Path:
        """Where its rows are, once it has any."""
        return self._directory / dataset_id / "rows.ndjson"

    def parquet_due(self) -> list[tuple[Path, Path]]:
        """(rows, Parquet file) of each dataset whose Parquet file is older than its rows."""
        due = []
        for dataset_id in self.ids():
            rows = self.file(dataset_id)
            parquet = rows.with_suffix(".parquet")
            if rows.exists() and (
                not parquet.exists() or parquet.stat().st_mtime_ns < rows.stat().st_mtime_ns
            ):
                due.append((rows, parquet))
        return due

    def rows(self, dataset_id: str, offset: int = 0, limit: int = 100) -> Iterator[bytes]:
        """At most `limit` rows without the first `offset`, each a JSON object, in order."""
        rows = self._rows.get(dataset_id)
        if rows is None or offset >= rows.records:
            return
        first = bisect_right(rows.before, offset) - 1
        skip = offset - rows.before[first]
        file = AppendFile.named(self.file(dataset_id))
        try:
            for batch in rows.batches[first:]:
                for line in file.read(batch.offset, batch.length).split(b"\n")[skip:-1]:
                    if limit <= 0:
                        return
                    yield line
                    limit -= 1
                skip = 0
        finally:
            file.close()
