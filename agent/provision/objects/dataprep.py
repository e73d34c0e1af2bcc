"""What is the mapping set: which XDM field comes from what?

What is stored has other words for where a value comes from than what is sent, so both are read.
[Data Prep; platform facts 4.4]
"""

from collections.abc import Mapping, Sequence
from typing import Any

from agent.aep.platform import Platform
from agent.provision.objects.connections import SCHEMA_VERSION
from agent.provision.objects.kind import Changeable, Cure, Difference, Found, Known

_STORED = {
    "text/x.schema-path": "ATTRIBUTE",
    "text/x.aep-xl": "EXPRESSION",
    "": "ATTRIBUTE",
}
_STAYS = "the platform has no call that deletes mapping sets; without a flow it does nothing"


class MappingSet(Changeable):
    """Which XDM field comes from what."""

    noun = "mapping set"
    key = "mapping"

    @property
    def name(self) -> str:
        return self.manifest.flow.name

    async def get(self, platform: Platform, id: str, known: Known) -> Found:
        return Found(id, await platform.dataprep.get(id))

    async def named(self, platform: Platform, known: Known) -> Sequence[Found]:
        # what is listed may be without its mappings
        listed = await platform.dataprep.find(self.name)
        return [await self.get(platform, str(each["id"]), known) for each in listed]

    def differences(self, found: Found, known: Known) -> list[Difference]:
        now, wanted = _lines(found.body.get("mappings")), self._wanted(known)
        wrong = [
            Difference(path, now.get(path), wanted.get(path), Cure.CHANGE)
            for path in sorted(now.keys() | wanted.keys())
            if now.get(path) != wanted.get(path)
        ]
        schema = _schema_of(found.body)
        if schema != known.id("schema"):
            wrong.append(Difference("schema", schema, known.id("schema"), Cure.CHANGE))
        return wrong

    async def create(self, platform: Platform, known: Known) -> str:
        made = await platform.dataprep.create(self._body(known))
        known.mapping_version = int(made["version"])
        return str(made["id"])

    async def change(
        self, platform: Platform, found: Found, differences: Sequence[Difference], known: Known
    ) -> None:
        await platform.dataprep.put(found.id, self._body(known))

    def learn(self, found: Found, known: Known) -> None:
        known.mapping_version = int(found.body.get("version") or 0)

    def foresee(self, known: Known) -> None:
        known.mapping_version += 1

    def stays(self, found: Found) -> str:
        return _STAYS

    def _body(self, known: Known) -> dict[str, Any]:
        schema = {"id": known.id("schema"), "contentType": SCHEMA_VERSION}
        return {
            "name": self.name,
            "outputSchema": {"schemaRef": schema},
            "mappings": [line.as_json(known.tenant) for line in self.manifest.mapping],
        }

    def _wanted(self, known: Known) -> dict[str, str]:
        return _lines(self._body(known)["mappings"])


def _lines(mappings: Any) -> dict[str, str]:
    """What each XDM path comes from, in one word and its text."""
    found: dict[str, str] = {}
    for each in mappings if isinstance(mappings, list) else ():
        kind = str(each.get("sourceType") or "")
        source = each.get("source") or each.get("sourceAttribute") or ""
        path = each.get("destination") or each.get("destinationXdmPath") or ""
        found[str(path)] = f"{_STORED.get(kind, kind).lower()} {source}"
    return found


def _schema_of(body: Mapping[str, Any]) -> str | None:
    """The `$id` of the schema that a mapping set is for."""
    output = body.get("outputSchema")
    output = output if isinstance(output, Mapping) else {}
    schema = output.get("schemaRef")
    found = schema.get("id") if isinstance(schema, Mapping) else None
    return found or output.get("id") or body.get("xdmSchema")
