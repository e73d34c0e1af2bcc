"""What are the connections of a flow: to where records come from, and to where they go?

[Flow Service; platform facts 3.1 to 3.4]
"""

from collections.abc import Mapping
from typing import Any

from agent.aep.platform import Platform
from agent.provision.manifest import credentials
from agent.provision.manifest.source import EventHubs, HttpInlet, Kinesis
from agent.provision.objects.flow_service import FlowServiceKind
from agent.provision.objects.kind import Cure, Difference, Found, Known

SPECS: Mapping[str, str] = {
    "http": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb",
    "kinesis": "86043421-563b-46ec-8e6c-e23184711bf6",
    "eventhubs": "bf9f5905-92b7-48bf-bf20-455bc6b60a4e",
    "pubsub": "70116022-a743-464a-bbfe-e226a7f8210c",
}
DATA_LAKE = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"
SCHEMA_VERSION = "application/vnd.adobe.xed-full+json;version=1"
_ANOTHER = "it cannot be changed; `aep-agent provision destroy` first, or write another flow.name"


class BaseConnection(FlowServiceKind):
    """Who may read from the source; for HTTP, the inlet itself."""

    noun = "base connection"
    group = "connections"
    key = "base_connection"

    def distinct(self) -> dict[str, str]:
        return {"connectionSpec.id": SPECS[self.manifest.source.type]}

    def differences(self, found: Found, known: Known) -> list[Difference]:
        shown = _shown_parameters(self.manifest.source)
        now = {path: found.at(f"auth.params.{path}") for path in shown}
        if isinstance(self.manifest.source, HttpInlet):
            # only an inlet that asks for tokens says so
            path = "authenticationRequired"
            shown[path] = self.manifest.source.authenticated
            now[path] = found.at(f"auth.params.{path}") or False
        wrong = [
            Difference(path, now[path], wanted, Cure.REFUSE, _ANOTHER)
            for path, wanted in shown.items()
            if _differs(now[path], wanted)
        ]
        return [*wrong, *self.described(found)]

    async def create(self, platform: Platform, known: Known) -> str:
        body = {
            **self.told(),
            "connectionSpec": {"id": SPECS[self.manifest.source.type], "version": "1.0"},
            "auth": self.auth(),
        }
        return (await platform.flow.create(self.group, body)).id

    def learn(self, found: Found, known: Known) -> None:
        url = found.at("auth.params.inletUrl") or found.at("params.inletUrl")
        known.inlet_url = known.inlet_url or url

    def auth(self) -> dict[str, Any]:
        """Who may read, with the secrets; this goes into a call and nowhere else."""
        source = self.manifest.source
        shown = _shown_parameters(source)
        if isinstance(source, HttpInlet):
            spec, secrets = "Streaming Connection", {"name": self.name, "sourceId": self.name}
        elif isinstance(source, Kinesis):
            spec = "Aws Kinesis authentication credentials"
            secrets = {
                "accessKeyId": credentials.access_key_id(source),
                "secretKey": credentials.secret_key(source),
            }
        elif isinstance(source, EventHubs):
            spec = "Azure EventHub authentication credentials"
            secrets = {"sasKey": credentials.sas_key(source)}
        else:
            by_project = source.project is not None
            spec = f"{'Project' if by_project else 'Topic & Subscription'} Based Authentication"
            secrets = {"credentials": credentials.google_key(source)}
        return {"specName": spec, "params": {**shown, **secrets}}


class SourceConnection(FlowServiceKind):
    """What is read from the source."""

    noun = "source connection"
    group = "sourceConnections"
    key = "source_connection"

    def distinct(self) -> dict[str, str]:
        return {"connectionSpec.id": SPECS[self.manifest.source.type]}

    def differences(self, found: Found, known: Known) -> list[Difference]:
        wrong = []
        base = found.body.get("baseConnectionId") or found.body.get("connectionId")
        if base != known.id("base_connection"):
            wanted = known.id("base_connection")
            wrong.append(Difference("baseConnectionId", base, wanted, Cure.REPLACE))
        for path, wanted in self.parameters().items():
            if _differs(now := found.at(f"params.{path}"), wanted):
                wrong.append(Difference(f"params.{path}", now, wanted, Cure.REPLACE))
        return [*wrong, *self.described(found)]

    async def create(self, platform: Platform, known: Known) -> str:
        parameters = self.parameters()
        body = {
            **self.told(),
            "baseConnectionId": known.id("base_connection"),
            "connectionSpec": {"id": SPECS[self.manifest.source.type], "version": "1.0"},
            "data": {"format": "json"},
            **({"params": parameters} if parameters else {}),
        }
        return (await platform.flow.create(self.group, body)).id

    def is_settled(self, found: Found, known: Known) -> bool:
        has_inlet = known.inlet_url or found.at("params.inletUrl")
        needs_inlet = isinstance(self.manifest.source, HttpInlet)
        return super().is_settled(found, known) and bool(has_inlet or not needs_inlet)

    def learn(self, found: Found, known: Known) -> None:
        known.inlet_url = known.inlet_url or found.at("params.inletUrl")

    def parameters(self) -> dict[str, str]:
        """What is read, in the words of the source."""
        source = self.manifest.source
        if isinstance(source, HttpInlet):
            return {}
        if isinstance(source, Kinesis):
            what = {"stream": source.stream, "reset": source.reset}
        elif isinstance(source, EventHubs):
            what = {
                "eventHubName": source.event_hub,
                "reset": source.reset,
                "consumerGroup": source.consumer_group,
            }
        else:
            what = {"topicName": source.topic, "subscriptionName": source.subscription}
        return {**what, "dataType": source.data_type}


class TargetConnection(FlowServiceKind):
    """Which dataset records land in."""

    noun = "target connection"
    group = "targetConnections"
    key = "target_connection"

    def distinct(self) -> dict[str, str]:
        return {"connectionSpec.id": DATA_LAKE}

    def differences(self, found: Found, known: Known) -> list[Difference]:
        wrong = []
        for path, wanted in (
            ("params.dataSetId", known.id("dataset")),
            ("data.schema.id", known.id("schema")),
        ):
            now = found.at(path)
            if now != wanted and not (now is None and path.startswith("data.")):
                wrong.append(Difference(path, now, wanted, Cure.REPLACE))
        return [*wrong, *self.described(found)]

    async def create(self, platform: Platform, known: Known) -> str:
        version = f"{SCHEMA_VERSION}.0"
        body = {
            **self.told(),
            "connectionSpec": {"id": DATA_LAKE, "version": "1.0"},
            "data": {
                "format": "parquet_xdm",
                "schema": {"id": known.id("schema"), "version": version},
            },
            "params": {"dataSetId": known.id("dataset")},
        }
        return (await platform.flow.create(self.group, body)).id


def _shown_parameters(source: Any) -> dict[str, Any]:
    """Those parameters of a base connection that are no secrets."""
    if isinstance(source, HttpInlet):
        authenticated = {"authenticationRequired": True} if source.authenticated else {}
        return {"dataType": source.data_type, **authenticated}
    if isinstance(source, Kinesis):
        return {"region": source.region}
    if isinstance(source, EventHubs):
        return {"sasKeyName": source.sas_key_name, "namespace": source.namespace}
    if source.project is not None:
        return {"projectId": source.project}
    return {"topicName": source.topic, "subscriptionName": source.subscription}


def _differs(found: Any, wanted: Any) -> bool:
    """Whether the platform says something else; what it does not say may well be so."""
    return found is not None and str(found).lower() != str(wanted).lower()
