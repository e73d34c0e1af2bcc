"""A flow whose schema has a rule of every kind, made through our clients as anybody would."""

import asyncio
from dataclasses import dataclass
from typing import Any

from agent.aep.platform import Platform
from support.emulator import Remote
from support.flows_made import DATA_LAKE, FULL, HTTP_API, PROFILE
from support.flows_made import platform as platform_at

WITH_MAPPING = {"id": "c1a19761-d2c7-4702-b9fa-fe91f0613e81", "version": "1.0"}
WITHOUT_MAPPING = {"id": "d8a6f005-7eaf-4153-983e-e8574508b877", "version": "1.0"}
DETAILS = "https://ns.adobe.com/xdm/context/profile-person-details"
EVENT = "https://ns.adobe.com/xdm/context/experienceevent"
TEXT = {"type": "string"}
ORDER = {
    "type": "object",
    "required": ["id"],
    "properties": {
        "id": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]+$"},
        "total": {"type": "number", "minimum": 0, "exclusiveMaximum": 10000},
        "count": {"type": "integer", "minimum": 1, "maximum": 99},
        "state": {"type": "string", "enum": ["open", "paid", "sent"]},
        "code": {"type": "string", "minLength": 2, "maxLength": 5},
        "paid": {"type": "boolean"},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "page": {"type": "string", "format": "uri"},
        "mail": {"type": "string", "format": "email"},
        "tags": {
            "type": "array",
            "items": TEXT,
            "minItems": 1,
            "maxItems": 3,
            "uniqueItems": True,
        },
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["sku"],
                "properties": {"sku": TEXT, "price": {"type": "number", "minimum": 0}},
            },
        },
        "notes": {"type": "object", "additionalProperties": {"type": "integer"}},
        "shop": {"type": "object", "properties": {"name": TEXT, "size": {"type": "integer"}}},
    },
}
OWN = "_emulated.order"
MAPPINGS = [
    *(
        {"sourceType": "ATTRIBUTE", "source": name, "destination": f"{OWN}.{name}"}
        for name in (
            *("total", "count", "state", "code", "paid", "day", "at", "page", "mail", "tags"),
            *("lines", "notes", "shop"),
        )
    ),
    {"sourceType": "EXPRESSION", "source": 'concat(region, "-", id)', "destination": f"{OWN}.id"},
    {
        "sourceType": "EXPRESSION",
        "source": "to_integer(born)",
        "destination": "person.birthYear",
    },
    {"sourceType": "ATTRIBUTE", "source": "name", "destination": "person.name.firstName"},
    {"sourceType": "STATIC", "source": "web", "destination": "person.name.suffix"},
]


@dataclass(frozen=True)
class Made:
    """A flow, and where to send its records."""

    flow_id: str
    name: str
    inlet_url: str
    dataset_id: str
    schema_id: str


async def make_flow(
    platform: Platform,
    name: str = "orders",
    *,
    mapped: bool = True,
    parts: tuple[str, ...] = (PROFILE, DETAILS),
    tags: dict[str, list[str]] | None = None,
    identity: str | None = "/_emulated/order/id",
) -> Made:
    """A flow into a schema with orders in it; of raw records that are mapped, or of XDM."""
    own = {"type": "object", "properties": {"_emulated": {"properties": {"order": ORDER}}}}
    own["properties"]["_emulated"]["type"] = "object"
    group = await platform.schemas.create(
        "fieldgroups",
        {
            "type": "object",
            "title": f"{name} fields",
            "description": "tests",
            "meta:intendedToExtend": [parts[0]],
            "definitions": {"customFields": own},
            "allOf": [{"$ref": "#/definitions/customFields"}],
        },
    )
    refs = [*parts, group["$id"]]
    schema = await platform.schemas.create(
        "schemas",
        {
            "type": "object",
            "title": name,
            "description": "tests",
            "allOf": [{"$ref": ref} for ref in refs],
        },
    )
    if identity is not None:
        await platform.schemas.describe(
            {
                "@type": "xdm:descriptorIdentity",
                "xdm:sourceSchema": schema["$id"],
                "xdm:sourceVersion": 1,
                "xdm:sourceProperty": identity,
                "xdm:namespace": "CRMID",
                "xdm:property": "xdm:code",
                "xdm:isPrimary": True,
            }
        )
    schema_ref = {"id": schema["$id"], "contentType": FULL}
    dataset = await platform.catalog.create_dataset(
        {"name": name, "schemaRef": schema_ref, "tags": tags or {}}
    )
    flow_id, inlet_url = await _connected(platform, name, schema["$id"], dataset, mapped=mapped)
    return Made(flow_id, name, inlet_url, dataset, schema["$id"])


def made(emulator: Remote, **how: Any) -> Made:
    """The same for a test without a loop, on an emulator that runs beside it."""

    async def make() -> Made:
        async with platform_at(f"http://127.0.0.1:{emulator.port}") as platform:
            return await make_flow(platform, **how)

    return asyncio.run(make())


async def _connected(
    platform: Platform, name: str, schema_id: str, dataset: str, *, mapped: bool
) -> tuple[str, str]:
    flow, made = platform.flow, {"name": name, "connectionSpec": HTTP_API}
    auth: dict[str, Any] = {
        "specName": "Streaming Connection",
        "params": {"dataType": "raw" if mapped else "xdm", "name": name},
    }
    base = await flow.create("connections", {**made, "auth": auth})
    source = await flow.create(
        "sourceConnections", {**made, "baseConnectionId": base.id, "data": {"format": "json"}}
    )
    target = await flow.create(
        "targetConnections",
        {
            "name": name,
            "connectionSpec": DATA_LAKE,
            "data": {"schema": {"id": schema_id, "version": FULL}},
            "params": {"dataSetId": dataset},
        },
    )
    body: dict[str, Any] = {
        "name": name,
        "flowSpec": WITH_MAPPING if mapped else WITHOUT_MAPPING,
        "sourceConnectionIds": [source.id],
        "targetConnectionIds": [target.id],
    }
    if mapped:
        schema_ref = {"id": schema_id, "contentType": FULL}
        mapping = await platform.dataprep.create(
            {"name": name, "outputSchema": {"schemaRef": schema_ref}, "mappings": MAPPINGS}
        )
        params = {"mappingId": mapping["id"], "mappingVersion": 0}
        body["transformations"] = [{"name": "Mapping", "params": params}]
    whole = await flow.create("flows", body)
    inlet_url = (await flow.get("connections", base.id))["auth"]["params"]["inletUrl"]
    return whole.id, inlet_url
