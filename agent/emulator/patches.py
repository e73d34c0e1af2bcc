"""What becomes of a JSON document when it is patched?

Both ways that the platform's services know: a list of operations (RFC 6902: add, replace, remove
and test), and an object whose keys replace those of the document (RFC 7396). Documents are never
changed in place.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

OPERATIONS = ("add", "replace", "remove", "test")


class UnusableOperation(ValueError):
    """An operation cannot be carried out; `index` is its place in the list."""

    def __init__(self, index: int, reason: str) -> None:
        super().__init__(f"operation {index}: {reason}")
        self.index = index
        self.reason = reason


def patched(document: Any, operations: Any) -> Any:
    """The document after all operations. Raises UnusableOperation for the first that fails."""
    if not isinstance(operations, Sequence) or isinstance(operations, str | bytes):
        raise UnusableOperation(0, "the patch is no list of operations")
    made = copy.deepcopy(document)
    for index, operation in enumerate(operations):
        if not isinstance(operation, Mapping):
            raise UnusableOperation(index, f"found {operation!r}, which is no object")
        try:
            made = _applied(made, operation)
        except ValueError as error:
            raise UnusableOperation(index, str(error)) from None
    return made


def merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the keys of `changes`, object by object; null removes a key."""
    made = dict(document)
    for key, value in changes.items():
        if value is None:
            made.pop(key, None)
        elif isinstance(value, Mapping):
            old = made.get(key)
            made[key] = merged(old if isinstance(old, Mapping) else {}, value)
        else:
            made[key] = value
    return made


def _applied(document: Any, operation: Mapping[str, Any]) -> Any:
    op, path = operation.get("op"), operation.get("path")
    if op not in OPERATIONS:
        raise ValueError(f"op {op!r} is not supported; write {', '.join(OPERATIONS)}")
    if op != "remove" and "value" not in operation:
        raise ValueError(f"{op} needs a value")
    value = copy.deepcopy(operation.get("value"))
    *outer, last = _steps(path) or [None]
    if last is None:
        if op == "remove":
            raise ValueError("the whole document cannot be removed")
        _require_equal(op, document, value)
        return document if op == "test" else value
    place = document
    for step in outer:
        place = _inside(place, str(step), path)
    if isinstance(place, dict):
        _apply_to_object(place, last, op, value, path)
    elif isinstance(place, list):
        _apply_to_array(place, last, op, value, path)
    else:
        raise ValueError(f"{path} leads into a value that is neither object nor array")
    return document


def _steps(path: Any) -> list[Any]:
    if not isinstance(path, str) or (path and not path.startswith("/")):
        raise ValueError(f"path {path!r} is no JSON pointer; write one such as /transformations/0")
    return [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]


def _inside(place: Any, step: str, path: Any) -> Any:
    if isinstance(place, dict) and step in place:
        return place[step]
    if isinstance(place, list):
        return place[_index(step, len(place) - 1, path)]
    raise ValueError(f"path {path} does not exist")


def _apply_to_object(place: dict[str, Any], key: str, op: Any, value: Any, path: Any) -> None:
    if op != "add" and key not in place:
        raise ValueError(f"path {path} does not exist")
    if op == "remove":
        del place[key]
    elif op == "test":
        _require_equal(op, place[key], value)
    else:
        place[key] = value


def _apply_to_array(place: list[Any], step: str, op: Any, value: Any, path: Any) -> None:
    if op == "add":
        at = len(place) if step == "-" else _index(step, len(place), path)
        place.insert(at, value)
        return
    at = _index(step, len(place) - 1, path)
    if op == "remove":
        del place[at]
    elif op == "test":
        _require_equal(op, place[at], value)
    else:
        place[at] = value


def _index(step: str, last: int, path: Any) -> int:
    if not (step.isascii() and step.isdecimal()) or int(step) > last:
        raise ValueError(f"path {path} does not exist")
    return int(step)


def _require_equal(op: Any, found: Any, wanted: Any) -> None:
    if op == "test" and found != wanted:
        raise ValueError(f"test: found {found!r}")
