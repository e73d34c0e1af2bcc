"""Whatever a record holds, it lands or fails, quickly, and its line can be read again."""

import json
import time
from typing import Any

import orjson
import pytest

from agent.dataprep import Judge as RecordJudge
from agent.dataprep import MappingSet
from agent.emulator import grammar, judging
from agent.emulator.judges import Judge
from agent.emulator.judging import Arrived, Fate
from agent.emulator.messages import object_members
from agent.emulator.routing import Route
from agent.emulator.traps import Traps
from agent.xdm import Library, compile_schema

PROFILE_CLASS = "https://ns.adobe.com/xdm/context/profile"
SCHEMA = {
    "$id": "https://ns.adobe.com/emulated/schemas/people",
    "meta:class": PROFILE_CLASS,
    "type": "object",
    "allOf": [
        {"$ref": PROFILE_CLASS},
        {"$ref": PROFILE_CLASS + "-person-details"},
        {"$ref": PROFILE_CLASS + "-personal-details"},
    ],
}
MAPPINGS = [
    ("ATTRIBUTE", "given", "person.name.firstName"),
    ("ATTRIBUTE", "family", "person.name.lastName"),
    ("EXPRESSION", 'concat(given, " ", family)', "person.name.fullName"),
    ("EXPRESSION", "lower(mail)", "personalEmail.address"),
    ("EXPRESSION", 'iif(sex.equals("f"), "female", "male")', "person.gender"),
    ("EXPRESSION", "trim(phone)", "mobilePhone.number"),
    ("ATTRIBUTE", "home.street", "homeAddress.street1"),
    ("ATTRIBUTE", "home.city", "homeAddress.city"),
    ("EXPRESSION", "upper(home.country)", "homeAddress.countryCode"),
    ("STATIC", "web", "homeAddress.label"),
]
ROUTE = Route(
    flow_id="f",
    name="people",
    sandbox="prod",
    inlet_id="i",
    is_xdm=False,
    enabled=True,
    changed_ms=0,
    source="people",
    dataset_id="d",
    dataset="people",
    schema_id=SCHEMA["$id"],  # type: ignore[arg-type]
    schema_version=1,
    mapping_id="m",
    mapping_version=0,
    profile=True,
    upsert=False,
)


def _judge(mapped: bool) -> Judge:
    schema = compile_schema(SCHEMA, Library.standard())
    mappings = [
        {"sourceType": kind, "source": source, "destination": destination}
        for kind, source, destination in MAPPINGS
    ]
    mapping = MappingSet.from_json({"mappings": mappings}) if mapped else None
    return Judge(RecordJudge(schema, mapping).judge, False, "personalEmail.address", "Email")


def _fate(judge: Judge, record: bytes) -> Fate:
    return judging.fate(ROUTE, judge, Arrived(record, "x", 1), "landed", "failed", Traps())


def test_with_ten_mappings_three_thousand_records_take_less_than_a_second() -> None:
    judge = _judge(mapped=True)
    records = [
        orjson.dumps(
            {
                "given": f"Jane{number}",
                "family": "Doe",
                "mail": f"Jane{number}@Example.org",
                "sex": "f",
                "phone": " 123 ",
                "home": {"street": "1 Main Street", "city": "Paris", "country": "fr"},
                "more": "y" * 200,
            }
        )
        for number in range(3_000)
    ]
    started = time.thread_time()
    fates = [_fate(judge, record) for record in records]
    took = time.thread_time() - started
    assert {fate.message for fate in fates} == {""}
    assert fates[7].change
    assert fates[7].change.identity == ("Email", "jane7@example.org")
    assert took < 1.0


@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize(
    "record",
    [
        b"7",
        b"[]",
        b"null",
        b'{"person":' * 300 + b"1" + b"}" * 300,
        b'{"_emulated":' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"given": 123456789012345678901234567890, "person": {"birthYear": 1e400}}',
        b'{"given": "\\ud800", "person": {"name": {"firstName": "\\udc00"}}}',
        b'{"given": "a", "given": "b", "": {"": {}}, "a.b": 1, "a[0]": 2}',
        '{"given": "é\u2028", "family": "\\u0000"}'.encode(),
        b'{"header": {"operations": 7}, "body": null}',
        b'{"header": {"flowId": "f", "operations": {"data": ["x"]}}, "body": []}',
    ],
)
def test_any_json_lands_or_fails_in_one_line(record: bytes, mapped: bool) -> None:
    fate = _fate(_judge(mapped), record)
    assert (fate.row is None) != (fate.failed is None)
    line = fate.row or fate.failed or b""
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    members = object_members(grammar.whole(line))
    assert members
    assert members["xactionId"] == b'"x"'
    if fate.failed is not None:
        assert members["record"] == record


def test_a_long_number_is_not_rounded() -> None:
    fate = _fate(
        _judge(mapped=True), b'{"given": 123456789012345678901234567890, "mail": "a@b.org"}'
    )
    assert b'"firstName":"123456789012345678901234567890"' in (fate.row or b"")


def test_a_record_that_breaks_the_judge_fails_and_no_other_does() -> None:
    def judge(record: Any) -> Any:
        raise KeyError("gone")

    fate = _fate(Judge(judge, False, None, ""), b'{"n":1}')
    assert fate.message == "the emulator cannot judge this record: KeyError: 'gone'"
    assert json.loads(fate.failed or b"")["failed"]["_errors"]["_streamingValidation"]
