"""What is the schema of records, with the fields of our own and who they are about?

[Schema Registry; platform facts 4.1]
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.aep.platform import Platform
from agent.errors import NotFound
from agent.provision.manifest.model import Manifest
from agent.provision.manifest.own_fields import definitions, field_group, own_tree
from agent.provision.manifest.schema import Identity
from agent.provision.manifest.words import with_tenant
from agent.provision.objects.kind import (
    NEW,
    Cure,
    Difference,
    Found,
    Kind,
    Known,
    changed_text,
)

IDENTITY = "xdm:descriptorIdentity"
UNION = "union"
_COMPARED = ("type", "format", "enum", "pattern", "minimum", "maximum")
_KEPT = "fields cannot be taken away or change what they are; write another path"
_PROFILE = "it is enabled for Profile, and the platform keeps such schemas for good"


class FieldGroup(Kind):
    """The fields of our own, in a group that the schema takes up."""

    noun = "field group"
    key = "field_group"

    @property
    def name(self) -> str:
        return f"{self.manifest.schema_.title} fields"

    async def get(self, platform: Platform, id: str, known: Known) -> Found:
        return Found(id, await platform.schemas.get("fieldgroups", id))

    async def named(self, platform: Platform, known: Known) -> Sequence[Found]:
        listed = await platform.schemas.find("fieldgroups", title=self.name)
        return [await self.get(platform, each["$id"], known) for each in listed]

    def differences(self, found: Found, known: Known) -> list[Difference]:
        now = dict(_leaves(_own_part(found.body, known.tenant)))
        wanted = dict(_leaves(own_tree(self.manifest.schema_.fields)))
        wrong = []
        for path in sorted(now.keys() | wanted.keys()):
            before, after = now.get(path), wanted.get(path)
            if before == after:
                continue
            cure = Cure.CHANGE if before is None else Cure.REFUSE
            if after is None:
                text = "the manifest does not have it; the platform keeps it"
                wrong.append(Difference(path, before, after, Cure.NOTE, text))
            else:
                wrong.append(Difference(path, before, after, cure, _KEPT))
        return wrong

    async def create(self, platform: Platform, known: Known) -> str:
        settings = self.manifest.schema_
        own = own_tree(settings.fields)
        body = field_group(self.name, settings.class_, own, known.tenant)
        body["description"] = f"Own fields of {settings.title}"
        return str((await platform.schemas.create("fieldgroups", body))["$id"])

    async def change(
        self, platform: Platform, found: Found, differences: Sequence[Difference], known: Known
    ) -> None:
        # what the platform has besides stays: a field that exists cannot be taken away
        own = own_tree(self.manifest.schema_.fields)
        whole = _merged(_own_part(found.body, known.tenant), own)
        value = definitions(whole, known.tenant)
        operation = {"op": "replace", "path": "/definitions", "value": value}
        await platform.schemas.patch("fieldgroups", found.id, [operation])

    async def delete(self, platform: Platform, id: str) -> None:
        await platform.schemas.delete("fieldgroups", id)


class SchemaObject(Kind):
    """The schema of records."""

    noun = "schema"
    key = "schema"

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(manifest)
        self.given = manifest.schema_.id

    @property
    def name(self) -> str:
        return self.manifest.schema_.title or str(self.given)

    async def get(self, platform: Platform, id: str, known: Known) -> Found:
        return Found(id, await platform.schemas.get("schemas", id))

    async def named(self, platform: Platform, known: Known) -> Sequence[Found]:
        listed = await platform.schemas.find("schemas", title=self.name)
        return [await self.get(platform, each["$id"], known) for each in listed]

    def differences(self, found: Found, known: Known) -> list[Difference]:
        if self.given:
            return []
        settings = self.manifest.schema_
        now = [str(each.get("$ref")) for each in found.body.get("allOf") or ()]
        wrong = []
        if settings.class_ not in now:
            advice = "a schema keeps its class; write that one, or another schema.title"
            base = found.body.get("meta:class") or now
            wrong.append(Difference("class", base, settings.class_, Cure.REFUSE, advice))
        for ref in self._refs(known):
            if ref not in now and ref != settings.class_:
                mend = {"op": "add", "path": "/allOf/-", "value": {"$ref": ref}}
                wrong.append(Difference("field group", None, ref, Cure.CHANGE, mend=mend))
        for ref in set(now) - set(self._refs(known)) - {settings.class_}:
            text = "the manifest does not have it; the platform keeps it"
            wrong.append(Difference("field group", ref, None, Cure.NOTE, text))
        now_told, wanted = found.body.get("description"), settings.description
        op = {"op": "add", "path": "/description", "value": wanted}
        return [*wrong, *changed_text("description", now_told, wanted, op)]

    async def create(self, platform: Platform, known: Known) -> str:
        settings = self.manifest.schema_
        body: dict[str, Any] = {
            "type": "object",
            "title": self.name,
            "description": settings.description or self.name,  # which the registry asks for
            "allOf": [{"$ref": ref} for ref in self._refs(known)],
        }
        return str((await platform.schemas.create("schemas", body))["$id"])

    async def change(
        self, platform: Platform, found: Found, differences: Sequence[Difference], known: Known
    ) -> None:
        await platform.schemas.patch("schemas", found.id, [each.mend for each in differences])

    async def delete(self, platform: Platform, id: str) -> None:
        await platform.schemas.delete("schemas", id)

    def stays(self, found: Found) -> str:
        return _PROFILE if _is_in_union(found) else ""

    def _refs(self, known: Known) -> list[str]:
        settings = self.manifest.schema_
        own = [known.id("field_group")] if settings.fields else []
        return [settings.class_, *settings.field_groups, *own]


class IdentityDescriptor(Kind):
    """A field of the schema that says who somebody is."""

    noun = "identity"
    is_named = False

    def __init__(self, manifest: Manifest, identity: Identity) -> None:
        super().__init__(manifest)
        self._identity = identity
        self.key = f"identity:{identity.path}"

    @property
    def name(self) -> str:
        primary = " (primary)" if self._identity.primary else ""
        return f"{self._identity.namespace} {self._identity.path}{primary}"

    async def get(self, platform: Platform, id: str, known: Known) -> Found:
        for each in await platform.schemas.descriptors(known.id("schema")):
            if each.get("@id") == id:
                return Found(id, each)
        raise NotFound("there is no descriptor with this id", service="Schema Registry")

    async def named(self, platform: Platform, known: Known) -> Sequence[Found]:
        if known.id("schema") == NEW:
            return []
        return [
            Found(str(each["@id"]), each)
            for each in await platform.schemas.descriptors(known.id("schema"))
            if each.get("@type") == IDENTITY
            and each.get("xdm:sourceProperty") == self._pointer(known)
        ]

    def differences(self, found: Found, known: Known) -> list[Difference]:
        wanted = self._body(known)
        return [
            Difference(key.removeprefix("xdm:"), found.body.get(key), wanted[key], Cure.REPLACE)
            for key in ("xdm:namespace", "xdm:isPrimary", "xdm:sourceSchema", "xdm:sourceProperty")
            if found.body.get(key) != wanted[key]
        ]

    async def create(self, platform: Platform, known: Known) -> str:
        return str((await platform.schemas.describe(self._body(known)))["@id"])

    async def delete(self, platform: Platform, id: str) -> None:
        await platform.schemas.delete_descriptor(id)

    def _pointer(self, known: Known) -> str:
        path = with_tenant(self._identity.path, known.tenant)
        return "/" + path.replace("[*]", "/*").replace(".", "/")

    def _body(self, known: Known) -> dict[str, Any]:
        return {
            "@type": IDENTITY,
            "xdm:sourceSchema": known.id("schema"),
            "xdm:sourceVersion": 1,
            "xdm:sourceProperty": self._pointer(known),
            "xdm:namespace": self._identity.namespace,
            "xdm:property": "xdm:code",
            "xdm:isPrimary": self._identity.primary,
        }


class ProfileTag(Kind):
    """That records of the schema go to Real-Time Customer Profile: a tag that stays for good."""

    noun = "Profile tag"
    is_named = False
    key = "profile"

    @property
    def name(self) -> str:
        return f"{self.manifest.schema_.title} in Profile"

    async def get(self, platform: Platform, id: str, known: Known) -> Found:
        found = Found(id, await platform.schemas.get("schemas", id))
        if not _is_in_union(found):
            raise NotFound("the schema is not enabled for Profile", service="Schema Registry")
        return found

    async def named(self, platform: Platform, known: Known) -> Sequence[Found]:
        if known.id("schema") == NEW:
            return []
        found = await self.by_id(platform, known.id("schema"), known)
        return [found] if found else []

    def differences(self, found: Found, known: Known) -> list[Difference]:
        return []

    async def create(self, platform: Platform, known: Known) -> str:
        operation = {"op": "add", "path": "/meta:immutableTags", "value": [UNION]}
        await platform.schemas.patch("schemas", known.id("schema"), [operation])
        return known.id("schema")

    async def delete(self, platform: Platform, id: str) -> None:
        raise NotImplementedError(_PROFILE)

    def stays(self, found: Found) -> str:
        return _PROFILE


def _is_in_union(found: Found) -> bool:
    return UNION in (found.body.get("meta:immutableTags") or ())


def _own_part(body: Mapping[str, Any], tenant: str) -> dict[str, Any]:
    """What a field group has below the tenant's namespace."""
    for each in (body.get("definitions") or {}).values():
        own = (each.get("properties") or {}).get(f"_{tenant}")
        if isinstance(own, dict):
            return own
    return {}


def _leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """The fields of a tree, each with what its values are, in a few words."""
    if tree.get("type") == "array":
        yield from _leaves(tree.get("items") or {}, f"{path}[*]")
        return
    required = tree.get("required") or ()
    for name, below in (tree.get("properties") or {}).items():
        inner = f"{path}.{name}" if path else name
        shown = dict(_leaves(below, inner))
        if name in required:
            shown = {place: f"{rules} required" for place, rules in shown.items()}
        yield from shown.items()
    if not tree.get("properties") and path:
        rules = (f"{tree[key]}" for key in _COMPARED if tree.get(key) is not None)
        yield path, " ".join(rules)


def _merged(now: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """*now* with what *wanted* has besides, below the same names."""
    whole = {**now, **{name: value for name, value in wanted.items() if name not in now}}
    for name in now.keys() & wanted.keys():
        if isinstance(now[name], Mapping) and isinstance(wanted[name], Mapping):
            whole[name] = _merged(now[name], wanted[name])
        elif isinstance(now[name], list) and name == "required":
            whole[name] = list(dict.fromkeys([*now[name], *wanted[name]]))
    return whole
