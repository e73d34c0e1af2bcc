"""A store of an earlier format is brought up to date, whenever that is cut off."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.store import database, dead_letters, receipts
from agent.store.database import open_for_reading, open_for_writing, suspect
from agent.store.schema import APPLICATION_ID, FORMAT, MIGRATIONS, PAGE_SIZE
from store.filled import Opened, append_receipt, is_sound, residue

LETTER = """INSERT INTO dead_letters VALUES (?, ?, 'platform', 400, 'no', NULL, 1, ?, 0, 1, 5, 6, 3,
    NULL, 203)"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A directory with a store of format 1: 12 dead letters, 40 receipts of 10 records each."""
    with closing(sqlite3.connect(tmp_path / "store.db", isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute("PRAGMA user_version = 1")
        for number in (1, 2, 3):
            connection.execute("INSERT INTO sources VALUES (?, ?, 10)", (number, f"{number}.log"))
        for number in range(1, 13):
            reason = ("rejected", "invalid_json")[number % 2]
            connection.execute(LETTER, (number, reason, number))
            connection.execute("INSERT INTO dead_letter_records VALUES (?, 'abc')", (number,))
        connection.execute("UPDATE dead_letter_records SET record = CAST(record AS BLOB)")
        connection.execute("UPDATE dead_letters_kept SET count = 12, bytes = 12 * 203")
        for number in range(1, 41):
            append_receipt(connection, number)
    return tmp_path


def has_everything(data_dir: Path) -> None:
    connection = open_for_reading(data_dir)
    assert connection is not None
    with closing(connection):
        letters = list(dead_letters.each(connection))
        assert [stored.id for stored in letters] == [*range(1, 13)]
        assert {stored.letter.record for stored in letters} == {b"abc"}
        assert sum(receipt.count for receipt in receipts.each_receipt(connection)) == 400
        assert residue(connection) == 0
        assert dict(connection.execute("SELECT entry || reason, records FROM ledger")) == {
            "accepted": 400,
            "dead_letteredrejected": 6,
            "dead_letteredinvalid_json": 6,
            "read": 412,
        }
        assert connection.execute("PRAGMA user_version").fetchone()[0] == FORMAT
        assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_an_old_store_is_brought_up_to_date_with_books_that_balance(old):
    connection, salvaged = open_for_writing(old)
    connection.close()
    assert not salvaged
    has_everything(old)


STEPS = [
    (version, ran)
    for version, statements in enumerate(MIGRATIONS[1:], 1)
    for ran in range(len(statements) + 1)
]


@pytest.mark.parametrize(("version", "ran"), STEPS)
def test_a_migration_that_is_cut_off_is_done_again(old, version, ran, monkeypatch):
    cut = (*MIGRATIONS[version][:ran], "SELECT * FROM what_a_crash_left_undone")
    monkeypatch.setattr(database, "MIGRATIONS", (*MIGRATIONS[:version], cut))
    with pytest.raises(Exception, match="undone"):
        open_for_writing(old)
    with closing(sqlite3.connect(old / "store.db")) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == version
    monkeypatch.undo()
    connection, salvaged = open_for_writing(old)
    connection.close()
    assert not salvaged
    has_everything(old)


def test_an_old_store_that_is_damaged_is_salvaged_into_the_new_format(old):
    content = bytearray((old / "store.db").read_bytes())
    content[:PAGE_SIZE] = bytes(PAGE_SIZE)
    (old / "store.db").write_bytes(content)
    suspect(old)
    opened = Opened(old)
    is_sound(opened)
    (salvaged,) = opened.salvaged
    assert (salvaged.dead_letters, salvaged.receipts, salvaged.lost_records) == (12, 40, 0)
    has_everything(old)
