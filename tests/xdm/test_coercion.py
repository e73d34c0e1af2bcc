"""What becomes of mapped values whose type is not the field's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent.xdm import dates
from xdm.schemas import of_fields

STRING = {"type": "string"}
DATE = {"type": "string", "format": "date"}
STAMP = {"type": "string", "format": "date-time"}


@pytest.mark.parametrize(
    ("field", "value", "becomes"),
    [
        (STRING, 1234, "1234"),
        (STRING, 2**70, str(2**70)),
        (STRING, 1.5, "1.5"),
        (STRING, True, "true"),
        (STRING, False, "false"),
        ({"type": "boolean"}, "YES", True),
        ({"type": "boolean"}, "off", False),
        ({"type": "integer"}, "-42", -42),
        ({"type": "integer"}, 3.0, 3),
        ({"type": "number"}, "42", 42),
        ({"type": "number"}, "1e3", 1000.0),
        (DATE, "25.11.2026", "2026-11-25"),
        (DATE, "2026-11-25T23:00:00-05:00", "2026-11-25"),
        (STAMP, "2026-11-25", "2026-11-25T00:00:00Z"),
        (STAMP, "2026-11-25 10:11:12.345", "2026-11-25T10:11:12.345Z"),
        (STAMP, "2026-11-25 10:11:12+0200", "2026-11-25T08:11:12Z"),
        ({"type": "array", "items": STRING}, ["a", 1], ["a", "1"]),
        ({"type": "object", "additionalProperties": STRING}, {"k": 1}, {"k": "1"}),
    ],
)
def test_a_value_becomes_what_its_field_is(field: dict[str, Any], value: Any, becomes: Any) -> None:
    schema = of_fields({"a": field})
    coerced = schema.coerce({"a": value})["a"]
    assert coerced == becomes
    assert type(coerced) is type(becomes)
    assert schema.violations({"a": coerced}) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (STRING, None),
        (STRING, ["a"]),
        (STRING, {"a": 1}),
        ({"type": "boolean"}, "Yes"),
        ({"type": "boolean"}, 1),
        ({"type": "integer"}, "4.2"),
        ({"type": "integer"}, " 4"),
        ({"type": "integer"}, "9223372036854775808"),
        ({"type": "integer"}, "٤"),
        ({"type": "integer"}, 1e300),
        ({"type": "integer"}, 3.5),
        ({"type": "integer"}, True),
        ({"type": "number"}, "4,2"),
        ({"type": "number"}, "1e999"),
        ({"type": "number"}, "NaN"),
        ({"type": "number"}, False),
        (DATE, "25.13.2026"),
        (DATE, 20261125),
        (STAMP, "2026-11-25T10:11:12"),
        (STAMP, 1571829875000),
        ({"type": "array", "items": STRING}, "a"),
        ({"type": "array"}, [1]),
        ({"type": "object", "properties": {"b": STRING}}, "b"),
        ({"type": "object", "properties": {"b": STRING}}, {"c": 1}),
    ],
)
def test_what_does_not_fit_stays(field: dict[str, Any], value: Any) -> None:
    record = {"a": value}
    assert of_fields({"a": field}).coerce(record) is record


@pytest.mark.parametrize("form", dates.FORMS)
def test_every_form_of_a_date_is_read(form: str) -> None:
    at = datetime(2026, 11, 25, 14, 7, 9, 345000, UTC)
    written = form
    for letters, code in (
        ("'T'", "T"),
        ("'Z'", "Z"),
        ("yyyy", "2026"),
        ("MMM", "Nov"),
        ("MM", "11"),
        ("M/", "11/"),
        (".M.", ".11."),
        ("dd", "25"),
        ("HH", "14"),
        ("hh", "02"),
        ("mm", "07"),
        ("SSS", "345"),
        ("ss", "09"),
        (" a", " PM"),
        ("X", "Z"),
    ):
        written = written.replace(letters, code)
    if form.endswith("Z"):
        written = written.removesuffix("Z") + "+0000"
    if "ss" not in form:
        at = at.replace(hour=0, minute=0, second=0)
    if "SSS" not in form:
        at = at.replace(microsecond=0)
    assert dates.moment(written) == at, written


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-25T10:11:12.345+05", datetime(2026, 11, 25, 5, 11, 12, 345000, UTC)),
        ("2026-11-25T10:11:12.345-0530", datetime(2026, 11, 25, 15, 41, 12, 345000, UTC)),
        ("1/05/2026", datetime(2026, 1, 5, tzinfo=UTC)),
        ("1/05/2026 12:00:00 am", datetime(2026, 1, 5, tzinfo=UTC)),
        ("11251999", datetime(1999, 11, 25, tzinfo=UTC)),
        ("05-jun-2026", datetime(2026, 6, 5, tzinfo=UTC)),
        ("1/05/2026 13:00:00 am", None),
        ("05-Juin-2026", None),
        ("05-Xyz-2026", None),
        ("2026-02-30", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates_that_are_and_are_not(text: str, at: datetime | None) -> None:
    assert dates.moment(text) == at


def test_a_moment_keeps_its_zone_until_it_is_written() -> None:
    at = dates.moment("2026-11-25 10:11:12-0330")
    assert at is not None
    assert at.utcoffset() == -timedelta(hours=3, minutes=30)
    assert dates.written(at) == "2026-11-25T13:41:12Z"
