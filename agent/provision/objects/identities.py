"""Which fields of the schema say who somebody is, and does Profile have its records?

[Schema Registry; platform facts 4.1]
"""

from collections.abc import Sequence
from typing import Any

from agent.aep.platform import Platform
from agent.errors import NotFound
from agent.provision.manifest.model import Manifest
from agent.provision.manifest.schema import Identity
from agent.provision.manifest.words import with_tenant
from agent.provision.objects.kind import NEW, Cure, Difference, Found, Kind, Known, Removable
from agent.provision.objects.schemas import STAYS_IN_PROFILE, UNION, is_in_union

IDENTITY = "xdm:descriptorIdentity"


class IdentityDescriptor(Removable):
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
        if not is_in_union(found):
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

    def stays(self, found: Found) -> str:
        return STAYS_IN_PROFILE
