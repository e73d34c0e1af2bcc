"""How does a reference, or a schema given as JSON, become one to hold records against?"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from agent.errors import SchemaError
from agent.xdm import wellformed
from agent.xdm.library import Library, alternate_id, kind_of
from agent.xdm.schema import Schema
from agent.xdm.shape import Composer, Part

_EVENTS: Final = "https://ns.adobe.com/xdm/data/time-series"
_IDENTITY: Final = "xdm:descriptorIdentity"
_HEAD: Final = (
    "$id",
    "meta:altId",
    "meta:resourceType",
    "title",
    "description",
    "type",
    "meta:class",
    "meta:extends",
    "meta:extensible",
    "meta:abstract",
    "meta:xdmType",
    "meta:immutableTags",
    "meta:containerId",
    "meta:tenantNamespace",
    "imsOrg",
)


def compile_schema(
    ref: str | Mapping[str, Any],
    library: Library,
    *,
    descriptors: Iterable[Mapping[str, Any]] = (),
    version: int = 1,
) -> Schema:
    """The schema that a reference means, or one given as JSON that need not be in the library.

    The primary identity among the descriptors becomes a required field. `version` is the major
    version; there is none but 1. Raises SchemaError: which reference is missing, and where.
    """
    component = library.get(ref) if isinstance(ref, str) else ref
    if component is None:
        raise SchemaError(
            f"there is no schema {ref}: add it to the library, or correct the reference"
        )
    wrong = None if isinstance(ref, str) else wellformed.problem(component)
    if wrong is not None:
        raise SchemaError(f"{component.get('$id', 'the component')} is no JSON schema: {wrong}")
    if version != 1:
        raise SchemaError(
            f"the schema {component.get('$id', ref)} has no version {version}, only 1"
        )
    ancestors = _ancestors(component, library)
    head = {word: component[word] for word in _HEAD if word in component}
    head["version"] = str(component.get("version", "1.0"))
    head.setdefault("meta:class", _class_of(component, ancestors, library))
    identity = _primary_identity(component, ancestors, descriptors)
    parts = [Part(component, component)]
    if identity:
        parts.append(Part(_demanding(identity), component))
    shape = Composer(library).shape(tuple(parts), "#")
    return Schema(
        shape,
        head,
        is_event=_EVENTS in ancestors,
        identity=".".join(identity) if identity else None,
    )


def compile_union(class_ref: str, library: Library) -> Schema:
    """All fields of all schemas of a class that Profile was enabled for (the tag `union`)."""
    parent = library.get(class_ref)
    if parent is None:
        raise SchemaError(f"there is no class {class_ref}: add it to the library")
    members = [
        {"$ref": schema["$id"]}
        for schema in library.all("schemas")
        if schema.get("meta:class") == parent["$id"]
        and "union" in schema.get("meta:immutableTags", ())
    ]
    ref = parent["$id"] + "__union"
    union = {
        "$id": ref,
        "meta:altId": alternate_id(ref),
        "meta:resourceType": "unions",
        "meta:class": parent["$id"],
        "title": parent.get("title", ""),
        "description": f"Union view of {parent.get('title', ref)}",
        "type": "object",
        "allOf": [{"$ref": parent["$id"]}, *members],
    }
    return compile_schema(union, library)


def _ancestors(component: Mapping[str, Any], library: Library) -> dict[str, None]:
    """The $id of every component that this one extends or refers to as a whole, near ones first."""
    seen: dict[str, None] = {}
    open_: list[Mapping[str, Any]] = [component]
    while open_:
        for ref in _parents(open_.pop(0)):
            parent = library.get(ref)
            if parent is not None and parent["$id"] not in seen:
                seen[parent["$id"]] = None
                open_.append(parent)
    return seen


def _parents(component: Mapping[str, Any]) -> Iterator[str]:
    for inner in component.get("allOf", ()):
        ref = inner.get("$ref", "")
        if "#" not in ref:
            yield ref
    yield from component.get("meta:extends", ())
    if "meta:class" in component:
        yield component["meta:class"]


def _class_of(component: Mapping[str, Any], ancestors: Iterable[str], library: Library) -> str:
    if kind_of(component) == "classes":
        return str(component["$id"])
    for ref in ancestors:
        parent = library.get(ref)
        if parent is not None and kind_of(parent) == "classes":
            return ref
    return ""


def _primary_identity(
    component: Mapping[str, Any], ancestors: Iterable[str], descriptors: Iterable[Mapping[str, Any]]
) -> list[str]:
    sources = {component.get("$id"), component.get("meta:altId"), *ancestors}
    for descriptor in descriptors:
        if (
            descriptor.get("@type") == _IDENTITY
            and descriptor.get("xdm:isPrimary")
            and descriptor.get("xdm:sourceSchema") in sources
        ):
            return str(descriptor.get("xdm:sourceProperty", "")).strip("/").split("/")
    return []


def _demanding(path: list[str]) -> dict[str, Any]:
    """A piece of schema that requires a field, and the objects around it."""
    name, *rest = path
    made: dict[str, Any] = {"required": [name]}
    if rest:
        made["properties"] = {name: _demanding(rest)}
    return made
