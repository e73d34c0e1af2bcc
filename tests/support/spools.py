"""What is in an agent's spool, and how does a test fill one without waiting for an agent?"""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from agent.record import Batch, Position, Span
from agent.store.disk import Store, StoreLimits
from agent.store.entry import Entry
from agent.store.partition import Partition

_ROWS_AN_ENTRY = 2000


def spooled(data_dir: Path) -> int:
    """Records in the spool, for whichever destination."""
    if not (data_dir / "store.db").exists():
        return 0
    with closing(sqlite3.connect(data_dir / "store.db")) as connection:
        try:
            return int(connection.execute("SELECT records FROM spool_kept").fetchone()[0])
        except sqlite3.OperationalError:  # not made yet
            return 0


def fill(data_dir: Path, batches: Sequence[Sequence[bytes]]) -> None:
    """Spool these records, of standard input, behind what an agent has spooled there.

    No agent may be running, and one must have run: it says for which destination they are.
    """
    asyncio.run(_filled(data_dir, batches))


async def _filled(data_dir: Path, batches: Sequence[Sequence[bytes]]) -> None:
    with closing(sqlite3.connect(data_dir / "store.db")) as connection:
        (destination,) = connection.execute("SELECT key, name FROM destinations").fetchall()
    limits = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**10)
    store = Store.open(data_dir, limits=limits, spool_for=[destination])
    assert store.contents.spool
    partition = Partition(store, key=destination[0])
    number, place = store.contents.spool.newest, Position(1, 0)
    store.follow("stdin", place)
    for first in range(0, len(batches), _ROWS_AN_ENTRY):
        appended = []
        for records in batches[first : first + _ROWS_AN_ENTRY]:
            number += 1
            span = Span("stdin", place.line, place.offset, len(records))
            body = b'{"messages":[' + b",\n".join(records) + b"]}"
            appended.append(
                Batch(body, False, len(records), len(body), (span,), 1.5, number=number)
            )
            size = sum(map(len, records)) + len(records)
            place = Position(place.line + len(records), place.offset + size)
        store.read("stdin", place, sum(batch.count for batch in appended))
        passed = [span for batch in appended for span in batch.spans]
        await partition.write(Entry(appended=appended, passed=passed))
    await store.close()
