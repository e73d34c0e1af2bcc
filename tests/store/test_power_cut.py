"""The power fails: of what was written since the last sync any part may be on the disk, or none."""

import random
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.record import Batch, DeadLetter, Position, Span
from agent.store import audit
from agent.store.database import open_for_reading
from agent.store.disk import Store, StoreLimits
from agent.store.entry import Entry
from agent.store.partition import Partition

LIMITS = StoreLimits(3e9, 10**9, 10**9, spool_max_bytes=10**9)
SECTOR = 512
COMMITS = 12

Files = tuple[bytes, bytes]  # the store and its log, as a reader sees them


def _batch(number: int) -> Batch:
    body = random.Random(number).randbytes(20_000 + 7_000 * (number % 5))
    span = Span("a.log", number, number * 10, 1)
    return Batch(body, False, 1, len(body), (span,), 1.5, number=number)


def _fold(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "store.db")) as connection:
        assert connection.execute("PRAGMA wal_checkpoint(FULL)").fetchone()[0] == 0


def _opened(data_dir: Path) -> Store:
    return Store.open(data_dir, limits=LIMITS, spool_for=[("k", "inlet")])


async def _append(store: Store, numbers: Sequence[int]) -> None:
    """Write these batches in one commit, and wait until it is durable."""
    batches = [_batch(number) for number in numbers]
    store.read("a.log", Position(numbers[-1] + 1, (numbers[-1] + 1) * 10), len(numbers))
    passed = [span for batch in batches for span in batch.spans]
    await Partition(store, key="k").write(Entry(appended=batches, passed=passed))


def _files(data_dir: Path) -> Files:
    log = data_dir / "store.db-wal"
    return (data_dir / "store.db").read_bytes(), log.read_bytes() if log.exists() else b""


def _put(data_dir: Path, files: Files) -> None:
    data_dir.mkdir()
    (data_dir / "store.db").write_bytes(files[0])
    (data_dir / "store.db-wal").write_bytes(files[1])


def _torn(before: bytes, after: bytes, dice: random.Random) -> bytes:
    """What was synced, and any of the sectors that were written after it."""
    length = max(len(before), len(after)) if dice.random() < 0.5 else len(before)
    share = dice.choice((0.0, 0.2, 0.5, 0.9))
    torn = bytearray(before.ljust(length, b"\0"))
    for start in range(0, min(length, len(after)), SECTOR):
        if dice.random() < share:
            torn[start : start + SECTOR] = after[start : min(start + SECTOR, length)]
    return bytes(torn)


async def _holds(data_dir: Path, files: Files, least: int, most: int) -> None:
    """Whether the store opens, and holds the first batches: all that were durable, in order."""
    _put(data_dir, files)
    store = _opened(data_dir)
    assert not store.salvaged
    found = await Partition(store, key="k").load(0, 10**9)
    assert least <= len(found) <= most
    assert [each.body for each in found] == [_batch(n + 1).body for n in range(len(found))]
    await store.close()
    connection = open_for_reading(data_dir)
    assert connection
    wrong = [check for check in audit.checks(audit.take(connection)) if not check.holds]
    connection.close()
    assert not wrong


@pytest.mark.parametrize("seed", range(12))
async def test_what_was_durable_is_there_whatever_became_of_later_writes_to_the_log(
    seed: int, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    store = _opened(tmp_path / "data")
    store._writer._spacing = 0.0
    store.follow("a.log", Position(1, 10))
    durable = dice.randrange(1, COMMITS)
    for number in range(1, durable + 1):
        await _append(store, [number])
    synced = _files(tmp_path / "data")
    await _append(store, range(durable + 1, COMMITS + 1))  # its sync never came to an end
    later = _files(tmp_path / "data")
    await store.close()
    assert later[0] == synced[0], "the log was not folded meanwhile"
    left = (synced[0], _torn(synced[1], later[1], dice))
    await _holds(tmp_path / "after", left, durable, COMMITS)


@pytest.mark.parametrize("seed", range(12))
async def test_what_was_durable_is_there_though_the_log_was_folded_only_in_part(
    seed: int, tmp_path: Path
) -> None:
    dice = random.Random(seed)
    store = _opened(tmp_path / "data")
    store._writer._spacing = 0.0
    store.follow("a.log", Position(1, 10))
    for number in range(1, COMMITS + 1):
        await _append(store, [number])
    file, log = _files(tmp_path / "data")
    await store.close()  # folds it; that the log goes is the last thing to happen
    folded, _ = _files(tmp_path / "data")
    assert folded != file
    await _holds(tmp_path / "after", (_torn(file, folded, dice), log), COMMITS, COMMITS)


async def test_a_dead_letter_that_is_met_again_makes_no_log_look_old(
    tmp_path: Path, letter: Callable[..., DeadLetter]
) -> None:
    """A record that an earlier run had dead-lettered is read again, and taken off the books."""
    store = _opened(tmp_path / "data")
    store.follow("a.log", Position(1, 10), "identity")
    store.read("a.log", Position(4, 40), 3)
    known = replace(letter(), source="a.log", position=Position(2, 20))
    await store.write(Entry(dead_letters=[known], passed=[Span("a.log", 2, 20, 1)]))
    await store.close()

    store = _opened(tmp_path / "data")
    store.follow("a.log", Position(1, 10), "identity")
    store.read("a.log", Position(4, 40), 3)
    spooled = Entry(appended=[_batch(1)], passed=[Span("a.log", 1, 10, 3)])
    await Partition(store, key="k").write(spooled)
    _fold(tmp_path / "data")
    await store.write(Entry(dead_letters=[known]))
    left = _files(tmp_path / "data")
    await store.close()
    _put(tmp_path / "after", left)
    store = _opened(tmp_path / "after")
    assert not store.salvaged
    assert len(await Partition(store, key="k").load(0, 10**9)) == 1
    await store.close()
