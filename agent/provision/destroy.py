"""How does what was made go away again, in the only order that works?

Flow first, for nothing it uses can go before it; then its connections, the dataset, and at last the
schema. What was there before the manifest stays, and so does what the platform never lets go.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from agent.aep.platform import Platform
from agent.errors import AgentError, NotFound
from agent.provision.agent_config import remove_config
from agent.provision.manifest.model import Manifest
from agent.provision.manifest.schema import Identity
from agent.provision.objects.catalog import Dataset
from agent.provision.objects.connections import BaseConnection, SourceConnection, TargetConnection
from agent.provision.objects.dataprep import MappingSet
from agent.provision.objects.flow import Flow
from agent.provision.objects.identities import IdentityDescriptor, ProfileTag
from agent.provision.objects.kind import Found, Kind, Known, Removable
from agent.provision.objects.schemas import FieldGroup, SchemaObject
from agent.provision.state import IDENTITY, Object, State, StateFile

_ORDER: tuple[type[Any], ...] = (
    Flow,
    SourceConnection,
    TargetConnection,
    BaseConnection,
    MappingSet,
    Dataset,
    ProfileTag,
    IdentityDescriptor,
    SchemaObject,
    FieldGroup,
)
# what each needs, so that it stays where that stays
_NEEDS: Mapping[type[Any], tuple[type[Any], ...]] = {
    Flow: (SourceConnection, TargetConnection),
    SourceConnection: (BaseConnection,),
    TargetConnection: (Dataset,),
    Dataset: (IdentityDescriptor, SchemaObject),
    ProfileTag: (IdentityDescriptor, SchemaObject),
    SchemaObject: (FieldGroup,),
}
_BEFORE = "it was there before this manifest"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one object."""

    kind: Kind
    noted: Object
    found: Found | None  # None: it is gone already
    stays: str  # why; empty where it goes


async def fates(manifest: Manifest, state: State, platform: Platform) -> list[Fate]:
    """What would become of each object that is noted, in the order in which it is done."""
    known = Known(await platform.schemas.tenant())
    known.ids |= {each.key: each.id for each in state.objects if each.id}
    found: list[Fate] = []
    needed: dict[type[Any], str] = {}
    for kind, noted in sorted(_kinds(manifest, state), key=lambda each: _place(each[0])):
        fate = await _fate(kind, noted, platform, known)
        if fate.found and not fate.stays and (user := needed.get(type(kind))):
            fate = Fate(kind, noted, fate.found, f"the {user} needs it, which stays")
        if fate.found and fate.stays:
            needed |= dict.fromkeys(_NEEDS.get(type(kind), ()), kind.noun)
        found.append(fate)
    return found


async def destroy(
    found: list[Fate], file: StateFile, platform: Platform, tell: Callable[[str], None]
) -> list[Fate]:
    """Take away what can go; what stays. Doing it again goes on where it was cut off."""
    for fate in found:
        place = f"{fate.kind.noun} {fate.noted.name}"
        if fate.stays:
            tell(f"{place}: stays: {fate.stays}")
            continue
        if fate.found:
            assert isinstance(fate.kind, Removable)
            with suppress(NotFound):  # somebody was faster
                await fate.kind.delete(platform, fate.found.id)
        file.forget(fate.noted.key)
        tell(f"{place}: {'removed' if fate.found else 'was gone already'}")
    file.ready_at(None)
    if told := remove_config(file):
        tell(told)
    if not any(each.made for each in file.state.objects):
        file.remove()
    return [fate for fate in found if fate.stays]


async def _fate(kind: Kind, noted: Object, platform: Platform, known: Known) -> Fate:
    if noted.id is None:
        namesakes = await kind.named(platform, known)
        if len(namesakes) > 1:
            ids = ", ".join(each.id for each in namesakes)
            raise AgentError(
                f"{kind.noun} {noted.name}: making it was cut off, and {len(namesakes)} have this"
                f" name by now ({ids}); delete or rename all but the right one"
            )
        found = namesakes[0] if namesakes else None
    else:
        found = await kind.by_id(platform, noted.id, known)
    if not noted.made:
        return Fate(kind, noted, found, _BEFORE)
    if found and kind.is_named and (renamed := _renamed(noted, found)):
        return Fate(kind, noted, found, renamed)
    return Fate(kind, noted, found, kind.stays(found) if found else "")


def _renamed(noted: Object, found: Found) -> str:
    """Whether the id leads to something that is not called as it was: then it may not be ours."""
    if found.name in (None, noted.name):
        return ""
    return f"{found.id} is called {found.name} by now; delete it yourself if it is the one"


def _kinds(manifest: Manifest, state: State) -> Iterator[tuple[Kind, Object]]:
    """The objects that are noted, also those that the manifest does not want any more."""
    by_key: dict[str, type[Any]] = {
        each.key: each for each in _ORDER if each is not IdentityDescriptor
    }
    for noted in state.objects:
        if noted.key.startswith(IDENTITY):
            path = noted.key.removeprefix(IDENTITY)
            yield IdentityDescriptor(manifest, Identity(path=path, namespace="any")), noted
        else:
            yield by_key[noted.key](manifest), noted


def _place(kind: Kind) -> int:
    return _ORDER.index(type(kind))
