"""A salvage that is cut off, by a crash or a full disk, goes on at the next start."""

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.store import salvage as salvaging
from agent.store.database import open_for_writing, suspect
from store.filled import (
    PAGE,
    Opened,
    append_batch,
    append_receipt,
    is_sound,
    make_filled,
    residue,
    rows,
)

SALVAGE_UNTIL_KILLED = """
import os, signal, sys
from pathlib import Path
from agent.store import salvage
from agent.store.database import open_for_writing

salvage._PAGES_PER_STEP = 1
left = int(sys.argv[2])
flush = salvage.Rescue.flush

def flush_or_die(self):
    global left
    if (left := left - 1) < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    flush(self)

salvage.Rescue.flush = flush_or_die
open_for_writing(Path(sys.argv[1]))
"""


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A directory with a store that has lost a page which holds no rows: all can be salvaged."""
    path = make_filled(tmp_path, batches=24, letters=36, receipts=900)
    content = bytearray(path.read_bytes())
    content[:PAGE] = bytes(PAGE)
    path.write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("steps", [0, 1, 2, 5, 11, 20])
def test_a_salvage_that_was_killed_goes_on_and_doubles_nothing(damaged, tmp_path_factory, steps):
    whole = make_filled(tmp_path_factory.mktemp("whole"), batches=24, letters=36, receipts=900)
    with closing(sqlite3.connect(whole)) as connection:
        was = rows(connection)
    words = [sys.executable, "-c", SALVAGE_UNTIL_KILLED, str(damaged), str(steps)]
    assert subprocess.run(words, timeout=30, check=False).returncode == -9

    opened = Opened(damaged)
    is_sound(opened)
    assert opened.rows == was
    (salvaged,) = opened.salvaged
    assert (salvaged.trouble, salvaged.lost_records) == (None, 0)
    again = Opened(damaged)
    assert (again.salvaged, again.rows) == ((), was)


def test_a_full_disk_leaves_a_store_that_works_and_the_rest_for_later(small_disk, damaged):
    (small_disk / "store.db").write_bytes((damaged / "store.db").read_bytes())
    salvaging._PAGES_PER_STEP, before = 4, salvaging._PAGES_PER_STEP
    try:
        first = Opened(small_disk)
        (salvaged,) = first.salvaged
        assert salvaged.trouble
        assert "free space" in salvaged.trouble
        assert salvaged.set_aside.exists()
        assert first.residue == 0
        subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
        connection, (salvaged,) = open_for_writing(small_disk)
        with closing(connection):
            assert salvaged.trouble is None
            assert residue(connection) == 0
            found = rows(connection)
    finally:
        salvaging._PAGES_PER_STEP = before
    assert len(found["spool"]) == 16
    assert len(found["dead_letter_records"]) == 24
    assert salvaged.lost_records == 0


def test_what_an_agent_did_between_two_attempts_stays_done(damaged, monkeypatch):
    monkeypatch.setattr(salvaging, "_PAGES_PER_STEP", 1)
    insert = salvaging.Rescue._insert_records

    def full(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(salvaging.Rescue, "_insert_records", full)
    connection, (salvaged,) = open_for_writing(damaged)
    assert "free space" in (salvaged.trouble or "")
    assert residue(connection) == 0
    sent = [row[0] for row in connection.execute("SELECT id FROM spool").fetchall()][:5]
    connection.execute("BEGIN")
    for number in sent:
        connection.execute("DELETE FROM spool WHERE id = ?", (number,))
        append_receipt(connection, 2000 + number)
    append_batch(connection, 500, random.Random(3).randbytes(1000))
    connection.execute("UPDATE ledger SET records = records + 50 WHERE entry = 'accepted'")
    connection.execute("UPDATE ledger SET records = records + 10 WHERE entry = 'read'")
    connection.execute("UPDATE spool_kept SET batches = batches - 4, records = records - 40")
    connection.execute("COMMIT")
    assert residue(connection) == 0
    connection.close()

    monkeypatch.setattr(salvaging.Rescue, "_insert_records", insert)
    connection, (salvaged,) = open_for_writing(damaged)
    with closing(connection):
        assert residue(connection) == 0
        found = rows(connection)
    assert salvaged.trouble is None
    assert {row[0] for row in found["spool"]}.isdisjoint(sent)
    assert 500 in {row[0] for row in found["spool"]}
    assert len(found["spool"]) == 16 - 5 + 1
    assert len(found["dead_letter_records"]) == 24
    assert {2000 + number for number in sent} <= {row[0] for row in found["receipts"]}


def test_a_new_batch_or_receipt_never_gets_a_number_that_was_given(damaged, monkeypatch):
    """Where only the first transaction of a salvage found room."""
    path = damaged / "store.db"
    whole = make_filled(damaged / "whole", batches=24, letters=36, receipts=900)
    with closing(sqlite3.connect(whole)) as connection:
        highest = [
            connection.execute(f"SELECT MAX(id) FROM {table}").fetchone()
            for table in ("spool", "receipts")
        ]
    suspect(damaged)
    work = salvaging._work
    monkeypatch.setattr(salvaging, "_work", lambda found: (work(found)[0], []))
    connection, _ = open_for_writing(damaged)
    with closing(connection):
        for table, number in zip(("spool", "receipts"), highest, strict=True):
            assert connection.execute(f"SELECT MAX(id) FROM {table}").fetchone() == number
        letters = connection.execute("SELECT seq FROM sqlite_sequence").fetchone()[0]
    assert letters == 36
    assert path.exists()
