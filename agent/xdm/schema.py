"""Does a record fit its schema, what becomes of it on the platform, and what is wrong with it?"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from agent.xdm.checks import At, Checks, Enough, Findings
from agent.xdm.coercion import Coercions
from agent.xdm.field import Field, all_fields, field_at
from agent.xdm.resolved import resolved
from agent.xdm.shape import Shape
from agent.xdm.violations import Violation


class Schema:
    """One composed schema: `compile_schema` makes it.

    `class_id` is empty where the schema has no class; `identity` is the dotted path of the primary
    identity, or None.
    """

    def __init__(
        self,
        shape: Shape,
        head: dict[str, Any],
        *,
        is_event: bool = False,
        identity: str | None = None,
    ) -> None:
        self.id: str = head.get("$id", "")
        self.title: str = head.get("title", "")
        self.class_id: str = head.get("meta:class", "")
        self.is_event = is_event
        self.identity = identity
        self._shape = shape
        self._head = head
        self._check = Checks().of(shape)

    @cached_property
    def _coerce(self) -> Any:
        return Coercions().of(self._shape)

    def field(self, path: str) -> Field | None:
        """The field of a path (`person.name`, `list[0].a`, `list[*].a`), if there is one."""
        return field_at(self._shape, path)

    def fields(self) -> Iterator[Field]:
        """Every field, an object before what is in it; a type within itself is entered once."""
        return all_fields(self._shape)

    def coerce(self, entity: dict[str, Any]) -> dict[str, Any]:
        """The record, its values turned into the types of their fields where the platform does so.

        What cannot be turned stays. The record is not changed; parts of it may be in the answer.
        """
        try:
            coerced: dict[str, Any] = self._coerce(entity)
        except RecursionError:
            return entity  # validation says what is wrong with it
        return coerced

    def violations(self, entity: Any, *, limit: int = 5) -> list[Violation]:
        """What is wrong with a record, at most `limit` things; empty when it is valid."""
        findings = Findings(limit)
        try:
            self._check(entity, None, findings)
        except Enough:
            pass
        except RecursionError:
            findings.found[:] = [(None, "type", "the record is nested too deeply to be validated")]
        return [
            Violation(_pointer(at), keyword, message, self._location(at))
            for at, keyword, message in findings.found
        ]

    def full(self, *, text: bool = True) -> dict[str, Any]:
        """The JSON schema without references, as `xed-full`; `text=False` leaves words out."""
        return resolved(self._shape, self._head, text=text)

    def _location(self, at: At) -> str:
        steps = ["#"]
        place = self._shape
        for key in _keys(at):
            if isinstance(key, int):
                steps.append("items")
                place = place.items or place
            elif key in place.properties:
                steps += ["properties", _escaped(key)]
                place = place.properties[key]
            else:
                steps.append("additionalProperties")
                place = place.values or place
        return "/".join(steps)


def _keys(at: At) -> list[str | int]:
    keys = []
    while at is not None:
        at, key = at
        keys.append(key)
    return keys[::-1]


def _pointer(at: At) -> str:
    return "/".join(["#", *(_escaped(str(key)) for key in _keys(at))])


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")
