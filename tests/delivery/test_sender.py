import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from agent.core.destination import AUTH_BLOCKED, DOWN, READY, THROTTLED
from delivery.rig import (
    SOON,
    Inlet,
    Reply,
    Request,
    closing_once,
    delivering,
    fed,
    first,
    held_by,
    kept,
    lines,
    opened,
    orders,
    talking,
    until,
)

# Verdicts.


async def test_nothing_that_was_accepted_is_sent_again(inlet: Inlet, data_dir: Path) -> None:
    """Every second item of every answer is missing, without saying which: those come again."""

    def some(request: Request) -> Reply:
        batch = f"1565628583792:1485:{len(inlet.requests)}"
        items = [
            f'{{"xactionId":"{batch}:{index}"}}'
            for index in range(len(request.records))
            if index % 2 == 0
        ]
        answer = f'{{"batchId":"{batch}","responses":[{",".join(items)}]}}'
        return Reply(207, answer.encode())

    inlet.rule = some
    records = orders(40)
    async with delivering(inlet.url, data_dir, batch__max_records=10) as parts:
        await fed(parts, lines(records))
    times = Counter(inlet.records)
    assert set(times) == set(records)
    for request in inlet.requests:
        for record in request.records[::2]:
            later = inlet.requests[inlet.requests.index(request) + 1 :]
            assert all(record not in each.records for each in later)
    assert parts.meters.retries.value("no_verdict") > 0
    assert parts.meters.xaction_ids_received.total() == 40


async def test_rejected_records_are_dead_letters_and_their_neighbours_are_not(
    inlet: Inlet, data_dir: Path
) -> None:
    records = orders(30)
    bad = {record: (400, f"no {n}") for n, record in enumerate(records) if n % 7 == 3}
    inlet.rule = lambda request: inlet.verdicts(request, bad)
    async with delivering(inlet.url, data_dir, batch__max_records=8) as parts:
        await fed(parts, lines(records))
    letters = kept(data_dir).letters
    assert {each["record"]: (each["status"], each["message"]) for each in letters} == bad
    assert [each["line"] for each in letters] == [4, 11, 18, 25]
    assert {each["attempts"] for each in letters} == {1}
    assert Counter(inlet.records) == Counter(records)


async def test_rejected_records_that_cannot_be_written_stop_the_senders_before_memory_is_gone(
    inlet: Inlet, data_dir: Path
) -> None:
    """Compressed they hold next to nothing of the budget, as dead letters all they are."""
    inlet.rule = lambda request: inlet.verdicts(
        request, dict.fromkeys(request.records, (400, "no such schema"))
    )
    settings = {
        "inlet__compression": "gzip",
        "delivery__poison__share": 1,
        "dead_letters__max_bytes": "1MB",
        "dead_letters__max_record_bytes": "1KB",
        "batch__max_bytes": "100KB",
        "buffer__max_bytes": "4MB",
    }
    async with opened(inlet.url, data_dir, **settings) as parts:
        senders = [asyncio.ensure_future(parts.senders.run()) for _ in range(2)]
        await fed(parts, lines(orders(10_000, size=900)), block=95_000)
        await parts.batcher.flush()
        async with asyncio.timeout(SOON):
            asked = -1
            while asked != len(inlet.requests):
                asked = len(inlet.requests)
                await asyncio.sleep(0.2)
        assert asked < 40  # of a hundred; ten or so were written before there was no more room
        assert parts.spool.statistics().batches > 60
        assert parts.budget.held < 4_000_000 / 2
        for sender in senders:
            sender.cancel()
            await held_by(parts, sender)


# Refusals of a whole request.


async def test_one_poison_record_is_found_and_its_neighbours_arrive(
    inlet: Inlet, data_dir: Path
) -> None:
    records = orders(64)
    poison = records[37]

    def rule(request: Request) -> Reply:
        if poison in request.records:
            return Reply(400, b'{"title":"Invalid XDM Message Format","report":{"message":"bad"}}')
        return inlet.accept(request)

    inlet.rule = rule
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, lines(records))
        await until(lambda: parts.settler.totals.accepted == 63)
        assert parts.destination.state == READY
    (letter,) = kept(data_dir).letters
    assert (letter["record"], letter["line"]) == (poison, 38)
    assert (letter["status"], letter["message"]) == (400, "bad")
    assert letter["attempts"] == 7  # 64, 32, … 1


async def test_a_request_that_is_too_large_is_halved_and_smaller_ones_are_made(
    inlet: Inlet, data_dir: Path
) -> None:
    def rule(request: Request) -> Reply:
        size = sum(map(len, request.records))
        return Reply(413) if size > 3000 else inlet.accept(request)

    inlet.rule = rule
    records = orders(400, size=60)
    async with delivering(inlet.url, data_dir, delivery__max_in_flight=1) as parts:
        await fed(parts, lines(records))
        await until(lambda: parts.settler.totals.accepted == 400)
        refused = len(inlet.requests)
        await fed(parts, lines(records), "second.log")
    assert set(inlet.records) == set(records)
    assert kept(data_dir).letters == []
    learnt = inlet.requests[refused:]
    assert max(sum(map(len, request.records)) for request in learnt) <= 3000


async def test_a_single_record_that_is_too_large_is_a_dead_letter(
    inlet: Inlet, data_dir: Path
) -> None:
    huge = orders(1, size=5000)[0]

    def rule(request: Request) -> Reply:
        size = sum(map(len, request.records))
        return Reply(413, b"big") if size > 3000 else inlet.accept(request)

    inlet.rule = rule
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, lines([*orders(5), huge, *orders(5)]))
        await until(lambda: parts.settler.totals.accepted == 10)
    (letter,) = kept(data_dir).letters
    assert (letter["record"], letter["reason"], letter["status"]) == (huge, "too_large", 413)


# Outages.


@pytest.mark.parametrize("status", [500, 502, 504, 408, 503, 429, 401, 403, 404, 301])
async def test_no_outage_is_ever_a_records_fault(inlet: Inlet, data_dir: Path, status: int) -> None:
    inlet.rule = first(6, Reply(status, b"<html>"), inlet.accept)
    records = orders(20)
    async with delivering(inlet.url, data_dir, batch__max_records=5) as parts:
        await fed(parts, lines(records))
        await until(lambda: parts.settler.totals.accepted == 20)
        assert parts.destination.state == READY
    assert kept(data_dir).letters == []
    assert parts.meters.requests.value(str(status)) == 6
    assert parts.meters.requests.value("207") == 4
    assert set(inlet.records) == set(records)


@pytest.mark.parametrize(
    ("status", "state"), [(500, DOWN), (429, THROTTLED), (401, AUTH_BLOCKED), (404, DOWN)]
)
async def test_an_outage_shows_in_the_state_of_the_destination(
    inlet: Inlet, data_dir: Path, status: int, state: str
) -> None:
    inlet.rule = lambda request: Reply(status)
    async with delivering(inlet.url, data_dir) as parts:
        await fed(parts, lines(orders(1)))
        await until(lambda: parts.destination.state == state)
        assert parts.meters.destination_state.value(state) == 1
        inlet.rule = inlet.accept
        await until(lambda: parts.destination.state == READY)
        assert parts.meters.destination_state.value(READY) == 1


async def test_a_token_is_read_again_when_it_is_refused_and_kept_where_that_fails(
    inlet: Inlet, data_dir: Path, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("old")
    inlet.rule = lambda request: (
        inlet.accept(request) if request.headers["Authorization"] == "Bearer new" else Reply(401)
    )
    async with delivering(inlet.url, data_dir, inlet__token_file=str(token)) as parts:
        token.unlink()
        await fed(parts, lines(orders(3)))
        await until(lambda: len(inlet.requests) > 2)
        assert parts.destination.state == AUTH_BLOCKED
        token.write_text("new")
    assert inlet.requests[2].headers["Authorization"] == "Bearer old"
    assert kept(data_dir).letters == []


async def test_an_inlet_that_is_away_is_asked_by_one_probe_at_a_time(
    inlet: Inlet, data_dir: Path
) -> None:
    at_once = most = 0

    async def rule(request: Request) -> Reply:
        nonlocal at_once, most
        at_once += 1
        if len(inlet.requests) > 8:
            most = max(most, at_once)
        await asyncio.sleep(0.005)
        at_once -= 1
        return Reply(500) if len(inlet.requests) < 20 else inlet.accept(request)

    inlet.rule = rule
    settings = {"batch__max_records": 1, "delivery__max_in_flight": 4}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(orders(8)))
        await until(lambda: len(inlet.requests) >= 19)
        assert most == 1


async def test_retry_after_holds_back_every_sender(inlet: Inlet, data_dir: Path) -> None:
    inlet.rule = first(1, Reply(429, b"", {"Retry-After": "1"}), inlet.accept)
    settings = {"batch__max_records": 2, "delivery__max_in_flight": 4}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        feed = parts.intake.feed("a")
        await feed.put(lines(orders(1)))
        await until(lambda: parts.destination.state == THROTTLED)
        asked = time.monotonic()
        await feed.put(lines(orders(9)))
        await until(lambda: parts.settler.totals.accepted == 10)
    assert all(request.at - asked > 0.95 for request in inlet.requests[1:])
    assert parts.meters.throttled_seconds.total() > 0.9


async def test_a_lost_answer_is_asked_for_again_with_the_same_bytes(data_dir: Path) -> None:
    bodies: list[bytes] = []
    async with (
        talking(closing_once(bodies)) as place,
        delivering(f"http://{place}/collection/x", data_dir) as parts,
    ):
        await fed(parts, lines(orders(3)))
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    assert parts.meters.requests.value("none") == 1
    (receipt,) = kept(data_dir).receipts
    assert receipt["attempts"] == 2


# Compression.


@pytest.mark.parametrize("status", [400, 415, 500])
async def test_gzip_is_given_up_for_good_once_the_same_records_pass_without(
    inlet: Inlet, data_dir: Path, status: int
) -> None:
    inlet.rule = lambda request: Reply(status) if request.gzipped else inlet.accept(request)
    settings = {
        "inlet__compression": "auto",
        "batch__max_records": 10,
        "delivery__max_in_flight": 1,
    }
    records = orders(100)
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(records))  # all of them are in the spool, compressed
        await until(lambda: parts.settler.totals.accepted == 100)
        await fed(parts, lines(records), "second.log")
    compressed = [request for request in inlet.requests if request.gzipped]
    assert len(compressed) == 1
    assert Counter(inlet.records)[records[0]] == 3  # the first once more than the others
    assert kept(data_dir).letters == []
    assert parts.meters.compression_enabled.value() == 0


async def test_gzip_that_was_taken_is_not_given_up_for_a_later_failure(
    inlet: Inlet, data_dir: Path
) -> None:
    settings = {"inlet__compression": "auto", "delivery__max_in_flight": 1}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(orders(5)))
        await until(lambda: parts.settler.totals.accepted == 5)
        inlet.rule = first(2, Reply(500), inlet.accept)
        await fed(parts, lines(orders(5)), "second.log")
        await until(lambda: parts.settler.totals.accepted == 10)
    assert [request.gzipped for request in inlet.requests] == [True] * 4


async def test_a_poison_record_does_not_cost_gzip(inlet: Inlet, data_dir: Path) -> None:
    records = orders(8)
    poison = records[2]
    inlet.rule = lambda request: (
        Reply(400, b"bad") if poison in request.records else inlet.accept(request)
    )
    settings = {"inlet__compression": "auto", "delivery__max_in_flight": 1}
    async with delivering(inlet.url, data_dir, **settings) as parts:
        await fed(parts, lines(records))
        await until(lambda: parts.settler.totals.accepted == 7)
    assert inlet.requests[-1].gzipped
    assert parts.meters.compression_enabled.value() == 1
    assert [each["record"] for each in kept(data_dir).letters] == [poison]
