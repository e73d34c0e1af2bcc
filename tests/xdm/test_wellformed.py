"""Components that are no JSON schemas are told of by the place where they are none."""

from typing import Any

import pytest

from agent.xdm.wellformed import DEPTH_MAX, problem


@pytest.mark.parametrize(
    ("component", "said"),
    [
        ({"properties": []}, "#/properties: found []; write an object"),
        ({"properties": {"a": 7}}, "#/properties/a: found 7; write a schema"),
        ({"definitions": {"o": {"type": "text"}}}, "#/definitions/o/type: found 'text'; write one"),
        ({"allOf": {}}, "#/allOf: found {}; write a list"),
        ({"allOf": [{"$ref": 7}]}, "#/allOf/0/$ref: found 7; write a text"),
        ({"items": [1]}, "#/items: found [1]; write a schema"),
        (
            {"additionalProperties": {"enum": 1}},
            "#/additionalProperties/enum: found 1; write a list",
        ),
        ({"required": "a"}, "#/required: found 'a'; write a list of texts"),
        ({"minimum": True}, "#/minimum: found True; write a number"),
        ({"maxLength": -1}, "#/maxLength: found -1; write a whole number"),
        ({"title": "é" * 300 + "x", "pattern": ["é" * 300]}, "..."),
    ],
)
def test_the_first_wrong_keyword_is_named_with_its_place(component: Any, said: str) -> None:
    assert said in str(problem(component))


def test_a_right_schema_has_no_problem() -> None:
    field = {"type": "array", "items": {"type": "integer", "minimum": 0, "enum": [1, 2]}}
    component = {
        "title": "A",
        "properties": {"a": field, "b": {"additionalProperties": False}},
        "allOf": [{"$ref": "#/definitions/x"}],
        "definitions": {"x": {"required": ["a"], "maxLength": 3}},
    }

    assert problem(component) is None


@pytest.mark.parametrize(("depth", "is_too_deep"), [(DEPTH_MAX, False), (DEPTH_MAX + 1, True)])
def test_schemas_lie_within_each_other_so_deep_and_no_deeper(depth: int, is_too_deep: bool) -> None:
    component: dict[str, Any] = {}
    for _ in range(depth):
        component = {"properties": {"a": component}}

    assert (problem(component) is not None) is is_too_deep
