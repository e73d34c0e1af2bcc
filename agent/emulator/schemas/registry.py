"""Which components does a sandbox have, Adobe's and the tenant's own, and what describes them?

The data plane asks here, too: `schema` is what records are validated against.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from agent.emulator.platform import Platform
from agent.emulator.resources import Resource, Resources
from agent.xdm import Library, Schema, alternate_id, compile_schema, load_directory

TENANT = "emulated"
NAMESPACE = f"_{TENANT}"
UNION = "__union"
OWN_KINDS = ("classes", "fieldgroups", "datatypes", "schemas")
IDENTITY = "xdm:descriptorIdentity"


def standard_library(directory: Path | None) -> Library:
    """Adobe's components: the usual ones, and those in a directory. Raises SchemaError."""
    library = Library.standard()
    if directory is not None:
        load_directory(library, directory)
    return library


class Registry:
    """Adobe's components are in `standard`, the tenant's in the platform's collections."""

    def __init__(self, platform: Platform, standard: Library) -> None:
        self._platform = platform
        self.standard = standard

    def own(self, kind: str) -> Resources:
        """The tenant's components of one kind, in all sandboxes; their ids are `$id`s."""
        return self._platform[kind]

    def found(self, kind: str, ref: str, sandbox: str) -> Resource | None:
        """A component of the tenant's, by `$id` or `meta:altId`."""
        for each in self.own(kind).all(sandbox=sandbox):
            if ref in (each.id, alternate_id(each.id)):
                return each
        return None

    def library(self, sandbox: str) -> Library:
        """All components that a sandbox has, unions included."""
        library = self.standard.copy()
        for kind in OWN_KINDS:
            for each in self.own(kind).all(sandbox=sandbox):
                library.add(each.body)
        for union in self.unions(sandbox):
            library.add(union)
        return library

    def has_schema(self, ref: str, sandbox: str) -> bool:
        """Whether the tenant has this schema."""
        return self.found("schemas", ref, sandbox) is not None

    def is_used(self, ref: str) -> bool:
        """Whether datasets hold records of this schema."""
        for each in self._platform.datasets.all():
            if (each.body.get("schemaRef") or {}).get("id") in (ref, alternate_id(ref)):
                return True
        return False

    def schema(self, ref: str, sandbox: str) -> Schema:
        """A schema composed, with what describes it. Raises SchemaError."""
        every = [each.body for each in self._platform.descriptors.all(sandbox=sandbox)]
        return compile_schema(ref, self.library(sandbox), descriptors=every)

    def descriptors(self, ref: str, sandbox: str) -> list[dict[str, Any]]:
        """What describes a schema."""
        return [
            each.body
            for each in self._platform.descriptors.all(sandbox=sandbox)
            if ref in (each.body["xdm:sourceSchema"], alternate_id(each.body["xdm:sourceSchema"]))
        ]

    @property
    def kept_descriptors(self) -> Resources:
        """What describes schemas, in all sandboxes."""
        return self._platform.descriptors

    def forget_descriptors(self, ref: str, sandbox: str) -> None:
        """Remove what describes a schema that goes."""
        for each in self._platform.descriptors.all(sandbox=sandbox):
            if each.body["xdm:sourceSchema"] == ref:
                self._platform.descriptors.remove(each.id)

    def unions(self, sandbox: str) -> Iterator[dict[str, Any]]:
        """The view of all schemas of a class that are enabled for Profile, for each such class."""
        members: dict[str, list[dict[str, Any]]] = {}
        for each in self.own("schemas").all(sandbox=sandbox):
            if is_in_union(each.body):
                members.setdefault(each.body["meta:class"], []).append(each.body)
        for class_id, schemas in members.items():
            yield _union(class_id, schemas)


def is_in_union(component: Mapping[str, Any]) -> bool:
    """Whether a schema is enabled for Profile."""
    return "union" in (component.get("meta:immutableTags") or [])


def _union(class_id: str, schemas: list[dict[str, Any]]) -> dict[str, Any]:
    refs: dict[str, None] = {}
    for schema in schemas:
        refs |= {part["$ref"]: None for part in schema["allOf"] if "$ref" in part}
    ref = class_id + UNION
    return {
        "$id": ref,
        "meta:altId": alternate_id(ref),
        "meta:resourceType": "unions",
        "version": "1.0",
        "title": f"Union of {class_id}",
        "type": "object",
        "description": f"Every schema of {class_id} that is enabled for Profile",
        "allOf": [{"$ref": each} for each in refs],
        "meta:class": class_id,
        "meta:extends": list(refs),
        "meta:xdmType": "object",
        "meta:containerId": "tenant",
    }
