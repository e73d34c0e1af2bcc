import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.record import DeadLetter, Position
from agent.store import dead_letters
from agent.store.database import open_for_writing
from agent.store.dead_letters import Selection
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds


@pytest.fixture
async def five(store, letter):
    await store.settle(
        [],
        [
            letter(),
            letter(reason="too_large", stage="size", source="/var/log/a.ndjson", last_at=1e9),
            letter(reason="rejected", stage="platform", status=400, last_at=2e9, message="no"),
            letter(reason="rejected", stage="validate", message="no"),
            letter(reason="rejected", stage="platform", source="a.ndjson", message="no"),
        ],
    )


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("selection", "numbers"),
    [
        (Selection(), [1, 2, 3, 4, 5]),
        (Selection(id=4), [4]),
        (Selection(id=6), []),
        (Selection(reason="rejected"), [3, 4, 5]),
        (Selection(stage="platform"), [3, 5]),
        (Selection(source="a.ndjson"), [2, 5]),
        (Selection(source="/var/log/a.ndjson"), [2]),
        (Selection(source="ndjson"), []),
        (Selection(since=1.9e9), [3]),
        (Selection(since=1_700_000_001.5), [1, 3, 4, 5]),
        (Selection(reason="rejected", stage="platform", source="a.ndjson"), [5]),
        (Selection(reason="rejected", stage="size"), []),
    ],
)
def test_only_what_matches_everything_is_selected(reopened, selection, numbers):
    connection = reopened()
    found = [stored.id for stored in dead_letters.each(connection, selection)]
    assert found == numbers
    newest = dead_letters.each(connection, selection, records=False, newest_first=True)
    assert [stored.id for stored in newest] == numbers[::-1]
    assert dead_letters.count(connection, selection) == len(numbers)
    assert sum(group.count for group in dead_letters.groups(connection, selection)) == len(numbers)


@pytest.mark.usefixtures("five")
def test_records_are_left_out_where_they_are_not_wanted(reopened):
    stored = list(dead_letters.each(reopened(), records=False))
    assert {one.letter.record for one in stored} == {b""}
    assert {one.letter.length for one in stored} == {5}


async def test_more_than_a_page_is_read_once_each(store, letter, reopened):
    await store.settle([], [letter(b"%d" % number) for number in range(1201)])
    connection = reopened()
    records = [stored.letter.record for stored in dead_letters.each(connection)]
    assert records == [b"%d" % number for number in range(1201)]
    backwards = [
        stored.letter.record for stored in dead_letters.each(connection, newest_first=True)
    ]
    assert backwards == records[::-1]


async def test_alike_messages_are_one_group(store, letter, reopened):
    await store.settle(
        [],
        [
            letter(message="not closed (byte 5)", first_at=10.0, last_at=11.0),
            letter(message="not closed (byte 17)", first_at=5.0, last_at=6.0),
            letter(message="not closed (byte 5)", first_at=20.0, last_at=21.0),
            letter(message="inletId: [9341f8eb-6d2e-4f7a] has unknown xdm format"),
            letter(message="inletId: [57e8aabb-0000-4f7a] has unknown xdm format"),
            letter(message="the 'header' field is mandatory"),
            letter(message="the 'body' field is mandatory"),
            letter(message="not closed (byte 5)", stage="frame"),
        ],
    )
    groups = dead_letters.groups(reopened())
    assert sorted(group.count for group in groups) == [1, 1, 1, 2, 3]
    assert groups[0].count == 3
    assert (groups[0].first_at, groups[0].last_at) == (5.0, 21.0)
    assert groups[0].message in ("not closed (byte 5)", "not closed (byte 17)")


async def test_a_large_record_comes_back_exactly(store, letter, reopened):
    record = os.urandom(1 << 20)
    await store.settle([], [letter(record)])
    stored = dead_letters.find(reopened(), 1)
    assert stored is not None
    assert stored.letter.record == record
    assert not stored.truncated


async def test_a_record_cut_short_says_so(store, letter, reopened):
    await store.settle([], [letter(b"{" * 10, length=10**8, sha256="ab" * 32)])
    stored = dead_letters.find(reopened(), 1)
    assert stored is not None
    assert stored.truncated
    assert (stored.letter.length, stored.letter.sha256) == (10**8, "ab" * 32)


async def test_a_number_nobody_has_is_not_found(store, letter, reopened):
    await store.settle([], [letter()])
    assert dead_letters.find(reopened(), 2) is None
    assert dead_letters.find(reopened(), 0) is None


words = st.text(st.characters(codec="utf-8"), max_size=20)
times = st.integers(0, 2**42).map(lambda ms: ms / 1000)
letters = st.builds(
    DeadLetter,
    record=st.binary(max_size=300),
    length=st.integers(0, 2**40),
    reason=words,
    stage=words,
    message=words,
    source=words,
    position=st.builds(Position, st.integers(1, 2**50), st.integers(0, 2**62)),
    attempts=st.integers(0, 10**6),
    first_at=times,
    last_at=times,
    status=st.none() | st.integers(100, 599),
    xaction_id=st.none() | words,
    sha256=st.none() | words,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(letters, max_size=5))
def test_any_dead_letter_is_read_back_unchanged(tmp_path, kept):
    connection, _ = open_for_writing(tmp_path)
    connection.execute("DELETE FROM dead_letters")
    connection.execute("BEGIN")
    Settling(SourceIds(), 10**12).write(connection, [], kept)
    connection.execute("COMMIT")
    assert [stored.letter for stored in dead_letters.each(connection)] == kept
    connection.close()
