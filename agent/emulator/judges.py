"""Which schema and which mapping judge the records of a flow, and how old may these be?

Compiling takes a while, so that a judge is kept until something it was made of changes; and longer,
where the trap `schema_cache` says that the platform shall not see changes at once.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.dataprep import Outcome
from agent.emulator.platform import Platform
from agent.emulator.profiles import Identity
from agent.emulator.routing import Route


class Judge:
    """Judges the records of one flow, and finds the person in their entities."""

    def __init__(
        self, judge: Callable[[Any], Outcome], is_event: bool, path: str | None, namespace: str
    ) -> None:
        self.judge = judge
        self.is_event = is_event
        self._path = None if path is None else path.split(".")
        self._namespace = namespace

    def identity_of(self, entity: Mapping[str, Any]) -> Identity | None:
        """The primary identity: what the schema's descriptor names, else what identityMap says."""
        value: Any = None
        if self._path is not None:
            value = entity
            for name in self._path:
                value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, str | int) and value != "":
            return self._namespace, str(value)
        return _mapped_identity(entity.get("identityMap"))


@dataclass(slots=True)
class _Kept:
    judge: Judge
    made_of: object
    made_at: float = field(default_factory=time.monotonic)


class Judges:
    """The judges of all flows. `compile` makes one for a route out of the platform's objects."""

    def __init__(self, platform: Platform, compile: Callable[[Route], Judge]) -> None:
        self._platform = platform
        self._compile = compile
        self._kept: dict[str, _Kept] = {}

    def of(self, found: Route, may_be_old: float) -> Judge:
        """The judge of a flow; one that is younger than so many seconds may be out of date."""
        made_of = (
            *(found.schema_id, found.schema_version, found.mapping_id, found.mapping_version),
            *(found.profile, *self._changes()),
        )
        kept = self._kept.get(found.flow_id)
        if kept is not None:
            age = time.monotonic() - kept.made_at
            if kept.made_of == made_of or age < may_be_old:
                return kept.judge
        kept = self._kept[found.flow_id] = _Kept(self._compile(found), made_of)
        return kept.judge

    def _changes(self) -> tuple[int, ...]:
        platform = self._platform
        used = (
            platform.schemas,
            platform.field_groups,
            platform.classes,
            platform.data_types,
            platform.descriptors,
            platform.mapping_sets,
        )
        return tuple(collection.changes for collection in used)


def _mapped_identity(identity_map: Any) -> Identity | None:
    if not isinstance(identity_map, Mapping):
        return None
    found = [
        (namespace, each)
        for namespace, several in identity_map.items()
        for each in (several if isinstance(several, list) else [])
        if isinstance(each, Mapping) and isinstance(each.get("id"), str) and each["id"]
    ]
    primary = [(namespace, each) for namespace, each in found if each.get("primary") is True]
    for namespace, each in primary or found[:1]:
        return str(namespace), each["id"]
    return None
