"""What becomes of dead letters that are sent again, and of the books with them?"""

import asyncio
from dataclasses import replace

import pytest

from agent.record import Position, Span, XactionIds
from agent.store import audit, dead_letters, ledger, receipts, replays
from agent.store.database import open_for_removing
from agent.store.dead_letters import Selection
from agent.store.entry import Entry
from agent.store.purging import purge
from agent.store.replays import Replays, Underway


@pytest.fixture
async def rejected(store, letter):
    """Three rejected records; the first two stand on one line of two runs of a pipe."""
    made = [
        letter(b'{"n":%d}' % number, reason="rejected", stage="platform", status=400)
        for number in range(3)
    ]
    made[2] = replace(made[2], source="other.ndjson", position=Position(9, 99))
    passed = tuple(Span(one.source, one.position.line, one.position.offset, 1) for one in made)
    await store.write(Entry(dead_letters=made, passed=passed))
    return made


@pytest.fixture
def begin(store, rejected, reopened):
    """Begin a replay: all of them are under way, as lines 1 to 3."""

    def begun(**options):
        underway = Underway()
        for line, stored in enumerate(dead_letters.each(reopened()), 1):
            underway.put(line, stored)
        return Replays(store.submit, underway, **{"receipts_enabled": True, **options})

    return begun


@pytest.fixture
def replay(begin):
    return begin()


def accept(receipt, *spans):
    count = sum(span.count for span in spans)
    ids = XactionIds("x:", (range(count),))
    return Entry(receipts=(receipt(spans=spans, ids=ids),), passed=spans)


def line(number, count=1):
    return Span("dead letters", number, 10 * number, count)


def refuse(letter, number, **changes):
    words = {"reason": "rejected", "stage": "platform", "status": 422, "message": "no, never"}
    verdict = letter(source="dead letters", position=Position(number, 0), **(words | changes))
    return Entry(dead_letters=(verdict,), passed=(line(number),))


def balanced(connection):
    books = audit.take(connection)
    assert [check for check in audit.checks(books) if not check.holds] == []
    return books


async def test_what_is_accepted_is_no_dead_letter_any_more(replay, receipt, reopened):
    await replay.write(accept(receipt, line(2, 2)))
    connection = reopened()
    assert [one.id for one in dead_letters.each(connection, Selection(replayed=False))] == [1]
    books = balanced(connection)
    assert (books.total("accepted"), books.total("dead_lettered")) == (2, 1)
    assert (books.total("read"), books.total("replayed")) == (3, 2)
    (trail,) = dead_letters.replays(connection, 3)
    assert (trail.outcome, trail.xaction_id, trail.at) == ("accepted", "x:1", 1_700_000_000.125)
    assert dead_letters.find(connection, 2).replayed_at == trail.at


async def test_its_receipt_names_the_line_it_was_first_read_from(replay, receipt, reopened):
    await replay.write(accept(receipt, line(2, 2)))
    connection = reopened()
    assert [one.xaction_id for one in receipts.find(connection, "other.ndjson:9")] == ["x:1"]
    (found,) = receipts.find(connection, "x:0")
    assert (found.source, found.line, found.span_offset) == ("orders.ndjson", 7, 4096)


async def test_what_is_refused_again_is_no_second_dead_letter(begin, letter, reopened):
    before = audit.take(reopened())
    await begin().write(refuse(letter, 1, attempts=3, last_at=1_800_000_000.0))
    await begin().write(refuse(letter, 1, reason="too_large", status=413, last_at=1_900_000_000.0))
    connection = reopened()
    books = balanced(connection)
    assert books.letters.count == before.letters.count == 3
    assert books.open_letters == {"rejected": 2, "too_large": 1}
    stored = dead_letters.find(connection, 1)
    assert (stored.letter.message, stored.letter.status) == ("no, never", 413)
    assert (stored.letter.attempts, stored.letter.last_at) == (3, 1_900_000_000.0)
    assert (stored.letter.first_at, stored.letter.record) == (1_700_000_000.125, b'{"n":0}')
    trail = dead_letters.replays(connection, 1)
    assert [(step.outcome, step.status) for step in trail] == [("refused", 422), ("refused", 413)]


async def test_what_was_purged_on_the_way_balances_whatever_comes_of_it(
    replay, receipt, letter, reopened, tmp_path
):
    connection = open_for_removing(tmp_path)
    purge(connection, Selection(ids=(1, 2)))
    connection.close()
    await replay.write(accept(receipt, line(1)))
    await replay.write(refuse(letter, 2))
    books = balanced(reopened())
    assert books.by_reason("purged") == {"rejected": 1}
    assert (books.total("accepted"), books.total("read")) == (1, 3)


async def test_what_somebody_else_replayed_meanwhile_was_sent_twice_and_counts_twice(
    begin, receipt, reopened
):
    replay = begin()
    await begin().write(accept(receipt, line(1)))
    await replay.write(accept(receipt, line(1)))
    books = balanced(reopened())
    assert (books.total("accepted"), books.total("read"), books.replayed) == (2, 4, 1)


async def test_verdicts_of_one_entry_hold_together_or_not_at_all(replay, receipt, reopened):
    before = dead_letters.count(reopened(), Selection(replayed=False))
    cut_short = accept(receipt, line(1, 3))
    wrong = replace(cut_short.receipts[0], ids=XactionIds("x:", (range(2),)))
    with pytest.raises(ValueError, match="zip"):
        await replay.write(replace(cut_short, receipts=(wrong,)))
    connection = reopened()
    assert dead_letters.count(connection, Selection(replayed=False)) == before
    assert list(receipts.each_receipt(connection)) == []
    balanced(connection)


async def test_receipts_are_left_out_where_nobody_wants_them(begin, receipt, reopened):
    await begin(receipts_enabled=False).write(accept(receipt, line(1)))
    connection = reopened()
    assert list(receipts.each_receipt(connection)) == []
    assert balanced(connection).without_receipt == 1


async def test_a_plan_leaves_out_what_cannot_or_should_not_be_sent(store, letter, reopened):
    made = [
        letter(b'{"a":1}', stage="platform"),
        letter(b'{"a":22}', stage="platform"),
        letter(b'{"a":', stage="validate"),
        letter(b"{" * 10, stage="frame", length=99, sha256="ab"),
        letter(b'{"a":', stage="frame"),
    ]
    await store.write(Entry(dead_letters=made))
    connection = reopened()
    plan = replays.plan(connection, Selection(), broken_too=False)
    assert (plan.letters, plan.bytes, plan.cut, plan.broken) == (2, 15, 1, 2)
    plan = replays.plan(connection, Selection(), broken_too=True)
    assert (plan.letters, plan.bytes, plan.cut, plan.broken) == (4, 25, 1, 0)
    for broken_too, numbers in ((False, [1, 2]), (True, [1, 2, 3, 5])):
        sent = [
            one.id
            for one in dead_letters.each(connection)
            if replays.is_sent(one, broken_too=broken_too)
        ]
        assert sent == numbers
    nothing = replays.plan(connection, Selection(reason="unheard of"), broken_too=True)
    assert (nothing.letters, nothing.newest) == (0, 0)


async def test_the_ledger_is_untouched_by_reading_again(replay, reopened):
    before = ledger.totals(reopened())
    replay.follow("dead letters", Position(1, 0), None)
    replay.read("dead letters", Position(4, 30), 3)
    await asyncio.wait_for(replay.write(Entry()), 10)
    assert ledger.totals(reopened()) == before
