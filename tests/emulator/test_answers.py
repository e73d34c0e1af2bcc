"""The shapes of section 1 of the platform's facts, one by one."""

import json
import re
from typing import Any

import pytest

INLET = "c0ffee5ca1ab1e0ddba11ad0be5afec0ded0c5b0a7f00dfeed5eed1ed9e01dab"
UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
BATCH_ID = {"documented": r"\d{13}:\d+:\d+", "observed": UUID}
SEPARATOR = {"documented": ":", "observed": "-"}
FIVE = [b'{"n":0}', b"1", b'{"n":2}', b'{"n":3}', b"4"]


@pytest.mark.parametrize("dialect", ["documented", "observed"])
async def test_a_207_in_either_dialect(start: Any, dialect: str) -> None:
    client = await start(dialect=dialect)
    status, answer = await client.batch(FIVE)
    assert status == 207
    assert list(answer) == ["inletId", "batchId", "receivedTimeMs", "responses"]
    assert answer["inletId"] == INLET
    assert re.fullmatch(BATCH_ID[dialect], answer["batchId"])
    assert isinstance(answer["receivedTimeMs"], int)
    items = answer["responses"]
    for index in (0, 2, 3):
        assert items[index] == {"xactionId": f"{answer['batchId']}{SEPARATOR[dialect]}{index}"}
    if dialect == "documented":
        prefix = rf"inletId: \[{INLET}\] imsOrgId: \[\w+@AdobeOrg\] "
        assert list(items[1]) == ["statusCode", "message"]
        assert items[1]["statusCode"] == 400
        assert re.fullmatch(prefix + "Message has unknown xdm format", items[1]["message"])
    else:
        assert items[4] == {
            "xactionId": f"{answer['batchId']}-4",
            "status": 400,
            "message": "Message has unknown xdm format",
        }


async def test_a_single_200_on_a_raw_inlet(client: Any) -> None:
    status, answer = await client.single(b"{}")
    assert status == 200
    assert answer["inletId"] == INLET
    assert re.fullmatch(r"\d{13}:\d+:\d+", answer["xactionId"])
    assert answer["xactionId"].startswith(str(answer["receivedTimeMs"]))
    assert answer["flowId"] == client.emulator.flow_id


async def bent(start: Any, records: list[bytes] = FIVE, **effects: Any) -> dict[str, Any]:
    client = await start(faults=[effects])
    status, answer = await client.batch(records)
    assert status == 207
    accepted = list(client.emulator.records())
    assert accepted == [record for record in records if record.startswith(b"{")]
    return dict(answer)


async def test_mixed_dialects_stand_in_one_answer(start: Any) -> None:
    answer = await bent(start, [b"7"] * 60, dialect="mixed")
    kinds = {frozenset(item) for item in answer["responses"]}
    assert kinds == {
        frozenset({"statusCode", "message"}),
        frozenset({"xactionId", "status", "message"}),
    }


@pytest.mark.parametrize("dialect", ["documented", "observed"])
async def test_a_fault_can_switch_the_dialect(start: Any, dialect: str) -> None:
    answer = await bent(start, dialect=dialect)
    assert re.fullmatch(BATCH_ID[dialect], answer["batchId"])


async def test_items_can_be_dropped_by_number(start: Any) -> None:
    assert len((await bent(start, drop_items=2))["responses"]) == 3
    assert len((await bent(start, drop_items=9))["responses"]) == 0


async def test_items_can_be_dropped_by_chance(start: Any) -> None:
    answer = await bent(start, [b"{}"] * 200, drop_items=0.5)
    assert 50 < len(answer["responses"]) < 150


async def test_items_can_be_added_of_three_kinds(start: Any) -> None:
    items = (await bent(start, add_items=3))["responses"]
    assert len(items) == 8
    assert items[5] in items[:5]
    assert int(items[6]["xactionId"].rpartition(":")[2]) >= 5
    assert set(items[7]) == {"statusCode", "message"}


async def test_items_can_be_added_to_none(start: Any) -> None:
    assert len((await bent(start, [], add_items=3))["responses"]) == 3


async def test_items_can_be_shuffled(start: Any) -> None:
    items = (await bent(start, [b"{}"] * 40, shuffle_items=True))["responses"]
    order = [int(item["xactionId"].rpartition(":")[2]) for item in items]
    assert order != sorted(order)
    assert sorted(order) == list(range(40))


@pytest.mark.parametrize(
    ("which", "without"), [("accepted", {0, 2, 3}), ("rejected", {1, 4}), ("all", {0, 1, 2, 3, 4})]
)
async def test_ids_can_be_left_out(start: Any, which: str, without: set[int]) -> None:
    items = (await bent(start, strip_ids=which, dialect="observed"))["responses"]
    assert {index for index, item in enumerate(items) if "xactionId" not in item} == without


async def test_ids_can_be_opaque(start: Any) -> None:
    items = (await bent(start, ids="opaque"))["responses"]
    assert re.fullmatch("[0-9a-f]{32}", items[0]["xactionId"])
    assert items[0] != items[2]


async def test_the_spellings_of_the_specification_can_be_had(start: Any) -> None:
    answer = await bent(start, received_time_ms="string", inlet_id_spelling="inletID")
    assert re.fullmatch(r"\d{13}", answer["receivedTimeMs"])
    assert answer["inletID"] == INLET
    assert "inletId" not in answer


async def test_a_single_answer_can_be_bent_too(start: Any) -> None:
    client = await start(faults=[{"received_time_ms": "string", "strip_ids": "all"}])
    _, answer = await client.single(b"{}")
    assert isinstance(answer["receivedTimeMs"], str)
    assert "xactionId" not in answer


@pytest.mark.parametrize("dialect", ["documented", "observed"])
async def test_the_refusals_that_are_listed_are_those_that_were_answered(
    start: Any, dialect: str
) -> None:
    client = await start(
        dialect=dialect,
        faults=[{"when": {"matching": "bad"}, "reject": {"status": "422", "message": "so bad"}}],
    )
    _, answer = await client.batch([b'{"bad":1}', b'{"good":1}', b"7"])
    failed = [item for item in answer["responses"] if "message" in item]
    assert failed[0]["message"] == "so bad"
    assert failed[0].get("status", failed[0].get("statusCode")) == "422"
    listed = [json.loads(line) for line in client.emulator.rejected().splitlines()]
    assert [line["record"] for line in listed] == [{"bad": 1}, 7]
    assert [line["message"] for line in listed] == [item["message"] for item in failed]
    assert [line["status"] for line in listed] == [422, 400]
    assert [line["xaction_id"] for line in listed] == [item.get("xactionId") for item in failed]
