"""What does the platform say of a record that breaks its schema?

It validates with the Java library everit, whose words these are; they appear in answers to
synchronous validation and beside the records of failed batches.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

_TYPE_NAMES: Final = {
    "string": "String",
    "integer": "Integer",
    "number": "Number",
    "boolean": "Boolean",
    "array": "JSONArray",
    "object": "JSONObject",
    "map": "JSONObject",
}
_LONGEST: Final = 2**63


class Violation(NamedTuple):
    """One way in which a record breaks its schema.

    `pointer` is the place in the record (`#/person/birthYear`), `schema_location` the place in the
    resolved schema.
    """

    pointer: str
    keyword: str
    message: str
    schema_location: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in `_validationErrors`, and below `causingExceptions`."""
        return {
            "pointerToViolation": self.pointer,
            "causingExceptions": [],
            "keyword": self.keyword,
            "message": self.message,
            "schemaLocation": self.schema_location,
        }


def report(violations: Sequence[Violation]) -> list[dict[str, Any]]:
    """What stands under `_streamingValidation`: one violation alone, several as causes of one.

    They are gathered at every object and array on the way down to them.
    """
    return [_gathered(violations, 1)] if violations else []


def _gathered(violations: Sequence[Violation], depth: int) -> dict[str, Any]:
    """The violations at and below one place, which is `depth` steps into their pointers."""
    below: dict[str, list[Violation]] = {}
    causes = []
    for violation in violations:
        steps = violation.pointer.split("/")
        if len(steps) == depth:
            causes.append(violation.as_json())
        else:
            below.setdefault(steps[depth], []).append(violation)
    causes += [_gathered(inner, depth + 1) for inner in below.values()]
    if len(causes) == 1:
        return causes[0]
    return {
        "schemaLocation": _cut(violations[0], depth),
        "pointerToViolation": "/".join(violations[0].pointer.split("/")[:depth]),
        "causingExceptions": causes,
        "message": f"{len(violations)} schema violations found",
    }


def _cut(violation: Violation, depth: int) -> str:
    """Where the schema speaks of the place that is `depth` steps into a violation's pointer."""
    kept = []
    steps = iter(violation.schema_location.split("/"))
    for _ in range(depth):
        step = next(steps)
        kept.append(step)
        if step == "properties":
            kept.append(next(steps))
    return "/".join(kept)


def wrong_type(expected: str, value: Any) -> str:
    """The message about a value of another type than `expected`, a word of JSON schema."""
    return f"expected type: {_TYPE_NAMES[expected]}, found: {_java_name(value)}"


def _java_name(value: Any) -> str:
    if isinstance(value, bool):
        return "Boolean"
    if isinstance(value, int):
        return "Long" if -_LONGEST <= value < _LONGEST else "BigInteger"
    for kind, name in (
        (str, "String"),
        (float, "Double"),
        (dict, "JSONObject"),
        (list, "JSONArray"),
    ):
        if isinstance(value, kind):
            return name
    return "Null"
