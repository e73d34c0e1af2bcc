"""What has the inlet seen so far, in numbers?"""

import time
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from itertools import islice
from typing import Any

from agent.emulator.throughput import Throughput

MAX_HASHES = 5_000_000  # about 0.5 GB when all are in use, and as much for ids
UNANSWERED = "none"


class Counts:
    """Counters of one emulator since it started, or since they were last cleared.

    A duplicate is a record whose exact bytes were accepted before; a repeated id is one that a
    record brought before, so that Profile ignores the record. At most `max_hashes` distinct records
    and as many ids are remembered for that; later ones are compared with these only.
    """

    def __init__(self, max_hashes: int = MAX_HASHES) -> None:
        self._max_hashes = max_hashes
        self.throughput = Throughput()
        self._in_flight = 0
        self._seen_connections: weakref.WeakSet[Any] = weakref.WeakSet()
        self.clear()

    def clear(self) -> None:
        """Count from zero again. Requests being answered stay in flight."""
        self._started = time.monotonic()
        self._connections = 0
        self._seen_connections.clear()
        self._statuses: Counter[str] = Counter()
        self._paths: Counter[str] = Counter()
        self._gzip_requests = 0
        self._bytes_wire = 0
        self._bytes_uncompressed = 0
        self.forget_records()

    def forget_records(self) -> None:
        """Count records from zero again."""
        self._accepted: Counter[str] = Counter()
        self._rejected = 0
        self._records = _Seen(self._max_hashes)
        self._event_ids = _Seen(self._max_hashes)

    @contextmanager
    def request(self, path: str, connection: object) -> Iterator[None]:
        """Count one request of an endpoint as in flight while it is being answered."""
        if connection is not None and connection not in self._seen_connections:
            self._seen_connections.add(connection)
            self._connections += 1
        self._paths[path] += 1
        self._in_flight += 1
        try:
            yield
        finally:
            self._in_flight -= 1

    def body(self, wire: bytes, text: bytes | None, encoding: str) -> None:
        """Count a body; `text` is None where it could not be read."""
        self._bytes_wire += len(wire)
        self._bytes_uncompressed += len(text or b"")
        self._gzip_requests += encoding == "gzip"

    def answered(self, status: int | None) -> None:
        """Count an answer, or with None a request that never gets a whole one."""
        self._statuses[UNANSWERED if status is None else str(status)] += 1

    def accepted(
        self, flow_id: str, records: Sequence[bytes], event_ids: Sequence[bytes] = ()
    ) -> None:
        """Count accepted records of a flow and the ids in them, and which of both came before."""
        self._accepted[flow_id] += len(records)
        self.throughput.accepted(len(records))
        self._records.add(records)
        self._event_ids.add(event_ids)

    def rejected(self, count: int) -> None:
        """Count refused records."""
        self._rejected += count
        self.throughput.refused(count)

    def as_json(self) -> dict[str, Any]:
        """All of them, under the names that /_emulator/stats documents."""
        return {
            "seconds": round(time.monotonic() - self._started, 3),
            "connections": self._connections,
            "requests": self._paths.total(),
            "requests_in_flight": self._in_flight,
            "requests_by_path": dict(self._paths),
            "requests_by_status": dict(self._statuses),
            "requests_gzip": self._gzip_requests,
            "bytes_wire": self._bytes_wire,
            "bytes_uncompressed": self._bytes_uncompressed,
            "records_accepted": self._accepted.total(),
            "records_rejected": self._rejected,
            "records_by_flow": dict(self._accepted),
            "duplicates": self._records.repeats,
            "repeated_ids": self._event_ids.repeats,
        }


class _Seen:
    """Counts what came before, and remembers only so many hashes for that."""

    def __init__(self, max_hashes: int) -> None:
        self.repeats = 0
        self._max_hashes = max_hashes
        self._hashes: set[bytes] = set()

    def add(self, texts: Sequence[bytes]) -> None:
        hashes = [sha1(text, usedforsecurity=False).digest()[:16] for text in texts]
        known = len(self._hashes)
        if known + len(hashes) <= self._max_hashes:
            self._hashes.update(hashes)
            self.repeats += len(hashes) - (len(self._hashes) - known)
            return
        fresh = {each for each in hashes if each not in self._hashes}
        self.repeats += len(hashes) - len(fresh)
        self._hashes.update(islice(fresh, max(self._max_hashes - known, 0)))
