"""What has to be done so that the platform is as the manifest says? Looking changes nothing."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from agent.aep.platform import Platform
from agent.errors import ConfigError
from agent.provision.manifest.model import Manifest
from agent.provision.objects.catalog import Dataset
from agent.provision.objects.connections import BaseConnection, SourceConnection, TargetConnection
from agent.provision.objects.dataprep import MappingSet
from agent.provision.objects.flow import Flow
from agent.provision.objects.identities import IdentityDescriptor, ProfileTag
from agent.provision.objects.kind import NEW, Cure, Difference, Found, Kind, Known
from agent.provision.objects.schemas import FieldGroup, SchemaObject
from agent.provision.state import Object, State


class Action(StrEnum):
    """What is done about one object."""

    CREATE = "create"
    CHANGE = "change"
    REPLACE = "replace"
    REFUSE = "refuse"
    KEEP = "keep"


@dataclass(frozen=True, slots=True)
class Step:
    """One object, what was found of it, and what is to be done."""

    kind: Kind
    action: Action
    found: Found | None = None
    differences: Sequence[Difference] = ()
    made: bool = False  # whether it is ours to take away
    remark: str = ""  # how it comes that it is so

    @property
    def id(self) -> str:
        """Its id; NEW where it is yet to be made."""
        return self.found.id if self.found and self.action is not Action.REPLACE else NEW

    @property
    def differs(self) -> bool:
        """Whether anything is to be done."""
        return self.action is not Action.KEEP

    def mendable(self) -> list[Difference]:
        """What one call changes."""
        return [each for each in self.differences if each.cure is Cure.CHANGE]


def kinds(manifest: Manifest) -> list[Kind]:
    """The objects that a manifest wants, in the order in which they can be made."""
    schema = manifest.schema_
    return [
        BaseConnection(manifest),
        SourceConnection(manifest),
        *([FieldGroup(manifest)] if schema.fields else []),
        SchemaObject(manifest),
        *(IdentityDescriptor(manifest, each) for each in schema.identities),
        *([ProfileTag(manifest)] if schema.profile else []),
        Dataset(manifest),
        TargetConnection(manifest),
        *([MappingSet(manifest)] if manifest.mapping else []),
        Flow(manifest),
    ]


async def planned(manifest: Manifest, state: State, platform: Platform, known: Known) -> list[Step]:
    """What is to be done about each object; *known* learns what there is."""
    plan: list[Step] = []
    async for step in steps(manifest, state, platform, known):
        plan.append(step)
        if step.action is Action.CHANGE:
            step.kind.foresee(known)
    return plan


async def steps(
    manifest: Manifest, state: State, platform: Platform, known: Known
) -> AsyncIterator[Step]:
    """The same one by one: each looks only once the one before it has been dealt with."""
    for kind in kinds(manifest):
        step = await look(kind, _noted(state, kind.key), platform, known)
        yield step
        if step.id != NEW:
            known.ids[kind.key] = step.id


async def look(kind: Kind, noted: Object | None, platform: Platform, known: Known) -> Step:
    """One object as it is on the platform: by the id that is noted, then by its name."""
    if kind.given:
        found = await kind.by_id(platform, kind.given, known)
        if found is None:
            raise ConfigError(
                f"{kind.key}.id: the platform has no {kind.noun} {kind.given}; write one that"
                f" exists in this sandbox, or let one be made"
            )
        return decide(kind, found, known, made=False)
    gone = False
    if noted and noted.id:
        found = await kind.by_id(platform, noted.id, known)
        if found is not None:
            return decide(kind, found, known, made=noted.made)
        gone = True
    return choose(kind, noted, await kind.named(platform, known), known, gone=gone)


def choose(
    kind: Kind, noted: Object | None, namesakes: Sequence[Found], known: Known, *, gone: bool
) -> Step:
    """What to do where no id is known: nothing is made a second time."""
    if len(namesakes) > 1:
        ids = ", ".join(each.id for each in namesakes)
        remark = (
            f"{len(namesakes)} are called {kind.name} ({ids}); delete or rename all but the right"
            " one, or write another name"
        )
        return Step(kind, Action.REFUSE, remark=remark)
    if not namesakes:
        was = noted.id if noted else None
        remark = f"{was} is not on the platform any more" if gone else ""
        return Step(kind, Action.CREATE, made=True, remark=remark)
    begun = noted is not None and noted.begun is not None
    remark = "begun before, and found by its name" if begun else "found by its name"
    return decide(kind, namesakes[0], known, made=begun, remark=remark)


def decide(kind: Kind, found: Found, known: Known, *, made: bool, remark: str = "") -> Step:
    """What to do about an object that is there."""
    kind.learn(found, known)
    differences = kind.differences(found, known)
    if kind.is_named and not kind.given and found.name not in (None, kind.name):
        text = "it has another name by now; it is known by its id"
        differences.append(Difference("name", found.name, kind.name, Cure.NOTE, text))
    if not made:
        differences = [_only_ours(each) for each in differences]
    cures = {each.cure for each in differences}
    action = Action.KEEP
    for cure, then in (
        (Cure.CHANGE, Action.CHANGE),
        (Cure.REPLACE, Action.REPLACE),
        (Cure.REFUSE, Action.REFUSE),
    ):
        action = then if cure in cures else action
    return Step(kind, action, found, differences, made, remark)


def _only_ours(difference: Difference) -> Difference:
    """What was there before this manifest is not made anew: somebody else may need it."""
    if difference.cure is not Cure.REPLACE:
        return difference
    advice = "it was there before this manifest; delete it yourself, or write another name"
    return replace(difference, cure=Cure.REFUSE, advice=advice)


def refused(plan: Sequence[Step]) -> Iterator[str]:
    """Why a plan cannot be carried out, a sentence each; nothing where it can."""
    for step in plan:
        if step.action is not Action.REFUSE:
            continue
        place = f"{step.kind.noun} {step.kind.name}"
        for each in step.differences:
            if each.cure is Cure.REFUSE:
                yield f"{place}: {each.path} is {each.found}, not {each.wanted}: {each.advice}"
        if step.remark and not step.differences:
            yield f"{place}: {step.remark}"


def _noted(state: State, key: str) -> Object | None:
    return next((each for each in state.objects if each.key == key), None)
