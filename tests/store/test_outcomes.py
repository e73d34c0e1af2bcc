"""Who waits for lines is told what became of exactly those."""

import asyncio
from dataclasses import replace

from agent.record import Batch, DeadLetter, Position, Receipt, Span, XactionIds
from agent.store.entry import Entry
from agent.store.outcomes import Awaited, Outcomes

WEB = "web"


def span(first: int, count: int, source: str = WEB) -> Span:
    """So many lines from one on."""
    return Span(source, first, first * 10, count)


def receipt(*spans: Span, prefix: str = "b:") -> Receipt:
    """A receipt whose ids are numbered."""
    count = sum(each.count for each in spans)
    return Receipt(1.0, 1, "b", XactionIds(prefix, (range(count),)), spans, 1)


def letter(line: int, source: str = WEB) -> DeadLetter:
    """A dead letter that stands on that line."""
    place = Position(line, line * 10)
    return DeadLetter(b"x", 1, "invalid_json", "validate", "no", source, place, 0, 1.0, 1.0)


def expected(outcomes: Outcomes, *lines: range, for_verdicts: bool = False) -> Awaited:
    """Somebody waits for these lines."""
    awaited = Awaited(for_verdicts=for_verdicts)
    note = outcomes.expecting(WEB, awaited)
    for each in lines:
        note(each)
    awaited.whole(sum(map(len, lines)))
    return awaited


async def test_who_waits_for_durability_is_told_once_all_lines_are_durable() -> None:
    outcomes = Outcomes()
    first, second = expected(outcomes, range(1, 4)), expected(outcomes, range(4, 10))

    outcomes.durable(Entry(passed=[span(1, 2)]))
    assert not first.over.done()
    outcomes.durable(Entry(passed=[span(3, 3), span(1, 9, "another")]))
    assert first.over.done()
    assert first.is_durable
    assert not second.over.done()
    outcomes.durable(Entry(passed=[span(6, 4)]))
    assert second.over.done()


async def test_dead_letters_are_known_by_the_number_of_the_record() -> None:
    outcomes = Outcomes()
    expected(outcomes, range(1, 3))
    awaited = expected(outcomes, range(3, 5), range(9, 11))

    dead = [letter(4), letter(10), letter(4, "another")]
    outcomes.durable(Entry(dead_letters=dead, passed=[span(4, 1), span(10, 1)]))
    outcomes.durable(Entry(passed=[span(3, 1), span(9, 1)]))
    assert awaited.over.done()
    assert sorted(awaited.letters) == [1, 3]


async def test_who_waits_for_verdicts_gets_the_ids_of_its_own_records() -> None:
    outcomes = Outcomes()
    first = expected(outcomes, range(1, 4), for_verdicts=True)
    second = expected(outcomes, range(4, 6), for_verdicts=True)

    outcomes.durable(Entry(passed=[span(1, 5)]))
    assert first.is_durable
    assert not first.over.done()
    outcomes.durable(Entry(receipts=[receipt(span(50, 2, "another"), span(2, 4))]))
    assert second.over.done()
    assert second.ids() == {0: "b:4", 1: "b:5"}
    assert not first.over.done()
    rejected = replace(letter(1), stage="platform", status=400)
    outcomes.durable(Entry(dead_letters=[rejected]))
    assert first.over.done()
    assert (first.ids(), first.letters) == ({1: "b:2", 2: "b:3"}, {0: rejected})
    assert first.receipt


async def test_what_is_dropped_is_known() -> None:
    outcomes = Outcomes()
    fresh, stored = (expected(outcomes, range(n, n + 2), for_verdicts=True) for n in (1, 3))
    batch = Batch(b"", False, 2, 0, (span(3, 2),), 1.0)

    outcomes.durable(Entry(passed=[span(1, 2)], dropped={"buffer_full": 2}))
    assert (fresh.over.done(), fresh.dropped, stored.dropped) == (True, 2, 0)
    outcomes.durable(Entry(removed=[batch], dropped={"buffer_full": 2}))
    assert (stored.over.done(), stored.dropped) == (True, 2)


async def test_what_is_left_out_is_settled_and_known() -> None:
    outcomes = Outcomes()
    awaited = expected(outcomes, range(1, 4), for_verdicts=True)

    outcomes.durable(Entry(passed=[span(2, 1)], filtered={"drop-1": 1}))
    outcomes.durable(Entry(receipts=[receipt(span(1, 1), span(3, 1))], passed=[span(1, 1)]))
    assert (awaited.over.done(), awaited.filtered, awaited.dropped) == (True, {1}, 0)
    assert awaited.ids() == {0: "b:0", 2: "b:1"}


async def test_nobody_is_told_before_all_lines_were_taken() -> None:
    outcomes = Outcomes()
    awaited = Awaited(for_verdicts=False)
    note = outcomes.expecting(WEB, awaited)
    note(range(1, 3))
    outcomes.durable(Entry(passed=[span(1, 2)]))

    assert not awaited.over.done()
    note(range(3, 5))
    awaited.whole(3)  # one of the lines is blank
    assert not awaited.over.done()
    outcomes.durable(Entry(passed=[span(3, 1)]))
    assert awaited.over.done()


async def test_who_no_longer_waits_leaves_nothing_behind() -> None:
    outcomes = Outcomes()
    firsts = range(10, 200, 10)
    waiting = [expected(outcomes, range(n, n + 2), range(n + 5, n + 6)) for n in firsts]
    for awaited in waiting[::2] + waiting[1::2]:
        outcomes.forget(WEB, awaited)

    assert outcomes._stretches == {}
    awaited = Awaited(for_verdicts=False)
    outcomes.forget(WEB, awaited)
    awaited.end()
    await asyncio.wait_for(awaited.over, 1)
    assert not awaited.is_durable


async def test_nothing_is_kept_of_lines_that_are_taken_when_nobody_waits_any_more() -> None:
    """A client gives up while its body waits for room, or after the first lines were taken."""
    outcomes = Outcomes()
    another = expected(outcomes, range(1, 3))
    early, late = Awaited(for_verdicts=False), Awaited(for_verdicts=False)
    note_early, note_late = outcomes.expecting(WEB, early), outcomes.expecting(WEB, late)
    note_late(range(3, 5))
    for given_up in (early, late):
        outcomes.forget(WEB, given_up)
    note_early(range(5, 9))
    note_late(range(9, 20))
    assert [each.awaited for each in outcomes._stretches[WEB]] == [another]

    outcomes.durable(Entry(passed=[span(1, 19)]))
    assert another.over.done()
    outcomes.forget(WEB, another)
    assert outcomes._stretches == {}
