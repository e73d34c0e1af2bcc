import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import StoreCorrupt, StoreError, StoreFormat
from agent.store.database import open_for_reading, open_for_writing
from agent.store.disk import Store
from agent.store.schema import FORMAT


@pytest.fixture
def somebody_else() -> Iterator[None]:
    """Be no superuser for a while, since nothing is forbidden to one."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def make_store(data_dir: Path) -> Path:
    connection, salvaged = open_for_writing(data_dir)
    connection.close()
    assert not salvaged
    return data_dir / "store.db"


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_new_store_is_its_owners_alone(tmp_path):
    data_dir = tmp_path / "deep" / "down"
    connection, _ = open_for_writing(data_dir)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data_dir.iterdir()}
    connection.close()
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}


def test_the_store_is_set_up_to_lose_nothing(tmp_path):
    connection, _ = open_for_writing(tmp_path)
    names = ("page_size", "journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    names += ("auto_vacuum", "user_version")
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]
    connection.close()
    assert found == [32768, "wal", 2, 1, 10_000, 2, FORMAT]


def test_the_log_of_a_small_store_can_be_kept_small(tmp_path):
    connection, _ = open_for_writing(tmp_path, checkpoint_pages=7)
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone()[0] == 7
    connection.close()


def test_a_store_of_a_newer_format_is_refused_untouched(tmp_path):
    path = make_store(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    connection.close()
    before = contents(tmp_path)
    with pytest.raises(StoreFormat, match="newer agent"):
        open_for_writing(tmp_path)
    assert contents(tmp_path) == before
    with pytest.raises(StoreFormat, match="newer agent"):
        open_for_reading(tmp_path)
    assert path.read_bytes() == before["store.db"]


def test_a_newer_format_that_only_the_log_tells_of_is_refused_untouched(tmp_path):
    path = make_store(tmp_path / "running")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    crashed = tmp_path / "crashed"
    crashed.mkdir()
    for name in ("store.db", "store.db-wal"):
        (crashed / name).write_bytes((path.parent / name).read_bytes())
    connection.close()
    before = contents(crashed)
    with pytest.raises(StoreFormat, match="newer agent"):
        open_for_writing(crashed)
    after = contents(crashed)
    assert {name: after[name] for name in before} == before


@pytest.mark.parametrize("garbage", [b"x", b"not a database\n" * 10_000, b"SQLite format 3\0"])
async def test_what_is_no_store_is_set_aside_and_a_new_one_begun(
    tmp_path, limits, receipt, garbage
):
    (tmp_path / "store.db").write_bytes(garbage)
    (tmp_path / "store.db-wal").write_bytes(b"its log")
    store = Store.open(tmp_path, limits=limits)
    (salvaged,) = store.salvaged
    assert salvaged.set_aside.name.startswith("store.db.corrupt-")
    assert salvaged.set_aside.read_bytes() == garbage
    log = salvaged.set_aside.with_name(salvaged.set_aside.name + "-wal")
    assert log.read_bytes() == b"its log"
    await store.settle([receipt()], [])
    await store.close()
    connection, salvaged = open_for_writing(tmp_path)
    connection.close()
    assert not salvaged


def test_two_files_set_aside_within_a_second_both_stay(tmp_path):
    asides = set()
    for garbage in (b"one", b"two"):
        (tmp_path / "store.db").write_bytes(garbage)
        connection, salvaged = open_for_writing(tmp_path)
        connection.close()
        asides.add(salvaged[0].set_aside)
    assert {aside.read_bytes() for aside in asides} == {b"one", b"two"}


@pytest.mark.parametrize("missing", [1, 32768, 200_000])
def test_a_store_cut_short_is_set_aside(tmp_path, missing):
    path = make_store(tmp_path)
    os.truncate(path, path.stat().st_size - missing)
    left = path.read_bytes()
    connection, salvaged = open_for_writing(tmp_path)
    connection.close()
    assert salvaged[0].set_aside.read_bytes() == left


def test_a_damaged_schema_is_set_aside(tmp_path):
    path = make_store(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[100:300] = b"\xff" * 200
    path.write_bytes(whole)
    connection, salvaged = open_for_writing(tmp_path)
    connection.close()
    assert salvaged


def test_a_suspicion_that_proves_wrong_is_dropped(tmp_path):
    path = make_store(tmp_path)
    suspicion = path.with_name("store.db.suspect")
    suspicion.touch()
    connection, salvaged = open_for_writing(tmp_path)
    connection.close()
    assert not salvaged
    assert not suspicion.exists()


def test_another_programs_database_is_refused_untouched(tmp_path):
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("CREATE TABLE theirs (a)")
    connection.close()
    before = contents(tmp_path)
    for opening in (open_for_writing, open_for_reading):
        with pytest.raises(StoreError, match="another program"):
            opening(tmp_path)
    assert contents(tmp_path) == before


def test_an_empty_file_becomes_a_store(tmp_path):
    (tmp_path / "store.db").touch()
    assert open_for_reading(tmp_path) is None
    make_store(tmp_path)


def test_there_may_be_nothing_to_read(tmp_path):
    assert open_for_reading(tmp_path / "nowhere") is None


def test_reading_garbage_says_what_to_do(tmp_path):
    (tmp_path / "store.db").write_bytes(b"not a database\n" * 100)
    with pytest.raises(StoreCorrupt, match="sets the file aside"):
        open_for_reading(tmp_path)


def test_a_reader_cannot_write(tmp_path):
    make_store(tmp_path)
    connection = open_for_reading(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM receipts")
    connection.close()


def test_a_directory_that_is_a_file_is_refused_with_a_way_out(tmp_path):
    (tmp_path / "taken").touch()
    with pytest.raises(StoreError, match="--data-dir"):
        open_for_writing(tmp_path / "taken")


@pytest.mark.usefixtures("somebody_else")
def test_a_directory_without_permission_is_refused_with_a_way_out(tmp_path_factory):
    forbidden = Path("/root" if Path("/root").exists() else "/")
    with pytest.raises(StoreError, match=r"permission denied.*--data-dir"):
        open_for_writing(forbidden / "aep-agent-test")


def test_a_relative_directory_with_odd_characters_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_store(Path("a b?c#d%20"))
    connection = open_for_reading(Path("a b?c#d%20"))
    assert connection is not None
    connection.close()
