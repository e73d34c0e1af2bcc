"""What may be wrong with the place of a store, and what is said about it."""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from agent.errors import StoreError, StoreFull
from agent.store.database import open_for_writing
from agent.store.disk import Store
from agent.store.reserve import Reserve
from store.filled import Opened, is_sound, make_filled

NOBODY = 65534


@contextmanager
def nobody() -> Iterator[None]:
    """Be no superuser for a while, since nothing is forbidden to one."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def refusal(data_dir: Path) -> str:
    """What is said to a user who is no superuser."""
    with nobody(), pytest.raises(StoreError) as caught:
        open_for_writing(data_dir)
    return str(caught.value)


@pytest.fixture
def theirs() -> Iterator[Path]:
    """A filled store's directory, in a place that everybody can get at."""
    with TemporaryDirectory(prefix="aep-agent-test-") as place:
        Path(place).chmod(0o755)
        data_dir = Path(place, "data")
        make_filled(data_dir, batches=3, letters=3, receipts=30)
        if os.geteuid() == 0:
            for path in (data_dir, *data_dir.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        yield data_dir
        for path in (data_dir, *data_dir.iterdir()):
            path.chmod(0o700)


def test_a_store_of_ones_own_opens(theirs):
    with nobody():
        open_for_writing(theirs)[0].close()


@pytest.mark.parametrize("mode", [0o500, 0o000], ids=oct)
def test_a_directory_that_cannot_be_written_is_refused_with_a_way_out(theirs, mode):
    before = (theirs / "store.db").read_bytes()
    theirs.chmod(mode)
    assert re.search("writable|--data-dir", refusal(theirs))
    theirs.chmod(0o700)
    assert (theirs / "store.db").read_bytes() == before
    assert not list(theirs.glob("*corrupt*"))


@pytest.mark.parametrize("mode", [0o400, 0o000], ids=oct)
def test_a_file_that_cannot_be_written_is_refused_with_a_way_out(theirs, mode):
    (theirs / "store.db").chmod(mode)
    assert re.search("permission denied.*--data-dir", refusal(theirs))
    assert not list(theirs.glob("*corrupt*"))


def test_a_store_of_another_user_is_refused_with_a_way_out(theirs):
    if os.geteuid() != 0:
        pytest.skip("NOT RUN: only a superuser can give a file to another user")
    os.chown(theirs / "store.db", 1, 1)
    assert re.search("permission denied.*--data-dir", refusal(theirs))
    assert (theirs / "store.db").stat().st_uid == 1


@pytest.mark.parametrize("name", ["store.db", "store.db-wal"])
def test_a_directory_in_the_place_of_a_file_is_refused_and_stays(tmp_path, name):
    if name != "store.db":
        make_filled(tmp_path, batches=3, letters=3, receipts=30)
    (tmp_path / name).mkdir()
    with pytest.raises(StoreError, match=r"store\.db"):
        open_for_writing(tmp_path)
    assert (tmp_path / name).is_dir()


async def test_a_directory_that_vanishes_while_running_fails_no_verdict_silently(
    tmp_path, limits, letter
):
    store = Store.open(tmp_path / "data", limits=limits)
    await store.settle([], [letter()])
    shutil.rmtree(tmp_path / "data")
    waiting = store.settle([], [letter()])
    await store.close()
    with suppress(StoreError):
        await waiting
    assert waiting.done()
    connection, salvaged = open_for_writing(tmp_path / "data")
    connection.close()
    assert not salvaged


def fill_up(place: Path) -> Path:
    ballast = place / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return ballast


def test_a_full_disk_has_no_new_store_and_says_so(small_disk):
    ballast = fill_up(small_disk)
    with pytest.raises(StoreError, match=r"free space|no room"):
        open_for_writing(small_disk / "data")
    ballast.unlink()
    open_for_writing(small_disk / "data")[0].close()


def test_a_full_disk_leaves_a_store_as_it_is_and_says_so(small_disk):
    make_filled(small_disk, batches=3, letters=3, receipts=30)
    ballast = fill_up(small_disk)
    before = (small_disk / "store.db").read_bytes()
    with pytest.raises(StoreFull, match="free space"):
        open_for_writing(small_disk)
    assert (small_disk / "store.db").read_bytes() == before
    ballast.unlink()
    opened = Opened(small_disk)
    is_sound(opened)
    assert not opened.salvaged


def test_a_full_disk_is_no_reason_not_to_start_where_room_was_reserved(small_disk):
    make_filled(small_disk, batches=3, letters=3, receipts=30)
    Reserve(small_disk, 1 << 20).take()
    fill_up(small_disk)
    connection, salvaged = open_for_writing(small_disk)
    assert not salvaged
    connection.execute("DELETE FROM spool WHERE id = 1")
    connection.close()


def test_a_new_store_is_not_readable_by_others(tmp_path):
    open_for_writing(tmp_path / "data")[0].close()
    assert stat.S_IMODE((tmp_path / "data" / "store.db").stat().st_mode) == 0o600
