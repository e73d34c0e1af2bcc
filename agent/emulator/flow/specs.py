"""Which connectors and kinds of flow has Adobe declared, and what does each ask for?

The ids are the platform's own and the same in every organisation. There are the four streaming
sources, the data lake as a target, and the three flow specs that lead from those to that; one of
them is spelt "Steam", as the platform has it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

HTTP_API = "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb"
KINESIS = "86043421-563b-46ec-8e6c-e23184711bf6"
EVENT_HUBS = "bf9f5905-92b7-48bf-bf20-455bc6b60a4e"
PUBSUB = "70116022-a743-464a-bbfe-e226a7f8210c"
DATA_LAKE = "c604ff05-7f1a-43c0-8e18-33bf874cb11c"
PROVIDER = "521eee4d-8cbe-4906-bb48-fb6bd4450033"
WITHOUT_TRANSFORMATION = "d8a6f005-7eaf-4153-983e-e8574508b877"
WITH_TRANSFORMATION = "c1a19761-d2c7-4702-b9fa-fe91f0613e81"
WITH_TRANSFORMATION_NAME = "Steam data with transformation"
OPTIONAL_TRANSFORMATION = "d69717ba-71b4-4313-b654-49f9cf126d7a"
MAPPING = "Mapping"
STREAMING = "Streaming Connection"

_SCHEMA = "http://json-schema.org/draft-07/schema#"
_OTHER_SOURCES = ("d27d4907-7351-47dd-bbc2-05a04365703d", "51ae16c2-bdad-42fd-9fce-8d5dfddaf140")
_OTHER_TARGET = "db4fe783-ef79-4a12-bda9-32b2b1bc3b2c"


@dataclass(frozen=True, slots=True)
class AuthSpec:
    """One way to authenticate: which parameters there are, and which of them nobody may read."""

    name: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """As connectionSpecs shows it."""
        properties = {name: _property(name, self.secret) for name in self.required + self.optional}
        return {"name": self.name, "type": "KeyBased", "spec": _object(properties, self.required)}


@dataclass(frozen=True, slots=True)
class Connector:
    """A streaming source, and what its connections must say."""

    id: str
    name: str
    auth: tuple[AuthSpec, ...]
    required: tuple[str, ...] = ()  # of a source connection's params
    optional: tuple[str, ...] = ()

    def auth_spec(self, name: str) -> AuthSpec | None:
        """The way to authenticate that has this name."""
        return next((each for each in self.auth if each.name == name), None)

    def as_json(self) -> dict[str, Any]:
        """As connectionSpecs shows it."""
        properties = {name: {"type": "string"} for name in self.required + self.optional}
        return {
            "id": self.id,
            "name": self.name,
            "providerId": PROVIDER,
            "version": "1.0",
            "authSpec": [each.as_json() for each in self.auth],
            "sourceSpec": {
                "name": self.name,
                "type": "Streaming",
                "spec": _object(properties, self.required),
                "attributes": {"uiAttributes": {"isSource": True}},
            },
            "attributes": {
                "category": "Streaming",
                "connectorName": self.name,
                "isSource": True,
                "uiAttributes": {"apiFeatures": {"explorePaginationSupported": False}},
            },
            "permissionsInfo": _permissions("StreamingSource"),
        }


CONNECTORS = {
    each.id: each
    for each in (
        Connector(
            HTTP_API,
            "Streaming connection",
            (AuthSpec(STREAMING, ("dataType",), ("sourceId", "name", "authenticationRequired")),),
        ),
        Connector(
            KINESIS,
            "Amazon Kinesis",
            (
                AuthSpec(
                    "Aws Kinesis authentication credentials",
                    ("accessKeyId", "secretKey", "region"),
                    secret=("secretKey",),
                ),
            ),
            ("stream",),
            ("dataType", "reset"),
        ),
        Connector(
            EVENT_HUBS,
            "Azure Event Hubs",
            (
                AuthSpec(
                    "Azure EventHub authentication credentials",
                    ("sasKeyName", "sasKey", "namespace"),
                    ("eventHubName",),
                    secret=("sasKey",),
                ),
            ),
            ("eventHubName",),
            ("dataType", "reset", "consumerGroup"),
        ),
        Connector(
            PUBSUB,
            "Google PubSub",
            (
                AuthSpec(
                    "Project Based Authentication",
                    ("projectId", "credentials"),
                    secret=("credentials",),
                ),
                AuthSpec(
                    "Topic & Subscription Based Authentication",
                    ("credentials", "topicName", "subscriptionName"),
                    secret=("credentials",),
                ),
            ),
            ("topicName", "subscriptionName"),
            ("dataType",),
        ),
    )
}
TARGETS = (DATA_LAKE, EVENT_HUBS)
_LAKE = {
    "id": DATA_LAKE,
    "name": "Data Lake",
    "providerId": PROVIDER,
    "version": "1.0",
    "authSpec": [],
    "targetSpec": {
        "name": "Data Lake",
        "type": "DataLake",
        "spec": {
            "$schema": _SCHEMA,
            "type": "object",
            "properties": {"dataSetId": {"type": "string"}},
            "required": ["dataSetId"],
        },
    },
    "attributes": {"category": "Platform", "isSource": False},
}


def connection_specs() -> list[dict[str, Any]]:
    """What GET /connectionSpecs lists."""
    return [*(each.as_json() for each in CONNECTORS.values()), _LAKE]


def flow_specs() -> list[dict[str, Any]]:
    """What GET /flowSpecs lists."""
    streams = [HTTP_API, EVENT_HUBS, KINESIS, PUBSUB]
    return [
        _flow_spec(WITH_TRANSFORMATION, WITH_TRANSFORMATION_NAME, [*_OTHER_SOURCES, HTTP_API])
        | {"transformationSpecs": [_mapping(["mappingId"])]},
        _flow_spec(
            WITHOUT_TRANSFORMATION,
            "Stream data without transformation",
            [*_OTHER_SOURCES, HTTP_API],
        ),
        _flow_spec(OPTIONAL_TRANSFORMATION, "Stream data with optional transformation", streams)
        | {
            "targetConnectionSpecIds": [EVENT_HUBS, DATA_LAKE, _OTHER_TARGET],
            "transformationSpecs": [_mapping([])],
        },
    ]


def _flow_spec(id_: str, name: str, sources: list[str]) -> dict[str, Any]:
    features = {"deleteSupported": False, "updateSupported": False, "flowRunsSupported": False}
    return {
        "id": id_,
        "name": name,
        "providerId": PROVIDER,
        "version": "1.0",
        "sourceConnectionSpecIds": sources,
        "targetConnectionSpecIds": [DATA_LAKE],
        "transformationSpecs": [],
        "attributes": {"uiAttributes": {"apiFeatures": features}},
        "permissionsInfo": _permissions("StreamingSource"),
    }


def _mapping(required: list[str]) -> dict[str, Any]:
    properties = {"mappingId": {"type": "string"}}
    spec = {
        "$schema": _SCHEMA,
        "type": "object",
        "description": "defines various params required for different mapping from Raw to XDM",
        "properties": properties,
        "required": required,
    }
    return {"name": MAPPING, "spec": spec}


def _permissions(name: str) -> dict[str, Any]:
    def one(permission: str) -> list[dict[str, Any]]:
        return [{"@type": "lowLevel", "name": name, "permissions": [permission]}]

    return {"view": one("read"), "manage": one("write")}


def _object(properties: Mapping[str, Any], required: tuple[str, ...]) -> dict[str, Any]:
    return {
        "$schema": _SCHEMA,
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
    }


def _property(name: str, secret: tuple[str, ...]) -> dict[str, Any]:
    if name == "dataType":
        return {"type": "string", "enum": ["xdm", "raw"]}
    if name == "authenticationRequired":
        return {"type": "boolean", "default": False}
    return {"type": "string", "format": "password"} if name in secret else {"type": "string"}
