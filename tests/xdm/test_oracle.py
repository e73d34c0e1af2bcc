"""Another validator, which shares nothing with this one, is asked about the same records."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, FormatChecker

from agent.xdm import Library, Schema, compile_schema
from xdm.records import Dice
from xdm.schemas import EVENT, PROFILE, identity, sample

LIBRARY = Library.standard()


def everything_for(class_ref: str) -> Schema:
    groups = (
        group["$id"]
        for group in LIBRARY.all("fieldgroups")
        if class_ref in group.get("meta:intendedToExtend", ())
    )
    descriptors = [identity("/personalEmail/address")] if class_ref == PROFILE else []
    return compile_schema(sample(class_ref, *groups), LIBRARY, descriptors=descriptors)


SCHEMAS = {"profile": everything_for(PROFILE), "event": everything_for(EVENT)}


def closed(schema: Any) -> Any:
    """The schema with what the platform takes for granted: no field that has no name."""
    if isinstance(schema, list):
        return [closed(inner) for inner in schema]
    if not isinstance(schema, dict):
        return schema
    made = {word: closed(inner) for word, inner in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        made.setdefault("additionalProperties", False)
    return made


FORMATS = FormatChecker()
FORMATS.checks("uri")(lambda text: not isinstance(text, str) or ":" in text)


@FORMATS.checks("date-time", ValueError)
def is_a_moment(text: object) -> bool:
    return not isinstance(text, str) or bool(datetime.fromisoformat(text))


ORACLES = {
    name: Draft7Validator(closed(schema.full()), format_checker=FORMATS)
    for name, schema in SCHEMAS.items()
}


FULL = {name: schema.full() for name, schema in SCHEMAS.items()}


@pytest.mark.parametrize("name", SCHEMAS)
@settings(deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_right_record_has_no_violations(name: str, seed: int) -> None:
    record = Dice(seed).value(FULL[name])
    assert SCHEMAS[name].violations(record) == []
    assert SCHEMAS[name].coerce(record) is record, "and nothing is made of it"
    assert ORACLES[name].is_valid(record)


@pytest.mark.parametrize("name", SCHEMAS)
@settings(max_examples=500, deadline=None)
@given(seed=st.integers(0, 2**32), wrong=st.sampled_from([0.02, 0.1, 0.3]))
def test_both_find_the_same_records_wrong(name: str, seed: int, wrong: float) -> None:
    record = Dice(seed, wrong).value(FULL[name])
    found = SCHEMAS[name].violations(record)
    assert (not found) == ORACLES[name].is_valid(record), found
