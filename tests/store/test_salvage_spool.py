"""What an agent had spooled is sent by the agent that finds the store damaged."""

import random
from pathlib import Path

import pytest

from agent.record import Batch, Position, Span
from agent.store.disk import Store, StoreLimits
from agent.store.layout import root_of
from agent.store.ledger import residue
from agent.store.partition import Partition
from agent.store.spool import DiskSpool, SpoolLimits
from store.filled import PAGE

LIMITS = SpoolLimits(max_bytes=10**9, ready_bytes=10**6, write_after=0.0)
STORE = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**9)
COUNT = 30


async def spool(data_dir: Path) -> dict[int, bytes]:
    """Have thirty batches of a file spooled; their bodies by their first line."""
    store = Store.open(data_dir, limits=STORE, spool_for=[("k", "inlet")])
    batches = DiskSpool(Partition(store, key="k"), LIMITS)
    dice = random.Random(11)
    store.follow("a.log", Position(1, 0), "inode 7")
    bodies = {}
    for line in range(1, 2 * COUNT, 2):
        body = bodies[line] = dice.randbytes(dice.randrange(100, 90_000))
        store.read("a.log", Position(line + 2, 10 * line + 20), 2)
        span = Span("a.log", line, 10 * line, 2)
        await batches.append(Batch(body, False, 2, len(body), (span,), 1.5))
    batches.write()
    await store.close()
    return bodies


def damage(path: Path, page: int) -> None:
    content = bytearray(path.read_bytes())
    content[page * PAGE : (page + 1) * PAGE] = bytes(PAGE)
    path.write_bytes(content)


async def leased(store: Store) -> list[Batch]:
    batches = DiskSpool(Partition(store, key="k"), LIMITS)
    found = []
    while (mine := batches.statistics()).batches > mine.leased:
        batch = await batches.lease()
        assert batch
        found.append(batch)
    return found


ROOTS = [root_of(table) - 1 for table in ("sources", "destinations", "spool")]


@pytest.mark.parametrize("page", [0, 1, *ROOTS])
async def test_what_was_spooled_is_offered_again_in_its_order(tmp_path, page):
    bodies = await spool(tmp_path)
    damage(tmp_path / "store.db", page)
    (tmp_path / "store.db.suspect").touch()
    store = Store.open(tmp_path, limits=STORE, spool_for=[("k", "inlet")])
    (salvaged,) = store.salvaged
    assert (salvaged.batches, salvaged.records, salvaged.damaged_batches) == (COUNT, 2 * COUNT, 0)
    offered = await leased(store)
    assert [(batch.spans[0].line, batch.body) for batch in offered] == list(bodies.items())
    assert store.balance.held == 2 * COUNT
    assert residue(store.balance.ledger, store.balance.held) == 0
    assert store.contents.saved["a.log"].identity == "inode 7"
    await store.close()


async def test_a_batch_that_is_not_as_it_was_written_is_held_and_told(tmp_path):
    bodies = await spool(tmp_path)
    path = tmp_path / "store.db"
    content = bytearray(path.read_bytes())
    line, body = next((line, body) for line, body in bodies.items() if len(body) > 50_000)
    content[content.find(body[40_000:40_100])] ^= 1
    content[:PAGE] = bytes(PAGE)
    path.write_bytes(content)
    store = Store.open(tmp_path, limits=STORE, spool_for=[("k", "inlet")])
    (salvaged,) = store.salvaged
    assert (salvaged.batches, salvaged.damaged_batches) == (COUNT, 1)
    assert salvaged.damaged_lines == (f"a.log:{line}-{line + 1}",)
    assert store.contents.spool
    (held,) = store.contents.spool.held
    assert (held.name, held.batches, held.records) == ("damaged", 1, 2)
    assert len(await leased(store)) == COUNT - 1
    assert residue(store.balance.ledger, store.balance.held) == 0
    await store.close()


async def test_what_no_page_tells_of_any_more_counts_as_dropped_and_is_told(tmp_path):
    bodies = await spool(tmp_path)
    path = tmp_path / "store.db"
    body = next(body for body in bodies.values() if len(body) > 50_000)
    damage(path, path.read_bytes().find(body[:100]) // PAGE)
    (tmp_path / "store.db.suspect").touch()
    store = Store.open(tmp_path, limits=STORE, spool_for=[("k", "inlet")])
    (salvaged,) = store.salvaged
    assert salvaged.batches < COUNT
    assert salvaged.lost_records == 2 * (COUNT - salvaged.batches)
    assert store.balance.ledger["dropped", "damaged"] == salvaged.lost_records
    assert residue(store.balance.ledger, store.balance.held) == 0
    assert salvaged.told()["lost_records"] == salvaged.lost_records
    assert len(await leased(store)) == salvaged.batches
    await store.close()
