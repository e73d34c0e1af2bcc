"""What has the inlet seen so far, in numbers?"""

import time
import weakref
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha1
from itertools import islice
from typing import Any

MAX_HASHES = 5_000_000  # about 0.5 GB when all are in use
UNANSWERED = "none"


class Counts:
    """Counters of one emulator since it started, or since they were last cleared.

    A duplicate is a record whose exact bytes were accepted before. At most `max_hashes` distinct
    records are remembered for that; later ones are compared with these only.
    """

    def __init__(self, max_hashes: int = MAX_HASHES) -> None:
        self._max_hashes = max_hashes
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
        self._duplicates = 0
        self._hashes: set[bytes] = set()

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

    def accepted(self, flow_id: str, records: Sequence[bytes]) -> None:
        """Count accepted records of a flow, and which of them came before."""
        self._accepted[flow_id] += len(records)
        hashes = [sha1(record, usedforsecurity=False).digest()[:16] for record in records]
        known = len(self._hashes)
        if known + len(hashes) <= self._max_hashes:
            self._hashes.update(hashes)
            self._duplicates += len(hashes) - (len(self._hashes) - known)
            return
        fresh = {each for each in hashes if each not in self._hashes}
        self._duplicates += len(hashes) - len(fresh)
        self._hashes.update(islice(fresh, max(self._max_hashes - known, 0)))

    def rejected(self, count: int) -> None:
        """Count refused records."""
        self._rejected += count

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
            "duplicates": self._duplicates,
        }
