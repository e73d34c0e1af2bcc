"""Do several flows share a store without getting in each other's way?"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.record import Batch, DeadLetter, Position, Row, Span
from agent.store import audit, dead_letters
from agent.store.database import open_for_reading
from agent.store.disk import Store, StoreLimits
from agent.store.entry import Entry
from agent.store.partition import Partition
from agent.store.spool import DiskSpool, SpoolLimits

BOTH = [("a", "inlet a"), ("b", "inlet b")]
LIMITS = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**9)
SPOOL = SpoolLimits(max_bytes=10**9, ready_bytes=10**6, write_after=0.0)


def opened(
    data_dir: Path, flows: list[tuple[str, str]] = BOTH, limits: SpoolLimits = SPOOL
) -> tuple[Store, dict[str, DiskSpool]]:
    store = Store.open(data_dir, limits=LIMITS, spool_for=flows)
    spools = {key: DiskSpool(Partition(store, key, key), limits) for key, _ in flows}
    return store, spools


def batch(store: Store, source: str, number: int) -> Batch:
    if number == 1:
        store.follow(source, Position(1, 0))
    store.read(source, Position(number + 1, number * 10), 1)
    body = f"{source} {number}".encode()
    span = Span(source, number, number * 10 - 10, 1)
    return Batch(body, False, 1, len(body), (span,), 1.5)


async def filled(store: Store, spools: dict[str, DiskSpool], each: int = 50) -> None:
    """Batches of all flows by turns, all of them durable."""
    for number in range(1, each + 1):
        for key, spool in spools.items():
            await spool.append(batch(store, key, number))
    for spool in spools.values():
        spool.write()
    await store.write(Entry(dropped={"nothing": 0}))


def balanced(data_dir: Path) -> None:
    connection = open_for_reading(data_dir)
    assert connection
    with closing(connection):
        assert [check for check in audit.checks(audit.take(connection)) if not check.holds] == []


async def bodies(store: Store, spool: DiskSpool) -> list[bytes]:
    found = []
    spool.close()
    while one := await asyncio.wait_for(spool.lease(), 10):
        found.append(one.body)
        change = spool.settle(one)
        passed = () if one.stored else one.spans
        entry = Entry(removed=change.removed, passed=passed, dropped={"test": 1})
        await store.write(entry)
    return found


async def test_each_flow_is_given_its_own_batches_before_a_restart_and_after(
    tmp_path: Path,
) -> None:
    small = SpoolLimits(max_bytes=10**9, ready_bytes=3000, write_after=0.0)
    store, spools = opened(tmp_path, limits=small)
    await filled(store, spools)
    assert sorted(await bodies(store, spools["a"])) == sorted(b"a %d" % n for n in range(1, 51))
    await store.close()
    balanced(tmp_path)

    store, spools = opened(tmp_path, list(reversed(BOTH)), small)
    assert [spools[key].statistics().records for key in ("a", "b")] == [0, 50]
    assert await bodies(store, spools["b"]) == [b"b %d" % n for n in range(1, 51)]
    assert await bodies(store, spools["a"]) == []
    await store.close()
    balanced(tmp_path)


@pytest.mark.parametrize("first", ["a", "b"])
async def test_what_waits_for_whom_is_counted_whichever_flow_comes_first(
    tmp_path: Path, first: str
) -> None:
    store, spools = opened(tmp_path, [*BOTH, ("gone", "inlet gone")])
    await filled(store, spools, 7)
    await spools["a"].append(batch(store, "a", 8))
    spools["a"].write()
    await store.close()
    flows = sorted(BOTH, key=lambda flow: flow[0] != first)
    store, spools = opened(tmp_path, flows)
    found = store.contents.spool
    assert found
    assert {key: own.share.records for key, own in found.mine.items()} == {"a": 8, "b": 7}
    assert [(share.name, share.records) for share in found.others] == [("inlet gone", 7)]
    assert {key: spool.statistics().batches for key, spool in spools.items()} == {"a": 8, "b": 7}
    await store.close()


async def test_no_two_batches_of_any_flows_have_the_same_number(tmp_path: Path) -> None:
    store, spools = opened(tmp_path)
    await filled(store, spools, 5)
    leased = [await spool.lease() for spool in spools.values() for _ in range(5)]
    numbers = [one.number for one in leased if one]
    assert len(set(numbers)) == 10
    assert {one.row for one in leased if one} == {Row.THERE}
    await store.close()
    store, spools = opened(tmp_path)
    await spools["b"].append(new := batch(store, "b", 6))
    assert new.number > max(numbers)
    await store.close()


async def test_a_dead_letter_is_of_the_flow_that_wrote_it(tmp_path: Path) -> None:
    store = Store.open(tmp_path, limits=LIMITS)
    for flow in ("a", "b", ""):
        place = Position(1, 0)
        letter = DeadLetter(b"{", 1, "invalid_json", "validate", "no", flow, place, 0, 1.0, 1.0)
        await Partition(store, flow).write(Entry(dead_letters=(letter,)))
    await store.close()
    connection = open_for_reading(tmp_path)
    assert isinstance(connection, sqlite3.Connection)
    with closing(connection):
        assert [each.flow for each in dead_letters.each(connection)] == ["a", "b", None]
        for flow, ids in (("a", [1]), ("b", [2]), ("", [3]), (None, [1, 2, 3])):
            selection = dead_letters.Selection(flow=flow)
            assert [each.id for each in dead_letters.each(connection, selection)] == ids


async def test_a_flow_that_comes_later_finds_what_waits_for_it_and_no_more(tmp_path: Path) -> None:
    store, spools = opened(tmp_path)
    await filled(store, spools)
    await store.close()
    store, spools = opened(tmp_path, BOTH[:1])
    await filled(store, {"a": spools["a"]})
    for key, records in (("b", 50), ("c", 0)):
        await store.destination(key, f"inlet {key}")
        assert Partition(store, key, key).found.records == records
    spools["b"] = DiskSpool(Partition(store, "b", "b"), SPOOL)
    store.follow("b", Position(51, 500))
    for number in range(51, 61):
        await spools["b"].append(batch(store, "b", number))
    spools["b"].write()
    assert await bodies(store, spools["b"]) == [f"b {n}".encode() for n in range(1, 61)]
    assert len(await bodies(store, spools["a"])) == 100
    await store.close()
    balanced(tmp_path)
