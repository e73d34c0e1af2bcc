"""What is the schema of records, and which fields of our own are in it?

[Schema Registry; platform facts 4.1]
"""

from collections.abc import Sequence
from typing import Any

from agent.aep.platform import Platform
from agent.provision.manifest.model import Manifest
from agent.provision.manifest.own_fields import definitions, field_group, own_tree
from agent.provision.objects.kind import (
    Changeable,
    Cure,
    Difference,
    Found,
    Known,
    Removable,
    changed_text,
)
from agent.provision.objects.own_part import broken, in_words, leaves, merged, own_part, stricter

UNION = "union"
_STAYS = "the manifest does not have it; the platform keeps it"
_KEPT = "fields cannot be taken away or change what they are; write another path"
STAYS_IN_PROFILE = "it is enabled for Profile, and the platform keeps such schemas for good"


class FieldGroup(Changeable, Removable):
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
        now = dict(leaves(own_part(found.body, known.tenant)))
        wanted = dict(leaves(own_tree(self.manifest.schema_.fields)))
        wrong = []
        for path in sorted(now.keys() | wanted.keys()):
            before, after = now.get(path), wanted.get(path)
            told = in_words(before), in_words(after)
            if before is None:
                wrong.append(Difference(path, *told, Cure.CHANGE))
            elif after is None:
                wrong.append(Difference(path, *told, Cure.NOTE, _STAYS))
            elif broken(before, after):
                wrong.append(Difference(path, *told, Cure.REFUSE, _KEPT))
            elif stricter(before, after):
                wrong.append(Difference(path, *told, Cure.NOTE, _STAYS))
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
        whole = merged(own_part(found.body, known.tenant), own)
        value = definitions(whole, known.tenant)
        operation = {"op": "replace", "path": "/definitions", "value": value}
        await platform.schemas.patch("fieldgroups", found.id, [operation])

    async def delete(self, platform: Platform, id: str) -> None:
        await platform.schemas.delete("fieldgroups", id)


class SchemaObject(Changeable, Removable):
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
        besides = sorted(set(now) - set(self._refs(known)) - {settings.class_})
        wrong += [Difference("field group", ref, None, Cure.NOTE, _STAYS) for ref in besides]
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
        return STAYS_IN_PROFILE if is_in_union(found) else ""

    def _refs(self, known: Known) -> list[str]:
        settings = self.manifest.schema_
        own = [known.id("field_group")] if settings.fields else []
        return [settings.class_, *settings.field_groups, *own]


def is_in_union(found: Found) -> bool:
    return UNION in (found.body.get("meta:immutableTags") or ())
