"""What filters leave out is counted, durable and never read again; what they change arrives so."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agent.app.doors import doors_of
from agent.app.parts import Parts
from agent.config.filters import Filtered
from agent.config.validating import validated
from agent.delivery import settling
from agent.record import BEGINNING, Position
from agent.store.ledger import residue
from delivery.rig import Inlet, Reply, Request, delivering, kept, lines, until

BEATS = [b'{"n":%d,"kind":"%b"}' % (n, b"beat" if n % 3 else b"order") for n in range(300)]


async def put(parts: Parts, data: bytes, filters: list[Any], **settings: Any) -> None:
    doors = doors_of(validated(Filtered, {"filters": filters, **settings}), parts.intake)
    feed = doors.feed("app.log", identity="1")
    for start in range(0, len(data), 1000):
        await feed.put(data[start : start + 1000])
    await feed.end()
    parts.settler.flush()


async def test_filtered_records_are_counted_and_the_books_balance(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        await put(parts, lines(BEATS), [{"drop": "kind = beat"}])
    assert sorted(inlet.records) == sorted(record for record in BEATS if b"order" in record)
    assert parts.settler.totals.filtered == {"drop-1": 200}
    assert dict(parts.meters.records_filtered.series()) == {("app.log", "drop-1"): 200}
    assert parts.store.balance.ledger["filtered", "drop-1"] == 200
    assert residue(parts.store.balance.ledger, 0) == 0
    assert parts.store.safe["app.log"] == Position(301, len(lines(BEATS)))


@pytest.mark.parametrize("seconds", [0.0, 0.5])
async def test_what_is_safe_is_so_with_the_filtered_lines_beside_it(
    seconds: float, inlet: Inlet, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Answered for at once, or written because it was not: nothing of it is read again."""
    monkeypatch.setattr(settling, "_GATHERED_SECONDS", 60.0)

    async def answer(request: Request) -> Reply:
        await asyncio.sleep(seconds)
        return inlet.accept(request)

    inlet.rule = answer
    async with delivering(inlet.url, data_dir, buffer__type="disk") as parts:
        doors = doors_of(validated(Filtered, {"filters": [{"drop": "kind = beat"}]}), parts.intake)
        await doors.feed("app.log", identity="1").put(lines(BEATS))
        await until(lambda: parts.store.safe.get("app.log", BEGINNING).line > 1)
        assert parts.store.safe["app.log"].line == 301
        assert parts.settler.totals.accepted == (0 if seconds else 100)


async def test_a_source_moves_on_past_lines_that_are_all_filtered(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        doors = doors_of(validated(Filtered, {"filters": [{"keep": "n < 0"}]}), parts.intake)
        feed = doors.feed("app.log", identity="1")
        commits = parts.store.statistics().commits
        for record in BEATS:
            await feed.put(record + b"\n")
            await asyncio.sleep(0)
        await until(lambda: parts.store.safe.get("app.log", BEGINNING).line == 301)
        assert parts.store.statistics().commits - commits < 10, "not a commit each"
        assert parts.budget.held == 0
    assert inlet.requests == []
    assert kept(data_dir).positions == {"app.log": 301}


async def test_what_is_no_json_is_dropped_and_counted_where_that_is_asked_for(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        await put(parts, b'Starting ...\n{"n":1}\n\nbye\n', [], non_json="drop")
    assert inlet.records == [b'{"n":1}']
    assert kept(data_dir).letters == []
    assert parts.settler.totals.filtered == {"non_json": 2}


async def test_changed_records_arrive_changed_also_as_dead_letters(
    inlet: Inlet, data_dir: Path
) -> None:
    people = [b'{"n":%d,"mail":"A%d@x.org","tel":"%d"}' % (n, n, n) for n in range(50)]
    changed = [{"remove": "tel"}, {"hash": "mail", "normalize": "true"}, {"set": {"env": "test"}}]

    def refuse_one(request: Any) -> Any:
        refused = {one: (400, "no") for one in request.records if b'"n":7,' in one}
        return inlet.verdicts(request, refused)

    inlet.rule = refuse_one
    async with delivering(inlet.url, data_dir) as parts:
        await put(parts, lines(people), changed)
        assert parts.budget.held >= 0
    for record in inlet.records:
        fields = json.loads(record)
        assert set(fields) == {"n", "mail", "env"}
        assert len(fields["mail"]) == 64
    (letter,) = kept(data_dir).letters
    assert (letter["line"], letter["reason"]) == (8, "rejected")
    assert b"@" not in letter["record"]
    assert parts.store.safe["app.log"] == Position(51, len(lines(people)))


async def test_what_cannot_be_changed_is_a_dead_letter_without_what_was_removed(
    inlet: Inlet, data_dir: Path
) -> None:
    async with delivering(inlet.url, data_dir) as parts:
        await put(parts, b'{"a":1,"b":2}\n{"c":1}\n', [{"remove": "b"}, {"set": {"a.x": 1}}])
    (letter,) = kept(data_dir).letters
    assert (letter["record"], letter["reason"]) == (b'{"a":1}', "filter_failed")
    assert letter["stage"] == "filter"
    assert "filter set-2: a is no object" in letter["message"]
    assert inlet.records == [b'{"a":{"x":1},"c":1}']
