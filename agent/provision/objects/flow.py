"""What is the flow itself: what takes records from the source to the dataset?

[Flow Service; platform facts 3.1, 3.2]
"""

from typing import Any

from agent.aep.platform import Platform
from agent.provision.manifest.source import HttpInlet
from agent.provision.objects.flow_service import FlowServiceKind
from agent.provision.objects.kind import Cure, Difference, Found, Known

_WITH_MAPPING = (
    "c1a19761-d2c7-4702-b9fa-fe91f0613e81",
    "Stream data with transformation",
    "Steam data with transformation",  # as the platform itself once wrote it
)
_WITHOUT_MAPPING = ("d8a6f005-7eaf-4153-983e-e8574508b877", "Stream data without transformation")
_PERHAPS_MAPPING = (
    "d69717ba-71b4-4313-b654-49f9cf126d7a",
    "Stream data with optional transformation",
)


class Flow(FlowServiceKind):
    """What takes records from the source to the dataset."""

    noun = "flow"
    group = "flows"
    key = "flow"

    def differences(self, found: Found, known: Known) -> list[Difference]:
        wrong = []
        for path, key in (
            ("sourceConnectionIds", "source_connection"),
            ("targetConnectionIds", "target_connection"),
        ):
            if (now := found.body.get(path)) != [known.id(key)]:
                wrong.append(Difference(path, now, [known.id(key)], Cure.REPLACE))
        now, wanted = found.body.get("transformations") or [], self._transformations(known)
        if _mapping_of(now) != _mapping_of(wanted):
            op = {"op": "replace" if now else "add", "path": "/transformations/0"}
            cure = Cure.CHANGE if wanted else Cure.REPLACE
            mend = {**op, "value": wanted[0]} if wanted else None
            told = _mapping_of(now), _mapping_of(wanted)
            wrong.append(Difference("mapping", *told, cure, mend=mend))
        if found.body.get("state") == "disabled":
            text = "somebody disabled it: no record lands until it is enabled in the platform's UI"
            wrong.append(Difference("state", "disabled", "enabled", Cure.NOTE, text))
        return [*wrong, *self.described(found)]

    async def create(self, platform: Platform, known: Known) -> str:
        spec = await platform.flow.flow_spec(*self._specs())
        body = {
            **self.told(),
            "flowSpec": {"id": spec["id"], "version": str(spec.get("version") or "1.0")},
            "sourceConnectionIds": [known.id("source_connection")],
            "targetConnectionIds": [known.id("target_connection")],
        }
        if transformations := self._transformations(known):
            body["transformations"] = transformations
        return (await platform.flow.create(self.group, body)).id

    def _specs(self) -> tuple[str, ...]:
        if not isinstance(self.manifest.source, HttpInlet):
            return _PERHAPS_MAPPING
        return _WITH_MAPPING if self.manifest.mapping else _WITHOUT_MAPPING

    def _transformations(self, known: Known) -> list[dict[str, Any]]:
        if not self.manifest.mapping:
            return []
        parameters = {"mappingId": known.id("mapping"), "mappingVersion": known.mapping_version}
        return [{"name": "Mapping", "params": parameters}]


def _mapping_of(transformations: list[dict[str, Any]]) -> str:
    """The mapping set and its version, as people see it."""
    found = [each.get("params") or {} for each in transformations]
    told = (f"{each.get('mappingId')} version {each.get('mappingVersion')}" for each in found)
    return ", ".join(told) or "none"
