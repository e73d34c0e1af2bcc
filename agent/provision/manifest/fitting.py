"""Can the mapping fill the schema? What a manifest alone tells, before anything is asked.

A schema that refers to components we do not have cannot be judged here; the platform does that.
"""

import re
from collections.abc import Iterator
from typing import Any

from agent.config.keys import KeyPath
from agent.dataprep import MappingError, MappingSet
from agent.errors import SchemaError
from agent.provision.manifest.mapping import MappingLine
from agent.provision.manifest.model import Manifest
from agent.provision.manifest.own_fields import field_group, own_tree
from agent.provision.manifest.words import TENANT
from agent.xdm import Library, Schema, compile_schema

_OWN = "https://ns.adobe.com/tenant/mixins/own"  # stands for the group that is yet to be made
_INDEXED = re.compile(r"mappings\[(\d+)\]: (.*)", re.DOTALL)
_OF_EVENTS = ("_id", "timestamp")


def misfits(manifest: Manifest) -> Iterator[tuple[KeyPath, str]]:
    """What cannot work, by the key that says so."""
    try:
        mapping_set = mapping_of(manifest) if manifest.mapping else None
    except MappingError as error:
        for problem in error.problems:
            yield _place(manifest, problem.index or 0), f"{problem.message}; write it anew"
        return
    schema = None if manifest.schema_.id else schema_of(manifest)
    if schema is not None:
        yield from identities_without_field(manifest, schema)
        if mapping_set is not None:
            yield from unfit_mapping(manifest, mapping_set, schema)


def mapping_of(manifest: Manifest, tenant: str = TENANT.removeprefix("_")) -> MappingSet:
    """The mapping as the platform would compile it. Raises MappingError."""
    return MappingSet.from_json(mapping_body(manifest, tenant))


def mapping_body(manifest: Manifest, tenant: str = TENANT.removeprefix("_")) -> dict[str, Any]:
    """The mapping set in the platform's words."""
    return {"mappings": [line.as_json(tenant) for line in manifest.mapping]}


def schema_of(
    manifest: Manifest, library: Library | None = None, tenant: str = TENANT.removeprefix("_")
) -> Schema | None:
    """The schema that would be made; None where it refers to components that are not here.

    They are those of the *library*, else the usual ones of Adobe's.
    """
    settings = manifest.schema_
    library = library or Library.standard()
    refs = [settings.class_, *settings.field_groups]
    if settings.fields:
        own = own_tree(settings.fields)
        group = field_group("Own fields", settings.class_, own, tenant)
        library.add({"$id": _OWN, **group})
        refs.append(_OWN)
    body = {"title": settings.title, "type": "object", "allOf": [{"$ref": ref} for ref in refs]}
    try:
        return compile_schema({**body, "meta:class": settings.class_}, library)
    except SchemaError:
        return None


def unfit_mapping(
    manifest: Manifest, mapping_set: MappingSet, schema: Schema
) -> Iterator[tuple[KeyPath, str]]:
    """Lines that map to what the schema has not, and fields that records cannot be without."""
    for words in mapping_set.problems(schema):
        found = _INDEXED.fullmatch(words)
        index, text = (int(found[1]), found[2]) if found else (0, words)
        if (constant := manifest.mapping[index].constant) and text.startswith(repr(constant)):
            yield ("mapping", index, "constant"), f"{text}; write a value that the field can have"
            continue
        yield ("mapping", index, "to"), f"{text}; write another path, or add the field to a schema"
    needed = [each.path for each in manifest.schema_.identities if each.primary]
    needed += _OF_EVENTS if schema.is_event else ()
    for path in needed:
        if not any(_covers(line, path) for line in manifest.mapping):
            yield ("mapping",), f"nothing maps to {path}, without which every record is refused"


def identities_without_field(manifest: Manifest, schema: Schema) -> Iterator[tuple[KeyPath, str]]:
    """Identities that are fields the schema has not, or no text."""
    for index, identity in enumerate(manifest.schema_.identities):
        field = schema.field(identity.path)
        place = ("schema", "identities", index, "path")
        if field is None:
            yield place, f"the schema has no field {identity.path}; write one that it has"
        elif field.type not in ("string", "any"):
            yield place, f"{identity.path} is of type {field.type}; an identity is a string"


def _covers(line: MappingLine, path: str) -> bool:
    return path == line.to or path.startswith(f"{line.to}.")


def _place(manifest: Manifest, index: int) -> tuple[Any, ...]:
    keys = {"ATTRIBUTE": "attribute", "EXPRESSION": "expression", "STATIC": "constant"}
    return ("mapping", index, keys[manifest.mapping[index].kind])
