"""Which keys does a manifest have?"""

from pathlib import Path
from typing import Annotated, Any, Self

from agent.config.fields import FilePath, Text
from agent.config.platform import PlatformSettings
from agent.config.quantities import Duration
from agent.config.section import Section, checks_section, setting
from agent.config.written import Wrong
from agent.provision.manifest.dataset import DatasetSettings
from agent.provision.manifest.mapping import MappingLine
from agent.provision.manifest.schema import SchemaSettings
from agent.provision.manifest.source import HttpInlet, Source

VERBATIM = ("mapping", "agent")  # sections in which `${` is not a variable of this file


class FlowDescription(Section):
    """flow: what takes records from the source to the dataset."""

    name: Annotated[str, Text("a name")] = setting(
        description="Name of the flow and its connections, by which they are found again.",
        examples=["Orders"],
    )
    description: Annotated[str | None, Text("a description on one line", optional=True)] = setting(
        default=None, description="What it is for."
    )
    warm_up: Annotated[float, Duration("0s", "1h")] = setting(
        default=300.0,
        description="How long a new flow loses records, which the agent holds meanwhile.",
        examples=["5m"],
    )
    finish_within: Annotated[float, Duration("1s", "1h")] = setting(
        default=120.0,
        description="Longest wait for the platform to finish making one object.",
        examples=["2m"],
    )


class AgentSettings(Section):
    """agent: the configuration that `aep-agent run` is given."""

    file: Annotated[Path | None, FilePath("the path of a file", optional=True)] = setting(
        default=None,
        description="Where it is written; unset: beside the manifest, as MANIFEST.agent.yaml.",
        examples=["/etc/aep-agent/aep-agent.yaml"],
    )
    settings: dict[str, Any] = setting(
        default_factory=dict,
        json_schema_extra={"default": {}},
        description="Everything in it but where records go: its sources, its data_dir and so on.",
        examples=[{"sources": [{"type": "stdin"}]}],
    )


class Manifest(Section):
    """What there should be on the platform: one flow, from its source to its dataset."""

    platform: PlatformSettings = setting(description="Which organisation and sandbox, and as whom.")
    source: Source = setting(description="Where records come from.")
    schema_: SchemaSettings = setting(alias="schema", description="Which XDM schema records have.")
    dataset: DatasetSettings = setting(
        default_factory=DatasetSettings, description="Where records land."
    )
    mapping: tuple[MappingLine, ...] = setting(
        default=(),
        description="Which XDM field comes from what; for raw records only.",
        examples=[[{"to": "person.name.firstName", "attribute": "firstName"}]],
    )
    flow: FlowDescription = setting(
        description="What takes records from the source to the dataset."
    )
    agent: AgentSettings = setting(
        default_factory=AgentSettings, description="The configuration that is written."
    )

    @checks_section
    def _fits(self) -> Self:
        raw = self.source.data_type == "raw"
        if raw and not self.mapping:
            raise Wrong("how records become XDM: raw records need a mapping", key="mapping")
        if not raw and self.mapping:
            raise Wrong(
                "nothing here, or `source.data_type: raw`: XDM is not mapped", key="mapping"
            )
        seen: set[str] = set()
        for index, line in enumerate(self.mapping):
            if line.to in seen:
                raise Wrong("a path that no other line maps to", key=f"mapping.{index}.to")
            seen.add(line.to)
        if self.dataset.profile and not (self.schema_.profile or self.schema_.id):
            raise Wrong("false, or `schema.profile: true`, which it needs", key="dataset.profile")
        if self.dataset.upsert and not raw:
            raise Wrong("false: only raw records can be upserts", key="dataset.upsert")
        if self.agent != AgentSettings() and not isinstance(self.source, HttpInlet):
            text = "nothing here: the platform fetches from this source itself, without an agent"
            raise Wrong(text, key="agent")
        return self

    @property
    def dataset_name(self) -> str:
        """The name of the dataset that is made."""
        return self.dataset.name or self.flow.name
