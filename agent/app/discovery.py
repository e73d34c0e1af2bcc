"""Which inlets do flows have of which only a name or an id is written?

They are looked up before anything starts. What was found is remembered; while the platform is away
the agent starts from that, and looks again later. An inlet that is another one by then counts from
the next start on, since what is in the spool is encoded for the present one.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.aep.discovery import FlowUnusable, Inlet, Wanted, inlet_of
from agent.aep.platform import Platform
from agent.app.remembered import Remembered
from agent.config.agreement import same_destinations
from agent.config.envelope import XdmEnvelope
from agent.config.flows import FlowSettings
from agent.config.inlet import InletSettings
from agent.config.model import Config
from agent.config.problems import show_path
from agent.errors import ConfigError, CredentialsRefused, PlatformAway, PlatformError
from agent.telemetry.logs import get_logger

_PATIENCE = 10.0  # seconds to look up what is remembered anyway
_LONGEST_WAIT = 3600.0  # seconds between two looks

log = get_logger("discovery")


@dataclass(frozen=True, slots=True)
class Place:
    """A flow of the configuration whose inlet is looked up."""

    key: str  # where it is written
    flow: str  # the name of the flow in the configuration; empty where it has none
    wanted: Wanted


class Discovery:
    """Looks up the inlets that a configuration does not have."""

    def __init__(self, config: Config) -> None:
        assert config.platform, "the configuration was checked"
        self._config = config
        self._platform = config.platform
        self._remembered = Remembered(config.data_dir, config.platform)
        self._places = list(_places(config))
        self._in_use: dict[str, Inlet] = {}
        self._doubtful: list[Place] = []

    async def located(self) -> Config:
        """The configuration with every inlet in it.

        Raises ConfigError where a flow cannot be sent to, and PlatformError where the platform
        does not tell and has not told before.
        """
        known = {place: self._remembered.get(place.wanted) for place in self._places}
        patient = None in known.values()
        away: PlatformError | None = None
        async with Platform.of(self._platform, attempts=None if patient else 1) as platform:
            for place, before in known.items():
                found = None
                if away is None:
                    try:
                        found = await self._look(platform, place, None if patient else _PATIENCE)
                    except (PlatformAway, CredentialsRefused) as error:
                        away = error
                if found is None:
                    assert away
                    found = self._from_memory(place, before, away)
                self._in_use[place.flow] = found
        return self._with_inlets()

    def remembered(self) -> Config:
        """The configuration with the inlets that were found before; the platform is not asked.

        Raises ConfigError where one never was.
        """
        for place in self._places:
            found = self._remembered.get(place.wanted)
            if found is None:
                raise ConfigError(
                    f"{place.key}: it was not looked up yet in this data directory; start the agent"
                    " once, or write inlet.url and inlet.flow_id"
                )
            self._in_use[place.flow] = found
        return self._with_inlets()

    async def look_again(self) -> None:
        """Look up later what came from memory, and say what is new; never ends."""
        wait = self._platform.refresh
        while self._doubtful:
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
            async with Platform.of(self._platform, attempts=1) as platform:
                for place in list(self._doubtful):
                    await self._look_again_at(platform, place)
        await asyncio.get_running_loop().create_future()

    async def _look_again_at(self, platform: Platform, place: Place) -> None:
        try:
            found = await self._look(platform, place, None)
        except (PlatformError, ConfigError) as error:
            log.warning(
                "the inlet cannot be looked up yet, going on with what was found before",
                once_per="wanted",
                wanted=str(place.wanted),
                reason=str(error),
            )
            return
        self._doubtful.remove(place)
        used = self._in_use[place.flow]
        if (found.url, found.flow_id) == (used.url, used.flow_id):
            log.info("the inlet was looked up, it is the one in use", wanted=str(place.wanted))
        else:
            log.error(
                "the flow has another inlet by now",
                wanted=str(place.wanted),
                next_step="restart the agent, so that it sends to that one",
            )

    async def _look(self, platform: Platform, place: Place, patience: float | None) -> Inlet:
        try:
            async with asyncio.timeout(patience) if patience else nullcontext():
                found = await inlet_of(platform.flow, place.wanted)
        except FlowUnusable as error:
            raise ConfigError(f"{place.key}: {error}") from error
        except TimeoutError as error:
            words = f"it did not answer within {patience:g} seconds"
            raise PlatformAway(words, service=platform.flow.name) from error
        self._remembered.put(place.wanted, found)
        log.info("the inlet was looked up", name=found.flow_name, flow_id=found.flow_id)
        return found

    def _from_memory(self, place: Place, before: Inlet | None, away: PlatformError) -> Inlet:
        if before is None:
            raise away
        log.warning(
            "the inlet cannot be looked up, starting with what was found before",
            wanted=str(place.wanted),
            flow_id=before.flow_id,
            reason=str(away),
        )
        self._doubtful.append(place)
        return before

    def _with_inlets(self) -> Config:
        flows = {
            name: self._with_inlet(name, flow) for name, flow in self._config.each_flow().items()
        }
        if self._config.flows:
            whole = self._config.replaced(flows=flows)
        else:
            whole = self._config.replaced(inlet=flows[""].inlet)
        for path, text in same_destinations(whole):
            raise ConfigError(f"{show_path(path)}: {text}")
        return whole

    def _with_inlet(self, name: str, flow: FlowSettings) -> FlowSettings:
        found = self._in_use.get(name)
        if found is None:
            return flow
        _tell_disagreements(flow.inlet, found)
        update: dict[str, object] = {"url": found.url, "flow_id": found.flow_id, "flow": None}
        ready = found.changed_at + self._platform.warm_up
        if flow.inlet.ready_at is None and ready > time.time():
            update["ready_at"] = datetime.fromtimestamp(ready, UTC)
        return flow.replaced(inlet=flow.inlet.replaced(**update))


def _places(config: Config) -> Iterator[Place]:
    flows: Mapping[str, FlowSettings] = config.each_flow()
    for name, flow in flows.items():
        if flow.inlet.is_looked_up:
            key = "flow" if flow.inlet.flow else "flow_id"
            path = f"flows.{name}.inlet.{key}" if name else f"inlet.{key}"
            yield Place(path, name, Wanted(flow.inlet.flow, flow.inlet.flow_id))


def _tell_disagreements(inlet: InletSettings, found: Inlet) -> None:
    """Say what the inlet asks for and the configuration does not give."""
    form = "xdm" if isinstance(inlet.envelope, XdmEnvelope) else "raw"
    if found.form and found.form != form:
        log.warning(
            "the inlet takes records in another form than the configuration gives them",
            inlet=found.form,
            configuration=form,
            next_step="write inlet.envelope.type as the flow's source has it",
        )
    if found.asks_for_token and not (inlet.token or inlet.token_file or inlet.credentials):
        log.warning(
            "the inlet asks for a token and the configuration has none",
            next_step="write inlet.credentials, or inlet.token_file",
        )
