"""What is the dataset that records land in?

[Catalog; platform facts 4.2]
"""

from collections.abc import Sequence
from typing import Any

from agent.aep.platform import Platform
from agent.provision.manifest.model import Manifest
from agent.provision.objects.connections import SCHEMA_VERSION
from agent.provision.objects.kind import (
    Changeable,
    Cure,
    Difference,
    Found,
    Known,
    Removable,
    changed_text,
)

_PARQUET = {"persisted": True, "containerFormat": "parquet", "format": "parquet"}
_TAGS = ("unifiedProfile", "unifiedIdentity")


class Dataset(Changeable, Removable):
    """The dataset that records land in."""

    noun = "dataset"
    key = "dataset"

    def __init__(self, manifest: Manifest) -> None:
        super().__init__(manifest)
        self.given = manifest.dataset.id

    @property
    def name(self) -> str:
        return self.manifest.dataset.id or self.manifest.dataset_name

    async def get(self, platform: Platform, id: str, known: Known) -> Found:
        return Found(id, await platform.catalog.dataset(id))

    async def named(self, platform: Platform, known: Known) -> Sequence[Found]:
        return [Found(each["id"], each) for each in await platform.catalog.find_datasets(self.name)]

    def differences(self, found: Found, known: Known) -> list[Difference]:
        wrong = []
        if (schema := found.at("schemaRef.id")) != known.id("schema"):
            advice = "a dataset keeps its schema; write that schema.id, or another dataset.name"
            if self.given:
                advice = "write the schema.id that this dataset has"
            wrong.append(Difference("schema", schema, known.id("schema"), Cure.REFUSE, advice))
        if self.given:
            return wrong
        tags = dict(found.body.get("tags") or {})
        wanted = self.manifest.dataset.tags
        # the platform adds values of its own, such as enabledAt
        missing = {n: values for n, values in wanted.items() if set(values) - set(tags.get(n, ()))}
        if missing:
            now = {name: tags.get(name) for name in missing}
            whole = {n: _merged(tags.get(n, ()), values) for n, values in missing.items()}
            mend = {"tags": {**tags, **whole}}
            wrong.append(Difference("tags", now, missing, Cure.CHANGE, mend=mend))
        for name in _TAGS:
            if name not in wanted and "enabled:true" in (tags.get(name) or ()):
                advice = "it is enabled on the platform; the manifest does not take that back"
                wrong.append(Difference(f"tags.{name}", tags[name], None, Cure.NOTE, advice))
        description = self.manifest.dataset.description
        told: dict[str, Any] = {"description": description}
        return [
            *wrong,
            *changed_text("description", found.body.get("description"), description, told),
        ]

    async def create(self, platform: Platform, known: Known) -> str:
        settings = self.manifest.dataset
        body: dict[str, Any] = {
            "name": self.name,
            "schemaRef": {"id": known.id("schema"), "contentType": SCHEMA_VERSION},
            "fileDescription": _PARQUET,
        }
        if settings.tags:
            body["tags"] = settings.tags
        if settings.description:
            body["description"] = settings.description
        return await platform.catalog.create_dataset(body)

    async def change(
        self, platform: Platform, found: Found, differences: Sequence[Difference], known: Known
    ) -> None:
        body = {name: value for each in differences for name, value in each.mend.items()}
        await platform.catalog.patch_dataset(found.id, body)

    async def delete(self, platform: Platform, id: str) -> None:
        await platform.catalog.delete_dataset(id)


def _merged(found: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """The values of a tag, those that are wanted in the place of others of the same key."""
    keys = {value.partition(":")[0] for value in wanted}
    return [*wanted, *(value for value in found if value.partition(":")[0] not in keys)]
