"""What preflight says of a record is what becomes of it, however wrong the record is."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import aiohttp
import pytest

from agent.aep.discovery import Wanted
from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator
from agent.preflight.examining import Block, Examiner, Verdict
from agent.preflight.fetching import Fetched, fetched
from preflight.flows import DETAILS, EVENT, Made, make_flow
from preflight.orders import lines_of
from support.flows_made import ACCOUNT, PROFILE, platform
from xdm.records import Dice

RECORDS = 10_000
KEYWORDS = {
    *("required", "type", "format", "enum", "pattern", "minimum", "maximum", "exclusiveMaximum"),
    *("minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
}
Words = list[tuple[str, str, str]]  # keyword, place, message


class Outcomes(NamedTuple):
    """What became of records, by xactionId: nothing is wrong with those that landed."""

    by_id: dict[str, Words]
    warnings: int


def _judged(found: Fetched, lines: Sequence[bytes]) -> list[Verdict]:
    """Our verdicts, in the order of the lines."""
    block = Block("orders", 1, b"".join(line + b"\n" for line in lines), 0)
    return sorted(Examiner(found.rules, 1).verdicts(block), key=lambda verdict: verdict.line)


def _words(verdict: Verdict) -> Words:
    return [(each.keyword, each.pointer, each.message) for each in verdict.errors]


async def _sent(made: Made, bodies: Sequence[bytes], session: aiohttp.ClientSession) -> list[str]:
    """The xactionIds of records, all of which are accepted."""
    url = made.inlet_url.replace("/collection/", "/collection/batch/")
    headers = {"x-adobe-flow-id": made.flow_id, "Content-Type": "application/json"}
    ids: list[str] = []
    for start in range(0, len(bodies), 300):
        body = b'{"messages":[%b]}' % b",".join(bodies[start : start + 300])
        async with session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 207, await answer.text()
            ids += [item["xactionId"] for item in (await answer.json())["responses"]]
    return ids


async def _outcomes(emulator: Emulator, made: Made, session: aiohttp.ClientSession) -> Outcomes:
    async def ask(path: str) -> Any:
        async with session.get(f"{emulator.listening}/_emulator/{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    (flow,) = await ask("flows?wait=60")
    assert flow["waiting"] == 0
    found: dict[str, Words] = {}
    landed = failed = 0
    while rows := (await ask(f"datasets/{made.dataset_id}?limit=5000&offset={landed}"))["rows"]:
        landed += len(rows)
        found |= {row["xactionId"]: [] for row in rows}
    while more := (await ask(f"failed?limit=5000&offset={failed}"))["failed"]:
        failed += len(more)
        for each in more:
            errors = each["failed"].get("_validationErrors", [])
            found[each["xactionId"]] = [
                (error["keyword"], error["pointerToViolation"], error["message"])
                for error in errors
            ]
    return Outcomes(found, flow["warnings"])


async def test_of_ten_thousand_raw_records_both_say_the_same_in_the_same_words() -> None:
    lines = lines_of(2026, RECORDS)
    async with Emulator(EmulatorOptions()) as emulator, aiohttp.ClientSession() as session:
        async with platform(emulator.listening) as client:
            made = await make_flow(client)
            wanted = Wanted(name=made.name)
            found = await fetched(client, wanted, 1_000_000, ACCOUNT["org_id"])
        verdicts = _judged(found, lines)
        records = [verdict for verdict in verdicts if verdict.is_record]
        ids = await _sent(made, [verdict.record for verdict in records], session)
        outcomes = await _outcomes(emulator, made, session)

    assert len(verdicts) == RECORDS
    assert len(outcomes.by_id) == len(ids) == len(records)
    different = [
        (verdict.record, _words(verdict), outcomes.by_id[id])
        for verdict, id in zip(records, ids, strict=True)
        if _words(verdict) != outcomes.by_id[id]
    ]
    assert different == []
    assert outcomes.warnings == sum(
        sum(each.keyword == "mapping" for each in verdict.warnings) for verdict in records
    )
    said = {each.keyword for verdict in records for each in verdict.errors}
    assert said >= KEYWORDS
    assert len(records) / 4 < sum(not verdict.errors for verdict in records) < len(records) * 3 / 4
    assert {verdict.errors[0].keyword for verdict in verdicts if not verdict.is_record} == {
        *("invalid_json", "invalid_utf8", "not_an_object")
    }


@pytest.mark.parametrize("parts", [(PROFILE, DETAILS), (EVENT,)], ids=["profile", "event"])
async def test_of_xdm_records_both_say_the_same_in_the_same_words(parts: tuple[str, ...]) -> None:
    async with Emulator(EmulatorOptions()) as emulator, aiohttp.ClientSession() as session:
        async with platform(emulator.listening) as client:
            made = await make_flow(client, mapped=False, parts=parts)
            wanted = Wanted(id=made.flow_id)
            found = await fetched(client, wanted, 1_000_000, ACCOUNT["org_id"])
        dice = Dice(5, wrong=0.06)
        schema = {**found.rules.schema, "required": ["_emulated"]}
        values = [dice.value(dict(schema)) for _ in range(1500)]
        records = [value for value in values if isinstance(value, dict)]
        verdicts = _judged(found, [json.dumps(record).encode() for record in records])
        bodies = [found.envelope.body([verdict.record]) for verdict in verdicts]
        ids = await _sent(made, bodies, session)
        outcomes = await _outcomes(emulator, made, session)

    assert len(records) > 1300
    assert [outcomes.by_id[id] for id in ids] == [_words(verdict) for verdict in verdicts]
    assert 100 < sum(bool(verdict.errors) for verdict in verdicts) < len(records)


async def test_what_the_agent_would_not_send_no_inlet_takes() -> None:
    lines = [*lines_of(7, 2000), b'{"name":"%b"}' % (b"x" * 1_000_000)]
    async with Emulator(EmulatorOptions()) as emulator, aiohttp.ClientSession() as session:
        async with platform(emulator.listening) as client:
            made = await make_flow(client)
            wanted = Wanted(id=made.flow_id)
            found = await fetched(client, wanted, 1_000_000, ACCOUNT["org_id"])
        refused = [verdict for verdict in _judged(found, lines) if not verdict.is_record]
        headers = {"x-adobe-flow-id": made.flow_id, "Content-Type": "application/json"}
        statuses = []
        for verdict in refused:
            body = lines[verdict.line - 1]
            async with session.post(made.inlet_url, data=body, headers=headers) as answer:
                statuses.append((verdict.errors[0].keyword, answer.status))

    assert len(refused) > 10
    assert set(statuses) == {
        ("invalid_json", 400),
        ("invalid_utf8", 400),
        ("not_an_object", 400),
        ("too_large", 413),
    }
