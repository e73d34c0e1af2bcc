"""Refused requests: who is to blame, how soon that is known, and when nobody is."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from math import ceil, log2
from pathlib import Path

import pytest

from agent.core.destination import DOWN, READY, SCHEMA_CHANGED
from delivery.rig import (
    SOON,
    Inlet,
    Parts,
    Reply,
    Request,
    Rule,
    delivering,
    fed,
    held_by,
    kept,
    lines,
    opened,
    orders,
    until,
)

Bad = Callable[[bytes], bool]


def refusing(inlet: Inlet, bad: Bad) -> Rule:
    """Whole requests are refused for one bad record."""
    return lambda request: (
        Reply(400, b'{"title":"bad"}') if any(map(bad, request.records)) else inlet.accept(request)
    )


def rejecting(inlet: Inlet, bad: Bad) -> Rule:
    """Bad records are refused one by one, in a 207."""
    return lambda request: inlet.verdicts(
        request, {record: (400, "bad") for record in request.records if bad(record)}
    )


WAYS = pytest.mark.parametrize("way", [refusing, rejecting])


def settled(parts: Parts) -> int:
    """How many records have their verdict."""
    return parts.settler.totals.accepted + sum(parts.settler.totals.dead_lettered.values())


# Bisecting.


@pytest.mark.parametrize(
    ("records", "poison"),
    [
        (1000, [0]),
        (1000, [617]),
        (1000, [999]),
        (5000, [0, 1, 2500, 2501, 3333, 4998, 4999]),
        (5000, [715 * n for n in range(7)]),
    ],
)
async def test_exactly_the_poison_is_dead_lettered_within_the_requests_it_may_take(
    inlet: Inlet, data_dir: Path, records: int, poison: list[int]
) -> None:
    good = orders(records)
    bad = {good[at] for at in poison}
    inlet.rule = refusing(inlet, bad.__contains__)
    settings = {"batch__max_records": 5000, "delivery__max_in_flight": 8}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(good))
        await until(lambda: settled(parts) == records)
        assert parts.destination.state == READY
    assert {letter["record"] for letter in kept(data_dir).letters} == bad
    accepted = Counter(inlet.records)
    assert all(accepted[record] >= 1 for record in good)
    asked_alone = {request.records[0] for request in inlet.requests if len(request.records) == 1}
    assert asked_alone >= bad, "each of them was refused by itself"
    k = len(poison)
    assert len(inlet.requests) <= 2 * k * ceil(log2(records)) + k


async def test_the_next_poison_of_the_same_shape_costs_three_requests(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = refusing(inlet, lambda record: b'"order":"' in record)
    settings = {"batch__max_records": 1000, "delivery__max_in_flight": 1}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        for turn, places in enumerate(([500], [3], [10, 700])):
            records = [
                b'{"order":%b,"turn":%d}' % (b'"x%d"' % n if n in places else b"%d" % n, turn)
                for n in range(1000)
            ]
            before = len(inlet.requests)
            await fed(parts, lines(records), f"{turn}.log")
            await until(lambda: settled(parts) == 1000 * (turn + 1))  # noqa: B023
            cost = len(inlet.requests) - before
            assert cost == {0: cost, 1: 3, 2: 5}[turn]
            assert turn or cost > 15
    assert [letter["line"] for letter in kept(data_dir).letters] == [501, 4, 11, 701]


async def test_no_record_is_dead_lettered_for_looking_like_a_bad_one(
    inlet: Inlet, data_dir: Path
) -> None:
    """All have the same shape, and only the values tell."""
    inlet.rule = refusing(inlet, lambda record: b"-1" in record)
    settings = {"batch__max_records": 64, "delivery__max_in_flight": 1}
    records = [b'{"order":%d}' % n for n in range(640)]
    bad = [b'{"order":-1,"n":1}', b'{"order":-1,"n":2}', b'{"order":-1,"n":3}']
    alike = [b'{"order":%d,"n":4}' % n for n in range(3)]
    mixed = [*records[:300], bad[0], *records[300:400], bad[1], *alike, *records[400:], bad[2]]
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(mixed))
        await until(lambda: settled(parts) == 646)
    assert [letter["record"] for letter in kept(data_dir).letters] == bad


async def test_poison_during_an_outage_is_found_and_nothing_else_is_blamed(
    inlet: Inlet, data_dir: Path
) -> None:
    records = orders(300)
    poison = {records[17], records[203]}
    refuse = refusing(inlet, poison.__contains__)

    def rule(request: Request) -> Reply:
        turn = len(inlet.requests) % 5
        answer = Reply(503) if turn == 1 else Reply(500) if turn == 2 else refuse(request)
        assert isinstance(answer, Reply)
        return answer

    inlet.rule = rule
    async with delivering(inlet.url, data_dir, batch__max_records=100) as parts:
        await fed(parts, lines(records))
        await until(lambda: settled(parts) == 300)
    assert {letter["record"] for letter in kept(data_dir).letters} == poison


# Most records refused.


@WAYS
async def test_when_everything_is_refused_it_is_held_and_nothing_is_lost(
    inlet: Inlet, data_dir: Path, way: Callable[[Inlet, Bad], Rule]
) -> None:
    inlet.rule = way(inlet, lambda record: True)
    settings = {"batch__max_records": 250, "delivery__max_in_flight": 8}
    records = orders(5000)
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(records))
        await until(parts.senders.stuck.is_set)
        assert parts.destination.state == SCHEMA_CHANGED
        assert parts.meters.destination_state.value(SCHEMA_CHANGED) == 1
        assert sum(parts.settler.totals.dead_lettered.values()) <= 108
        assert parts.settler.totals.accepted == 0
        inlet.rule = inlet.accept
        await until(lambda: settled(parts) == 5000)
        assert parts.destination.state == READY
        assert not parts.senders.stuck.is_set()
    letters = {letter["record"] for letter in kept(data_dir).letters}
    assert len(letters) <= 108
    assert way is refusing or not letters
    assert parts.settler.totals.accepted == 5000 - len(letters)


async def test_while_most_is_refused_one_request_at_a_time_is_made(
    inlet: Inlet, data_dir: Path
) -> None:
    now = most = 0
    reject = rejecting(inlet, lambda record: True)

    async def rule(request: Request) -> Reply:
        nonlocal now, most
        now += 1
        if len(inlet.requests) > 10:
            most = max(most, now)
        await asyncio.sleep(0.005)
        now -= 1
        answer = reject(request)
        assert isinstance(answer, Reply)
        return answer

    inlet.rule = rule
    settings = {"batch__max_records": 100, "delivery__max_in_flight": 8}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(orders(2000)))
        await until(lambda: len(inlet.requests) > 20)
        assert most == 1
        assert len({request.records[0] for request in inlet.requests[-8:]}) == 8, "each another"
        inlet.rule = inlet.accept
    assert kept(data_dir).letters == []


@WAYS
async def test_a_batch_that_is_bad_by_itself_ends_as_dead_letters_and_stops_nobody(
    inlet: Inlet, data_dir: Path, way: Callable[[Inlet, Bad], Rule]
) -> None:
    inlet.rule = way(inlet, lambda record: b"bad" in record)
    settings = {"batch__max_records": 400, "delivery__max_in_flight": 4}
    bad = [b'{"order":%d,"text":"bad"}' % n for n in range(400)]
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines([*bad, *orders(400)]))
        await until(lambda: parts.settler.totals.accepted == 400)
        await fed(parts, lines(orders(400)), "second.log")  # what is accepted later clears it
        await until(lambda: settled(parts) == 1200)
    assert {letter["record"] for letter in kept(data_dir).letters} == set(bad)
    assert parts.settler.totals.accepted == 800


@WAYS
async def test_few_records_are_refused_one_by_one_as_ever(
    inlet: Inlet, data_dir: Path, way: Callable[[Inlet, Bad], Rule]
) -> None:
    inlet.rule = way(inlet, lambda record: True)
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, lines(orders(50)))
        await until(lambda: settled(parts) == 50)
        assert parts.destination.state == READY
    assert len(kept(data_dir).letters) == 50


@WAYS
async def test_with_a_share_of_one_all_may_be_dead_lettered(
    inlet: Inlet, data_dir: Path, way: Callable[[Inlet, Bad], Rule]
) -> None:
    inlet.rule = way(inlet, lambda record: True)
    async with delivering(inlet.url, data_dir, delivery__poison__share=1) as parts:
        await fed(parts, lines(orders(500)))
        await until(lambda: settled(parts) == 500)
    assert len(kept(data_dir).letters) == 500


async def test_what_a_mostly_refused_request_got_accepted_is_not_sent_again(
    inlet: Inlet, data_dir: Path
) -> None:
    records = orders(1000)
    good = set(records[::10])
    inlet.rule = rejecting(inlet, lambda record: record not in good)
    async with delivering(inlet.url, data_dir, batch__max_records=200) as parts:
        await fed(parts, lines(records))
        await until(lambda: parts.settler.totals.accepted == 100)
        assert sum(parts.settler.totals.dead_lettered.values()) == 0
        inlet.rule = inlet.accept
        await until(lambda: parts.settler.totals.accepted == 1000)
    times = Counter(inlet.records)
    assert all(times[record] == 1 for record in good)


async def test_an_outage_while_most_is_refused_changes_nothing_for_the_records(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = rejecting(inlet, lambda record: True)
    async with delivering(inlet.url, data_dir, batch__max_records=200) as parts:
        await fed(parts, lines(orders(1000)))
        await until(lambda: parts.destination.state == SCHEMA_CHANGED)
        inlet.rule = lambda request: Reply(500)
        await until(lambda: parts.destination.state == DOWN)
        inlet.rule = rejecting(inlet, lambda record: True)
        await until(lambda: parts.destination.state == SCHEMA_CHANGED)
        inlet.rule = lambda request: Reply(413) if len(request.records) > 90 else Reply(400)
        await until(lambda: parts.meters.retries.value("too_large") > 0)
        assert not parts.destination.is_open
        inlet.rule = inlet.accept
    assert parts.settler.totals.accepted == 1000


async def test_a_stop_while_most_is_refused_asks_nobody_and_holds_everything(
    inlet: Inlet, data_dir: Path
) -> None:
    inlet.rule = rejecting(inlet, lambda record: True)
    settings = {"delivery__retry__initial": "1h", "delivery__retry__max": "1h"}
    async with opened(inlet.url, data_dir, batch__max_records=200, **settings) as parts:
        sender = asyncio.ensure_future(parts.senders.run())
        await fed(parts, lines(orders(1000)))
        await until(lambda: parts.destination.state == SCHEMA_CHANGED)
        asked = len(inlet.requests)
        parts.spool.close()
        parts.senders.hurry(time.monotonic() + SOON)
        parts.spool.hurry()
        assert await held_by(parts, sender) == 5
        assert len(inlet.requests) == asked
