"""What does the registry keep of a component that somebody wrote, and what does it not let pass?

A component's own fields lie below the tenant's namespace, its title is nobody else's, and whatever
it refers to is there and fits together. What records or Profile rely on stays as it is.
"""

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from agent.emulator.calls import Caller
from agent.emulator.schemas.errors import Words
from agent.emulator.schemas.registry import (
    NAMESPACE,
    OWN_KINDS,
    TENANT,
    Registry,
    is_in_union,
)
from agent.errors import SchemaError
from agent.xdm import Library, Schema, alternate_id, compile_schema, wellformed

_GIVEN = frozenset(
    (
        "$id",
        "meta:altId",
        "meta:resourceType",
        "meta:containerId",
        "meta:sandboxId",
        "meta:sandboxType",
        "meta:tenantNamespace",
        "meta:registryMetadata",
        "meta:extends",
        "meta:createdClient",
        "imsOrg",
        "refs",
        "version",
    )
)
_IN_IDS = {"fieldgroups": "mixins"}  # as their ids had it before they were renamed


class Composer:
    """Makes and changes the components of one caller's sandbox; every refusal is a Refused."""

    def __init__(self, registry: Registry, who: Caller, words: Words) -> None:
        self._registry = registry
        self._who = who
        self._words = words

    def made(self, kind: str, asked: Mapping[str, Any]) -> dict[str, Any]:
        """A new component, with a new id."""
        ref = f"https://ns.adobe.com/{TENANT}/{_IN_IDS.get(kind, kind)}/{secrets.token_hex(24)}"
        return self._composed(kind, ref, asked, self._who.client_id)

    def changed(self, kind: str, old: Mapping[str, Any], asked: Any) -> dict[str, Any]:
        """A component as it shall be instead of `old`."""
        if not isinstance(asked, Mapping):
            raise self._words.bad("a component is an object")
        if is_in_union(old) and not is_in_union(asked):
            raise self._words.bad("meta:immutableTags: union cannot be taken away again")
        made = self._composed(kind, old["$id"], asked, old.get("meta:createdClient", ""))
        self._check_dependents(made)
        return made

    def _composed(
        self, kind: str, ref: str, asked: Mapping[str, Any], client_id: str
    ) -> dict[str, Any]:
        kept = {key: value for key, value in asked.items() if key not in _GIVEN}
        wrong = wellformed.problem(kept)
        if wrong is not None:
            raise self._words.bad(wrong)
        self._check_title(kept, ref)
        component: dict[str, Any] = {
            "$id": ref,
            "meta:altId": alternate_id(ref),
            "meta:resourceType": kind,
            "type": "object",
            "meta:xdmType": "object",
            "meta:extensible": kind != "schemas",
            "meta:abstract": kind in ("classes", "fieldgroups"),
            **kept,
            "imsOrg": self._who.org_id,
            "meta:containerId": "tenant",
            "meta:tenantNamespace": NAMESPACE,
            "meta:createdClient": client_id,
        }
        library = self._registry.library(self._who.sandbox)
        if kind == "schemas":
            self._complete_schema(component, library)
        elif kind != "datatypes":
            self._check_own_fields(component)
        if kind == "fieldgroups":
            self._check_intended(component, library)
        refs = list(_refs_of(component))
        component["refs"] = refs
        component["meta:extends"] = list(_extended(refs, library))
        library.add(component)
        schema = self._compiled(ref, library)
        if is_in_union(component) and not _has_identity(schema):
            raise self._words.no_identity()
        return component

    def _check_title(self, kept: Mapping[str, Any], ref: str) -> None:
        title = kept.get("title")
        if not isinstance(title, str) or not title.strip():
            raise self._words.bad("title: write the component's title")
        for kind in OWN_KINDS:
            for each in self._registry.own(kind).all(sandbox=self._who.sandbox):
                if each.body["title"] == title and each.id != ref:
                    raise self._words.title_taken(each.id)

    def _complete_schema(self, component: dict[str, Any], library: Library) -> None:
        parts = component.get("allOf")
        if not isinstance(parts, list) or not parts:
            raise self._words.bad("allOf: write the $ref of a class, and those of field groups")
        refs = [part.get("$ref") if isinstance(part, Mapping) else None for part in parts]
        found = {ref: library.get(ref) if isinstance(ref, str) else None for ref in refs}
        for ref, part in found.items():
            if part is None:
                raise self._words.not_composed(f"allOf: there is no component {ref}")
        component["allOf"] = [
            {**part, "type": "object", "meta:xdmType": "object"} for part in parts
        ]
        classes = [str(ref) for ref, part in found.items() if _kind(part) == "classes"]
        if len(classes) != 1:
            raise self._words.bad(f"allOf: a schema has one class; found {len(classes)}")
        component["meta:class"] = classes[0]
        suitable = {classes[0], *_extended(classes, library)}
        for ref, part in found.items():
            intended = (part or {}).get("meta:intendedToExtend")
            if _kind(part) == "fieldgroups" and intended and not suitable & set(intended):
                raise self._words.not_composed(f"{ref} does not extend the class {classes[0]}")

    def _check_intended(self, component: dict[str, Any], library: Library) -> None:
        intended = component.get("meta:intendedToExtend")
        if not isinstance(intended, list) or not intended:
            raise self._words.bad("meta:intendedToExtend: write the classes it is meant for")
        for ref in intended:
            if not isinstance(ref, str) or library.get(ref) is None:
                raise self._words.not_composed(f"meta:intendedToExtend: there is no class {ref}")

    def _check_own_fields(self, component: Mapping[str, Any]) -> None:
        for properties in _own_properties(component):
            for field in _outside_namespace(properties, ""):
                raise self._words.namespace(NAMESPACE, field)

    def _check_dependents(self, changed: dict[str, Any]) -> None:
        """Every schema still holds together, and those in use keep their fields."""
        before = self._registry.library(self._who.sandbox)
        after = self._registry.library(self._who.sandbox)
        after.add(changed)
        for each in self._registry.own("schemas").all(sandbox=self._who.sandbox):
            new = self._compiled(each.id, after)
            if is_in_union(each.body) or self._registry.is_used(each.id):
                lost = next(_lost_fields(self._compiled(each.id, before), new), None)
                if lost is not None:
                    raise self._words.not_composed(
                        f"{each.id} is in use: its field {lost} can neither go nor change its type"
                    )

    def _compiled(self, ref: str, library: Library) -> Schema:
        descriptors = self._registry.descriptors(ref, self._who.sandbox)
        try:
            return compile_schema(ref, library, descriptors=descriptors)
        except SchemaError as error:
            raise self._words.not_composed(str(error)) from None


def _kind(component: Mapping[str, Any] | None) -> str | None:
    return None if component is None else component.get("meta:resourceType")


def _has_identity(schema: Schema) -> bool:
    return schema.identity is not None or schema.field("identityMap") is not None


def _refs_of(component: Mapping[str, Any]) -> Iterator[str]:
    """Other components that one names, each once."""
    seen: dict[str, None] = {}
    for part in component.get("allOf", ()):
        ref = part.get("$ref") if isinstance(part, Mapping) else None
        if isinstance(ref, str) and not ref.startswith("#"):
            seen[ref] = None
    yield from seen


def _extended(refs: list[str], library: Library) -> Iterator[str]:
    """These components and all that they extend themselves, each once."""
    seen: dict[str, None] = {}
    waiting = list(reversed(refs))
    while waiting:
        ref = waiting.pop()
        component = library.get(ref)
        if ref not in seen and component is not None:
            seen[ref] = None
            waiting += reversed(component.get("meta:extends", []))
    yield from seen


def _own_properties(component: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    definitions = component.get("definitions")
    within = definitions.values() if isinstance(definitions, Mapping) else ()
    for part in (component, *component.get("allOf", ()), *within):
        properties = part.get("properties") if isinstance(part, Mapping) else None
        if isinstance(properties, Mapping):
            yield properties


def _outside_namespace(properties: Mapping[str, Any], path: str) -> Iterator[str]:
    """Fields that lie nowhere below the tenant's namespace."""
    for name, field in properties.items():
        inner = field.get("properties") if isinstance(field, Mapping) else None
        if name == NAMESPACE:
            continue
        if isinstance(inner, Mapping):
            yield from _outside_namespace(inner, f"{path}/{name}")
        else:
            yield f"{path}/{name}"


def _lost_fields(old: Schema, new: Schema) -> Iterator[str]:
    now = {field.path: field.type for field in new.fields()}
    return (field.path for field in old.fields() if now.get(field.path) != field.type)
