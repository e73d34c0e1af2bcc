"""How does the platform come to be as the manifest says?

What has to be made anew is taken away first, in the order in which that works; then each object is
looked for, and made or changed where it is not as wanted. Every call stands between two notes in
the state, so that whoever comes after a crash knows what to look for.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent.aep.platform import Platform
from agent.config.units import show_duration
from agent.errors import AgentError, ConfigError, NotFound, PlatformError
from agent.provision.agent_config import WrittenAs, write_config
from agent.provision.manifest.loading import Written
from agent.provision.manifest.model import FlowDescription
from agent.provision.objects.kind import Changeable, Cure, Found, Kind, Known, Removable
from agent.provision.plan import Action, Step, planned, refused, steps
from agent.provision.state import StateFile

_LOOK_SECONDS = (0.2, 5.0)  # between two looks: at first, and at most

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it."""

    steps: tuple[Step, ...]
    ready_at: datetime | None
    config: WrittenAs | None  # None: the platform fetches by itself

    @property
    def schema_changed(self) -> bool:
        """Whether a schema that records are held against already was changed."""
        return any(
            step.action is Action.CHANGE and step.kind.key in ("schema", "field_group")
            for step in self.steps
        )

    @property
    def changed(self) -> int:
        """How many objects were made or changed."""
        return sum(step.differs for step in self.steps)


async def apply(written: Written, file: StateFile, platform: Platform, tell: Tell) -> Applied:
    """Carry a manifest out, telling of every step. Raises PlatformError, ConfigError, StoreError.

    However it ends, doing it again goes on from there.
    """
    manifest = written.manifest
    tenant = await platform.schemas.tenant()
    plan = await planned(manifest, file.state, platform, Known(tenant))
    if reasons := list(refused(plan)):
        raise ConfigError("\n".join(f"{written.path}: {reason}" for reason in reasons))
    for step in reversed(plan):
        if step.action is Action.REPLACE and step.found:
            assert isinstance(step.kind, Removable)
            await _take_away(step.kind, step.found, file, platform)
            tell(f"{step.kind.noun} {step.kind.name}: taken away, to be made anew")
    work = _Work(file, platform, Known(tenant), manifest.flow, tell)
    done = [await work.do(step) async for step in steps(manifest, file.state, platform, work.known)]
    config = write_config(written, work.known, file)
    return Applied(tuple(done), file.state.ready_at, config)


class _Work:
    """One walk through all objects."""

    def __init__(
        self, file: StateFile, platform: Platform, known: Known, flow: FlowDescription, tell: Tell
    ) -> None:
        self.known = known
        self._file = file
        self._platform = platform
        self._flow = flow
        self._warm_up = timedelta(seconds=flow.warm_up)
        self._tell = tell

    async def do(self, step: Step) -> Step:
        """Do what a step says; the same step afterwards."""
        kind = step.kind
        place = f"{kind.noun} {kind.name}"
        is_flow = kind.key == "flow"
        if is_flow and step.action is not Action.KEEP:
            # noted before, too: a crash must not make the agent send too early
            self._file.ready_at(self._warm())
        if step.action is Action.CREATE:
            id = await self._make(kind)
            await self._settled(kind, id)
        elif step.action is Action.CHANGE:
            assert step.found
            assert isinstance(kind, Changeable)
            id = step.found.id
            await kind.change(self._platform, step.found, step.mendable(), self.known)
            self._file.note(kind.key, kind.name, id, made=step.made)
            await self._settled(kind, id)
        else:
            assert step.found
            id = step.found.id
            self._file.note(kind.key, kind.name, id, made=step.made)
            if not kind.is_settled(step.found, self.known):
                await self._settled(kind, id)
        self.known.ids[kind.key] = id
        if is_flow:
            self._file.ready_at(self._ready_at(step))
        told = {Action.CREATE: "made", Action.CHANGE: "changed"}.get(step.action, "kept")
        self._tell(f"{place}: {told} ({id})")
        for each in step.differences:
            if each.cure is Cure.NOTE:
                self._tell(f"  note: {each.path} is {each.found}, not {each.wanted}: {each.advice}")
        return step

    async def _make(self, kind: Kind) -> str:
        noted = self._file.object(kind.key)
        self._file.begin(kind.key, kind.name)
        try:
            id = await kind.create(self._platform, self.known)
        except PlatformError as error:
            # what was begun before may be there all the same, and not be listed yet
            if not error.maybe_done and not (noted and noted.begun):
                self._file.forget(kind.key)
            raise
        self._file.note(kind.key, kind.name, id, made=True)
        return id

    async def _settled(self, kind: Kind, id: str) -> None:
        """Wait until the platform has finished making it."""
        deadline = time.monotonic() + self._flow.finish_within
        pause, longest = _LOOK_SECONDS
        while True:
            found = await kind.by_id(self._platform, id, self.known)
            if found is not None and kind.is_settled(found, self.known):
                kind.learn(found, self.known)
                return
            if time.monotonic() > deadline:
                raise AgentError(
                    f"{kind.noun} {kind.name} ({id}): the platform has not finished making it"
                    f" within {show_duration(self._flow.finish_within)}; look at it in the"
                    " platform's UI and apply again, or give it longer (flow.finish_within)"
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, longest)

    def _ready_at(self, step: Step) -> datetime | None:
        """When the flow takes records."""
        if step.action is not Action.KEEP:
            return self._warm()
        if self._file.state.ready_at or not step.found:
            return self._file.state.ready_at
        changed = step.found.body.get("updatedAt") or step.found.body.get("createdAt")
        if not isinstance(changed, int):
            return None
        return datetime.fromtimestamp(changed // 1000, UTC) + self._warm_up

    def _warm(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self._warm_up


async def _take_away(kind: Removable, found: Found, file: StateFile, platform: Platform) -> None:
    with suppress(NotFound):  # somebody was faster
        await kind.delete(platform, found.id)
    file.forget(kind.key)
