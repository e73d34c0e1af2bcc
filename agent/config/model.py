"""Which settings are there, and what are they when nobody says?"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, ClassVar, Literal, Self

from agent.config.admin import AdminSettings
from agent.config.batch import BatchSettings
from agent.config.buffer import BufferSettings
from agent.config.delivery import DeliverySettings
from agent.config.directories import default_data_dir
from agent.config.fields import FilePath
from agent.config.flows import FlowName, FlowSettings
from agent.config.identities import RecordIdSettings
from agent.config.inlet import InletSettings
from agent.config.platform import PlatformSettings
from agent.config.quantities import Duration, Size
from agent.config.section import Section, SoFar, checks, checks_section, names, setting
from agent.config.sources import Source, StdinSource
from agent.config.written import Wrong


class DeadLetterSettings(Section):
    """dead_letters: the records that will not be delivered, kept with the reason."""

    max_record_bytes: Annotated[int, Size("1KB", "100MiB")] = setting(
        default=1_048_576,
        description="Bytes kept of one record; the rest of a longer one is only a length and hash.",
        examples=["1MiB"],
    )
    max_bytes: Annotated[int, Size("1MB", "1TiB")] = setting(
        default=1_073_741_824,
        description="Bytes of all dead letters; when reached, input waits until some are purged.",
        examples=["1GiB"],
        validate_default=True,
    )

    @checks("max_bytes")
    @classmethod
    def _one_record_fits(cls, max_bytes: int, info: SoFar) -> int:
        if max_bytes < info.data.get("max_record_bytes", 0):
            raise Wrong("a size that is at least dead_letters.max_record_bytes")
        return max_bytes


class ReceiptSettings(Section):
    """receipts: proof that the platform took charge of records."""

    enabled: bool = setting(
        default=True,
        description="Whether receipts are kept; they cost bytes per batch, not per record.",
    )
    keep: Annotated[float, Duration("1m", "3650d")] = setting(
        default=2_592_000.0,
        description="Age at which receipts are deleted; 30d outlasts most questions about them.",
        examples=["30d"],
    )
    max_bytes: Annotated[int, Size("1MB", "1TiB")] = setting(
        default=1_073_741_824,
        description="Bytes of all receipts; when reached, the oldest are deleted.",
        examples=["1GiB"],
    )


class ShutdownSettings(Section):
    """shutdown: how the agent stops."""

    grace: Annotated[float, Duration("0s", "1h")] = setting(
        default=25.0,
        description="Time for requests in flight to be answered; 25s fits Kubernetes' 30s.",
        examples=["25s"],
    )
    quiet: Annotated[float, Duration("0s", "1h")] = setting(
        default=0.0,
        description="Input is read on until it was silent for so long; 5s suits sidecars.",
        examples=["5s"],
        validate_default=True,
    )

    @checks("quiet")
    @classmethod
    def _quiet_is_shorter(cls, quiet: float, info: SoFar) -> float:
        if quiet and quiet >= info.data.get("grace", quiet + 1):
            raise Wrong("a duration that is shorter than shutdown.grace, which it is a part of")
        return quiet


class LogSettings(Section):
    """log: what is written to standard error."""

    level: Literal["debug", "info", "warning", "error"] = setting(
        default="info",
        description="Least severity that is written; info is silent about single requests.",
    )
    format: Literal["auto", "json", "console"] = setting(
        default="auto", description="auto: console on a terminal, one JSON object a line otherwise."
    )
    priorities: Literal["auto", "always", "never"] = setting(
        default="auto",
        description="Whether lines begin with a priority, <6>; auto: if the journal reads them.",
    )
    repeat: Annotated[float, Duration("0s", "1d")] = setting(
        default=30.0,
        description="Time within which the same line is written once, so outages stay readable.",
        examples=["30s"],
    )


class Config(Section):
    """The whole configuration of aep-agent."""

    data_dir: Annotated[Path, FilePath("the path of a directory")] = setting(
        default_factory=default_data_dir,
        description="Directory of dead letters and receipts; unset follows systemd or XDG.",
        examples=["/var/lib/aep-agent"],
    )
    inlet: InletSettings | None = setting(
        default=None,
        description="The platform's streaming inlet; with flows, what their inlets share.",
    )
    platform: PlatformSettings | None = setting(
        default=None,
        description="The platform's control plane, where inlets are looked up by their flow.",
    )
    flows: dict[Annotated[str, FlowName()], FlowSettings] = setting(
        default_factory=dict,
        json_schema_extra={"default": {}},
        description="Several inlets by name, each with limits of its own; sources say which.",
        examples=[{"orders": {"inlet": {"flow_id": "7d1df3c8-1f0e-4a53-8f2c-2f0f3f9f1a11"}}}],
    )
    sources: tuple[Source, ...] = setting(
        default=(StdinSource(type="stdin"),),
        description="Where records are read from.",
        examples=[[{"type": "stdin"}]],
        json_schema_extra={"minItems": 1},
    )
    record_id: RecordIdSettings = setting(
        default_factory=RecordIdSettings, description="An id for records that have none."
    )
    batch: BatchSettings = setting(
        default_factory=BatchSettings, description="When a batch is closed and sent."
    )
    buffer: BufferSettings = setting(
        default_factory=BufferSettings, description="What is held until records are answered for."
    )
    delivery: DeliverySettings = setting(
        default_factory=DeliverySettings, description="How requests are sent."
    )
    dead_letters: DeadLetterSettings = setting(
        default_factory=DeadLetterSettings,
        description="Records that will not be delivered, and the reason.",
    )
    receipts: ReceiptSettings = setting(
        default_factory=ReceiptSettings,
        description="Proof that the platform took charge of records.",
    )
    shutdown: ShutdownSettings = setting(
        default_factory=ShutdownSettings, description="How the agent stops."
    )
    admin: AdminSettings = setting(
        default_factory=AdminSettings, description="Metrics, health and status over HTTP."
    )
    log: LogSettings = setting(
        default_factory=LogSettings, description="What is written to standard error."
    )

    _warnings: ClassVar[tuple[str, ...]] = ()

    @checks("sources")
    @classmethod
    def _sources_differ(cls, sources: tuple[Source, ...]) -> tuple[Source, ...]:
        if not sources:
            raise Wrong("at least one source")
        if sum(isinstance(source, StdinSource) for source in sources) > 1:
            raise Wrong("stdin once: two readers would tear each other's records apart")
        seen: set[str] = set()
        for index, source in enumerate(sources):
            if source.name in seen:
                raise Wrong("a name that no other source has", key=f"{index}.name")
            if source.name is not None:
                seen.add(source.name)
        return sources

    @checks_section
    def _sizes_agree(self) -> Self:
        for flow in self.each_flow().values():
            for ways_out in flow.disagreements():
                key, advice = next(iter(ways_out.items()))
                raise Wrong(advice, key=key)
        return self

    def each_flow(self) -> Mapping[str, FlowSettings]:
        """The flows by name. Where none is named there is one, and its name is empty."""
        if self.flows:
            return self.flows
        assert self.inlet, "without flows, an inlet is asked for"
        only = {section: getattr(self, section) for section in names(FlowSettings)}
        return {"": FlowSettings(**only)}

    def flow_of(self, source: Source) -> str:
        """The name of the flow that a source is for."""
        return source.flow or next(iter(self.flows), "")

    def sources_of(self, flow: str) -> list[Source]:
        """The sources that are for the flow of that name."""
        return [source for source in self.sources if self.flow_of(source) == flow]

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed but probably not meant, one sentence each."""
        return self._warnings

    def with_warnings(self, warnings: tuple[str, ...]) -> Self:
        """The same configuration, carrying these warnings."""
        return self._carrying(_warnings=warnings)
