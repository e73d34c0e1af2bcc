"""What is said of values that break their schema, in the words of the platform's validator."""

from typing import Any

import pytest

from agent.xdm import report
from xdm.schemas import of_fields

STAMP = (
    "[2018-00-23T22:07:01Z] is not a valid date-time. Expected [yyyy-MM-dd'T'HH:mm:ssZ, "
    "yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}Z, yyyy-MM-dd'T'HH:mm:ss[+-]HH:mm, "
    "yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,9}[+-]HH:mm]"
)
CASES: list[tuple[dict[str, Any], Any, str, str]] = [
    ({"type": "string"}, 1, "type", "expected type: String, found: Long"),
    ({"type": "string"}, 2**63, "type", "expected type: String, found: BigInteger"),
    ({"type": "string"}, 1.5, "type", "expected type: String, found: Double"),
    ({"type": "string"}, None, "type", "expected type: String, found: Null"),
    ({"type": "string"}, {}, "type", "expected type: String, found: JSONObject"),
    ({"type": "integer"}, "1", "type", "expected type: Integer, found: String"),
    ({"type": "integer"}, True, "type", "expected type: Integer, found: Boolean"),
    ({"type": "integer"}, 1.0, "type", "expected type: Integer, found: Double"),
    ({"type": "number"}, True, "type", "expected type: Number, found: Boolean"),
    ({"type": "boolean"}, 1, "type", "expected type: Boolean, found: Long"),
    ({"type": "object"}, [], "type", "expected type: JSONObject, found: JSONArray"),
    ({"type": "array"}, "", "type", "expected type: JSONArray, found: String"),
    ({"type": "integer", "minimum": 1}, 0, "minimum", "0 is not greater or equal to 1"),
    ({"type": "integer", "maximum": 9}, 10, "maximum", "10 is not less or equal to 9"),
    ({"type": "number", "exclusiveMinimum": 0}, 0, "exclusiveMinimum", "0 is not greater than 0"),
    ({"type": "number", "exclusiveMaximum": 1}, 1.0, "exclusiveMaximum", "1.0 is not less than 1"),
    ({"type": "string", "minLength": 2}, "é", "minLength", "expected minLength: 2, actual: 1"),
    ({"type": "string", "maxLength": 1}, "ab", "maxLength", "expected maxLength: 1, actual: 2"),
    (
        {"type": "string", "pattern": "^[A-Z]{2}$"},
        "fr",
        "pattern",
        "string [fr] does not match pattern ^[A-Z]{2}$",
    ),
    ({"type": "string", "enum": ["a"]}, "b", "enum", "b is not a valid enum value"),
    ({"enum": ["a"]}, "b", "enum", "b is not a valid enum value"),
    ({"type": "string", "format": "date-time"}, "2018-00-23T22:07:01Z", "format", STAMP),
    (
        {"type": "string", "format": "date"},
        "2026-02-30",
        "format",
        "[2026-02-30] is not a valid date. Expected [yyyy-MM-dd]",
    ),
    ({"type": "string", "format": "uri"}, "a b", "format", "[a b] is not a valid URI"),
    ({"type": "string", "format": "email"}, "a@", "format", "[a@] is not a valid email address"),
    ({"type": "array", "minItems": 1}, [], "minItems", "expected minimum item count: 1, found: 0"),
    (
        {"type": "array", "maxItems": 1},
        [1, 2],
        "maxItems",
        "expected maximum item count: 1, found: 2",
    ),
    ({"type": "array", "uniqueItems": True}, [1, 1], "uniqueItems", "array items are not unique"),
    (
        {"oneOf": [{"type": "string"}, {"type": "integer"}]},
        True,
        "oneOf",
        "0 subschemas matched instead of one",
    ),
    (
        {"oneOf": [{"type": "number"}, {"type": "integer"}]},
        1,
        "oneOf",
        "2 subschemas matched instead of one",
    ),
    (
        {"type": "object", "additionalProperties": False},
        {"b": 1},
        "additionalProperties",
        "extraneous key [b] is not permitted",
    ),
]


@pytest.mark.parametrize(("field", "value", "keyword", "message"), CASES)
def test_a_wrong_value_is_told_in_the_words_of_the_platform(
    field: dict[str, Any], value: Any, keyword: str, message: str
) -> None:
    (violation,) = of_fields({"a": field}).violations({"a": value})
    assert (violation.pointer, violation.keyword, violation.message) == ("#/a", keyword, message)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"type": "number"}, 1),
        ({"type": "object"}, {"any": "thing"}),
        ({"type": "object", "properties": {"b": {}}, "additionalProperties": True}, {"c": 1}),
        ({"type": "object", "meta:xdmType": "map"}, {"c": 1}),
        ({"type": "array"}, [1, "a"]),
        ({"type": "string", "format": "unheard-of"}, "a"),
        ({"type": "string", "meta:enum": {"a": "A"}}, "b"),
        ({"oneOf": [{"type": "string"}, {"type": "integer"}]}, 1),
        ({}, None),
    ],
)
def test_a_right_value_is_no_violation(field: dict[str, Any], value: Any) -> None:
    assert of_fields({"a": field}).violations({"a": value}) == []


def test_a_record_that_is_no_object_is_wrong_as_a_whole() -> None:
    (violation,) = of_fields({}).violations([])
    assert (violation.pointer, violation.schema_location) == ("#", "#")


def test_the_places_of_a_violation_are_pointers_into_the_record_and_the_schema() -> None:
    inner = {"type": "object", "properties": {"b/~": {"type": "string"}}}
    schema = of_fields(
        {
            "list": {"type": "array", "items": inner},
            "map": {"type": "object", "additionalProperties": inner},
            "both": {**inner, "additionalProperties": {"type": "integer"}},
        }
    )
    record = {"list": [{}, {"b/~": 1}], "map": {"k": {"b/~": 1}}, "both": {"c": "1"}}
    assert [(v.pointer, v.schema_location) for v in schema.violations(record)] == [
        ("#/list/1/b~1~0", "#/properties/list/items/properties/b~1~0"),
        ("#/map/k/b~1~0", "#/properties/map/additionalProperties/properties/b~1~0"),
        ("#/both/c", "#/properties/both/additionalProperties"),
    ]


def test_of_an_object_what_is_missing_is_told_before_what_is_too_much() -> None:
    schema = of_fields({"a": {"type": "string"}, "b": {"type": "string"}}, required=["b"])
    assert [v.message for v in schema.violations({"a": 1, "c": 1})] == [
        "required key [b] not found",
        "extraneous key [c] is not permitted",
        "expected type: String, found: Long",
    ]


def test_a_report_gathers_violations_at_every_object_above_them() -> None:
    text = {"type": "string"}
    inner = {"type": "object", "properties": {"properties": text, "b": text}}
    schema = of_fields(
        {
            "list": {"type": "array", "items": inner},
            "map": {"type": "object", "additionalProperties": inner},
        }
    )
    record = {"list": [{}, {"properties": 1, "b": 2}], "map": {"k": {"b": 3}}, "c": 4}
    (whole,) = report(schema.violations(record))
    assert whole["message"] == "4 schema violations found"
    assert whole["pointerToViolation"] == whole["schemaLocation"] == "#"
    own, of_list, of_map = whole["causingExceptions"]
    assert own["message"] == "extraneous key [c] is not permitted"
    assert of_map["pointerToViolation"] == "#/map/k/b"
    assert "keyword" not in of_list
    assert of_list["message"] == "2 schema violations found"
    assert of_list["pointerToViolation"] == "#/list/1"
    assert of_list["schemaLocation"] == "#/properties/list/items"
    assert [cause["pointerToViolation"] for cause in of_list["causingExceptions"]] == [
        "#/list/1/properties",
        "#/list/1/b",
    ]


def test_a_report_has_one_violation_alone_and_several_as_causes() -> None:
    schema = of_fields({"a": {"type": "string"}})
    assert report(schema.violations({})) == []
    (alone,) = report(schema.violations({"a": 1}))
    assert alone == {
        "pointerToViolation": "#/a",
        "causingExceptions": [],
        "keyword": "type",
        "message": "expected type: String, found: Long",
        "schemaLocation": "#/properties/a",
    }
    (several,) = report(schema.violations({"a": 1, "b": 2}))
    assert several["message"] == "2 schema violations found"
    assert several["causingExceptions"][1] == alone
