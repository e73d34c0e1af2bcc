"""Damage of the write-ahead log, which holds what was durable last."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.store.database import open_for_writing
from store.filled import PAGE, Opened, append_batch, append_receipt, is_sound, make_filled

STEP = PAGE + 24
FIRST, LAST = 100, 120  # the batches that are only in the log


class Crashed:
    """A store's file and its log, as a crash left them."""

    def __init__(self, data_dir: Path) -> None:
        path = make_filled(data_dir, batches=3, letters=3, receipts=30)
        self.alone = path.read_bytes()
        connection, _ = open_for_writing(data_dir, checkpoint_pages=0)
        dice = random.Random(5)
        self.bodies: dict[int, bytes] = {}
        self.ends: dict[int, int] = {}  # of the log, after the batch of that number
        for number in range(FIRST, LAST):
            self.bodies[number] = dice.randbytes(60_000)
            connection.execute("BEGIN")
            append_batch(connection, number, self.bodies[number])
            append_receipt(connection, number)
            connection.execute("UPDATE ledger SET records = records + 10 WHERE entry = 'accepted'")
            connection.execute("UPDATE ledger SET records = records + 20 WHERE entry = 'read'")
            connection.execute(
                "UPDATE spool_kept SET batches = batches + 1, records = records + 10"
            )
            connection.execute("UPDATE spool_kept SET bytes = bytes + 60000")
            connection.execute("COMMIT")
            self.ends[number] = path.with_name("store.db-wal").stat().st_size
        self.file, self.log = path.read_bytes(), path.with_name("store.db-wal").read_bytes()
        connection.close()
        self.closed = path.read_bytes()

    def put(self, data_dir: Path, log: bytes, file: bytes | None = None) -> None:
        (data_dir / "store.db").write_bytes(self.file if file is None else file)
        (data_dir / "store.db-wal").write_bytes(log)


@pytest.fixture(scope="module")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Crashed:
    return Crashed(tmp_path_factory.mktemp("crashed"))


def touched(log: bytes, start: int, end: int, bodies: dict[int, bytes]) -> set[int]:
    """The batches that have some of their bytes in that part of the log."""
    part = log[start:end]
    pieces = {
        n: [body[at : at + 40] for at in range(0, 60_000, 1000)] for n, body in bodies.items()
    }
    return {number for number, found in pieces.items() if any(each in part for each in found)}


def in_header(log: bytearray, dice: random.Random) -> tuple[int, int]:
    log[dice.randrange(32)] ^= 1 << dice.randrange(8)
    return 0, 0


def in_frame_header(log: bytearray, dice: random.Random) -> tuple[int, int]:
    start = 32 + dice.randrange(len(log) // STEP // 2) * STEP
    log[start + dice.randrange(24)] ^= 1 << dice.randrange(8)
    return start, start + STEP


def in_page(log: bytearray, dice: random.Random) -> tuple[int, int]:
    start = 32 + dice.randrange(len(log) // STEP // 2) * STEP
    log[start + 24 + dice.randrange(PAGE)] ^= 1 << dice.randrange(8)
    return start, start + STEP


def zeroed(log: bytearray, dice: random.Random) -> tuple[int, int]:
    start = 32 + dice.randrange(len(log) // STEP // 2) * STEP
    log[start : start + STEP] = bytes(STEP)
    return start, start + STEP


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("damage", [in_header, in_frame_header, in_page, zeroed])
def test_what_was_durable_in_the_log_survives_damage_elsewhere_in_it(
    tmp_path, crashed, damage: Callable[[bytearray, random.Random], tuple[int, int]], seed
):
    log = bytearray(crashed.log)
    start, end = damage(log, random.Random(f"{damage.__name__} {seed}"))
    crashed.put(tmp_path, bytes(log))
    opened = Opened(tmp_path)
    is_sound(opened)
    lost = touched(crashed.log, start, end, crashed.bodies)
    found = opened.batches
    for number in crashed.bodies.keys() - lost:
        assert found.get(number) == crashed.bodies[number]
    for salvaged in opened.salvaged:
        aside = salvaged.set_aside
        assert aside.read_bytes() == crashed.file
        assert aside.with_name(aside.name + "-wal").read_bytes() == log
    again = Opened(tmp_path)
    assert (again.salvaged, again.rows) == ((), opened.rows)


@pytest.mark.parametrize("seed", range(10))
def test_a_log_that_ends_too_early_gives_every_transaction_before_its_end(tmp_path, crashed, seed):
    size = random.Random(seed).randrange(len(crashed.log))
    crashed.put(tmp_path, crashed.log[:size])
    opened = Opened(tmp_path)
    is_sound(opened)
    assert not opened.salvaged
    expected = {number for number, end in crashed.ends.items() if end <= size}
    assert {number for number in opened.batches if number >= FIRST} == expected


def test_a_log_that_is_gone_leaves_what_the_file_has(tmp_path, crashed):
    (tmp_path / "store.db").write_bytes(crashed.file)
    opened = Opened(tmp_path)
    is_sound(opened)
    assert opened.batches.keys() == {1, 2}


@pytest.mark.parametrize("garbage", [b"its log", b"\xa5" * 200_000, bytes(200_000)])
def test_a_log_of_garbage_costs_no_row(tmp_path, crashed, garbage):
    crashed.put(tmp_path, garbage, crashed.closed)
    opened = Opened(tmp_path)
    is_sound(opened)
    assert opened.batches.keys() == {1, 2, *crashed.bodies}


def test_a_log_of_an_older_copy_costs_no_row(tmp_path, crashed):
    crashed.put(tmp_path, crashed.log[: crashed.ends[FIRST + 5]], crashed.closed)
    opened = Opened(tmp_path)
    is_sound(opened)
    assert opened.batches.keys() == {1, 2, *crashed.bodies}


@pytest.mark.parametrize("seed", range(6))
def test_a_file_cut_short_beside_its_log_loses_only_what_was_cut(tmp_path, crashed, seed):
    size = random.Random(seed).randrange(1, len(crashed.alone))
    crashed.put(tmp_path, crashed.log, crashed.file[:size])
    opened = Opened(tmp_path)
    is_sound(opened)
    assert opened.batches.keys() >= crashed.bodies.keys()


def test_a_crash_in_mid_transaction_is_no_damage(tmp_path, crashed):
    log = bytearray(crashed.log)
    os_page = crashed.ends[LAST - 2] + 24 + 4096
    log[os_page : os_page + 4096] = bytes(4096)  # a block that never came to the disk
    crashed.put(tmp_path, bytes(log))
    opened = Opened(tmp_path)
    is_sound(opened)
    assert not opened.salvaged
    assert opened.batches.keys() >= {*range(FIRST, LAST - 1)}
