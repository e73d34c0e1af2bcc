"""Patches: operations and merging, on copies, with the place of what cannot be done."""

from typing import Any

import pytest

from agent.emulator.patches import UnusableOperation, merged, patched

DOCUMENT = {"a": 1, "list": [{"x": 1}, {"x": 2}], "a/b": {"m~n": True}}


@pytest.mark.parametrize(
    ("operation", "path", "value", "found"),
    [
        ("add", "/b", 2, {"a": 1, "b": 2}),
        ("add", "/a", 2, {"a": 2}),
        ("replace", "/a", {"c": 3}, {"a": {"c": 3}}),
        ("remove", "/a", None, {}),
        ("replace", "", {"new": 1}, {"new": 1}),
        ("test", "/a", 1, {"a": 1}),
        ("test", "", {"a": 1}, {"a": 1}),
    ],
)
def test_operations_on_objects(operation: str, path: str, value: Any, found: Any) -> None:
    assert patched({"a": 1}, [{"op": operation, "path": path, "value": value}]) == found


@pytest.mark.parametrize(
    ("operation", "path", "found"),
    [
        ("add", "/-", [1, 2, "v"]),
        ("add", "/0", ["v", 1, 2]),
        ("add", "/2", [1, 2, "v"]),
        ("replace", "/1", [1, "v"]),
        ("remove", "/0", [2]),
    ],
)
def test_operations_on_arrays(operation: str, path: str, found: Any) -> None:
    assert patched([1, 2], [{"op": operation, "path": path, "value": "v"}]) == found


def test_pointers_lead_through_arrays_and_escaped_keys() -> None:
    operations = [
        {"op": "replace", "path": "/list/1/x", "value": 3},
        {"op": "replace", "path": "/a~1b/m~0n", "value": False},
    ]

    made = patched(DOCUMENT, operations)

    assert made == {"a": 1, "list": [{"x": 1}, {"x": 3}], "a/b": {"m~n": False}}
    assert DOCUMENT["list"][1] == {"x": 2}  # type: ignore[index]


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ({"op": "move", "path": "/a", "from": "/b"}, "move"),
        ({"op": "add", "path": "/a"}, "needs a value"),
        ({"op": "add", "path": "a", "value": 1}, "no JSON pointer"),
        ({"op": "add", "path": 7, "value": 1}, "no JSON pointer"),
        ({"op": "remove", "path": "/none"}, "/none does not exist"),
        ({"op": "remove", "path": ""}, "whole document"),
        ({"op": "replace", "path": "/list/2", "value": 1}, "does not exist"),
        ({"op": "add", "path": "/list/9", "value": 1}, "does not exist"),
        ({"op": "replace", "path": "/list/x", "value": 1}, "does not exist"),
        ({"op": "replace", "path": "/none/x", "value": 1}, "does not exist"),
        ({"op": "replace", "path": "/a/x", "value": 1}, "neither object nor array"),
        ({"op": "test", "path": "/a", "value": 9}, "found 1"),
        ({"op": "test", "path": "/list/0", "value": 9}, "found"),
        ("no operation", "no object"),
    ],
)
def test_what_cannot_be_done_is_named_with_its_place(operation: Any, said: str) -> None:
    good = {"op": "add", "path": "/z", "value": 1}

    with pytest.raises(UnusableOperation, match=r"operation 1: ") as caught:
        patched(DOCUMENT, [good, operation])

    assert said in str(caught.value)
    assert "z" not in DOCUMENT


def test_a_patch_that_is_no_list_is_refused() -> None:
    with pytest.raises(UnusableOperation, match="no list"):
        patched({}, {"op": "add"})


def test_merging_goes_into_objects_and_null_removes() -> None:
    document = {"tags": {"one": ["a"], "two": ["b"]}, "name": "x", "gone": 1}

    made = merged(document, {"tags": {"two": ["c"], "three": []}, "gone": None, "name": {"n": 1}})

    assert made == {"tags": {"one": ["a"], "two": ["c"], "three": []}, "name": {"n": 1}}
