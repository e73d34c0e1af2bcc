"""Records that did not land become dead letters once, and every record is still accounted for."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import StoreFull
from agent.record import XactionIds
from agent.store import audit, receipts
from agent.store.database import open_for_removing
from agent.store.entry import Entry
from agent.store.pulls import pull, pulled

MOST = 1 << 30


@pytest.fixture
async def accepted(store, receipt) -> None:
    """Ten records that were accepted."""
    ids = XactionIds("x:", (range(10),))
    made = receipt(ids=ids)
    await store.write(Entry(receipts=(made,), passed=made.spans))


@pytest.fixture
def connection(accepted, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """One that can write, as a command has it."""
    opened = open_for_removing(tmp_path)
    assert opened
    with closing(opened):
        yield opened


def _books(connection: sqlite3.Connection) -> audit.Audit:
    books = audit.take(connection)
    assert [check for check in audit.checks(books) if not check.holds] == []
    return books


def test_what_failed_is_dead_lettered_and_accepted_no_longer(connection, letter) -> None:
    before = _books(connection)
    letters = [letter(reason="failed", stage="landing") for _ in range(2)]

    assert pull(connection, "B1", 0, 3, letters, max_bytes=MOST)

    books = _books(connection)
    assert books.total("accepted") == before.total("accepted") - 2
    assert books.by_reason("dead_lettered") == {"failed": 2}
    assert (books.total("failed"), books.total("read")) == (2, before.total("read"))
    assert pulled(connection, "B1") == 3


def test_of_two_who_pull_the_same_one_does_nothing(connection, letter) -> None:
    assert pull(connection, "B1", 0, 1, [letter(reason="failed")], max_bytes=MOST)
    assert not pull(connection, "B1", 0, 1, [letter(reason="failed")], max_bytes=MOST)
    assert pull(connection, "B2", 0, 1, [], max_bytes=MOST)

    assert _books(connection).letters.count == 1
    assert (pulled(connection, "B1"), pulled(connection, "B2")) == (1, 1)


def test_where_dead_letters_have_no_room_nothing_is_noted(connection, letter) -> None:
    pull(connection, "B1", 0, 1, [letter(reason="failed")], max_bytes=1)
    with pytest.raises(StoreFull):
        pull(connection, "B1", 1, 1, [letter(reason="failed")], max_bytes=1)

    assert pulled(connection, "B1") == 1
    assert _books(connection).letters.count == 1


def test_receipts_of_one_flow_are_told_apart(connection) -> None:
    assert sum(each.count for each in receipts.each_receipt(connection)) == 10
    assert list(receipts.each_receipt(connection, flow="another")) == []
    assert receipts.oldest(connection) == next(receipts.each_receipt(connection)).accepted_at
