"""Which XDM components are there, and which of them is meant by a reference?

A component is a JSON object as the Schema Registry keeps it: a behaviour, class, field group, data
type or schema, with `$id` and property names as records have them (`person`, not `xdm:person`).
"""

from collections.abc import Iterator, Mapping
from typing import Any, Self

from agent.errors import SchemaError
from agent.xdm import wellformed
from agent.xdm.notation import standard_components

NAMESPACE = "https://ns.adobe.com/"
KINDS = ("behaviors", "classes", "fieldgroups", "datatypes", "schemas")
_FORMER_KINDS = {"mixins": "fieldgroups"}


class Library:
    """XDM components by `$id` or `meta:altId`; what is added later replaces its namesake."""

    def __init__(self) -> None:
        self._components: dict[str, dict[str, Any]] = {}
        self._ids: dict[str, str] = {}

    @classmethod
    def standard(cls) -> Self:
        """The classes and field groups most people use, in a library of its own."""
        library = cls()
        for component in standard_components():
            library.add(component)
        return library

    def copy(self) -> Self:
        """Another library of the same components, which they share."""
        made = type(self)()
        made._components, made._ids = dict(self._components), dict(self._ids)
        return made

    def add(self, component: Mapping[str, Any]) -> None:
        """Take a component in. It is kept, not copied: change it no more.

        Raises SchemaError when it has no `$id`, or is no JSON schema: where, and what to write.
        """
        ref = component.get("$id")
        if not isinstance(ref, str) or not ref:
            title = component.get("title", "without a title")
            raise SchemaError(f"the component {title!r} has no $id: give it one before adding it")
        wrong = wellformed.problem(component)
        if wrong is not None:
            raise SchemaError(f"the component {ref} is no JSON schema: {wrong}")
        kept = dict(component)
        self._components[ref] = kept
        self._ids[kept.setdefault("meta:altId", alternate_id(ref))] = ref

    def remove(self, ref: str) -> None:
        """Forget a component, if it is there."""
        component = self._components.pop(self._ids.get(ref, ref), None)
        if component is not None:
            self._ids.pop(component["meta:altId"], None)

    def get(self, ref: str) -> dict[str, Any] | None:
        """The component of this `$id` or `meta:altId`, to read only."""
        return self._components.get(self._ids.get(ref, ref))

    def all(self, kind: str) -> Iterator[dict[str, Any]]:
        """Every component of one of `KINDS`, in the order they came."""
        return (part for part in list(self._components.values()) if kind_of(part) == kind)


def alternate_id(ref: str) -> str:
    """`_xdm.context.profile` for `https://ns.adobe.com/xdm/context/profile`."""
    return "_" + ref.removeprefix(NAMESPACE).replace("/", ".")


def kind_of(component: Mapping[str, Any]) -> str:
    """One of `KINDS`: as the component says, or as its keywords tell."""
    said = component.get("meta:resourceType")
    if isinstance(said, str):
        return _FORMER_KINDS.get(said, said)
    if "meta:intendedToExtend" in component:
        return "fieldgroups"
    if "meta:class" in component:
        return "schemas"
    return "classes" if "meta:extends" in component else "datatypes"
