"""Verdicts to settle, and stores to settle them in."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest

from agent.record import DeadLetter, Position, Receipt, Span, XactionIds
from agent.store.disk import Store, StoreLimits
from store.bench import Bench
from torture.disk import SmallDisk, can_mount


@pytest.fixture
def limits() -> StoreLimits:
    return StoreLimits(receipts_keep=3e9, receipts_max_bytes=10**9, dead_letters_max_bytes=10**9)


@pytest.fixture
async def store(tmp_path: Path, limits: StoreLimits) -> AsyncIterator[Store]:
    opened = Store.open(tmp_path, limits=limits)
    yield opened
    await opened.close()


@pytest.fixture
def receipt() -> Callable[..., Receipt]:
    def make(number: int = 0, **changes: object) -> Receipt:
        fields: dict[str, object] = {
            "accepted_at": 1_700_000_000.125 + number,
            "received_time_ms": 1_700_000_000_000 + number,
            "batch_id": f"{1565628583792 + number}:1485:153",
            "ids": XactionIds(f"{1565628583792 + number}:1485:153:", (range(10),)),
            "spans": (Span("orders.ndjson", 1 + number * 10, number * 1000, 10),),
            "attempts": 1,
        }
        return Receipt(**(fields | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def letter() -> Callable[..., DeadLetter]:
    def make(record: bytes = b'{"a":', **changes: object) -> DeadLetter:
        fields: dict[str, object] = {
            "record": record,
            "length": len(record),
            "reason": "invalid_json",
            "stage": "validate",
            "message": "the object is not closed (byte 5)",
            "source": "orders.ndjson",
            "position": Position(7, 4096),
            "attempts": 0,
            "first_at": 1_700_000_000.125,
            "last_at": 1_700_000_001.5,
        }
        return DeadLetter(**(fields | changes))  # type: ignore[arg-type]

    return make


@pytest.fixture
def reopened(tmp_path: Path) -> Iterator[Callable[[], object]]:
    """A connection that only reads, to what is in the store by then."""
    from agent.store.database import open_for_reading

    connections = []

    def open_again() -> object:
        connection = open_for_reading(tmp_path)
        assert connection is not None
        connections.append(connection)
        return connection

    yield open_again
    for connection in connections:
        connection.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MiB. Mounting one takes a superuser, which CI is."""
    if not can_mount():
        pytest.skip("NOT RUN: only a superuser can mount the small disk that this test fills")
    place = tmp_path / "disk"
    with SmallDisk(place, 6 << 20):
        yield place


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A store with a spool, which must balance at the end."""
    bench = Bench(tmp_path)
    yield bench
    await bench.store.close()
    bench.balanced()
