"""Objects of a platform, made through our own clients as a person would with curl."""

from dataclasses import dataclass
from typing import Any

from agent.aep.flow import Ref
from agent.aep.platform import Platform
from agent.config.platform import PlatformSettings
from agent.config.validating import validated

HTTP_API = {"id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0"}
DATA_LAKE = {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"}
WITHOUT_MAPPING = {"id": "d8a6f005-7eaf-4153-983e-e8574508b877", "version": "1.0"}
PROFILE = "https://ns.adobe.com/xdm/context/profile"
DETAILS = "https://ns.adobe.com/xdm/context/profile-person-details"
FULL = "application/vnd.adobe.xed-full+json;version=1"

ACCOUNT = {"org_id": "0123456789ABCDEF@AdobeOrg", "token": "a-token", "api_key": "a-key"}


@dataclass(frozen=True)
class Objects:
    """A flow and all that it stands on."""

    schema: str
    dataset: str
    base: Ref
    source: Ref
    target: Ref
    flow: Ref
    inlet_url: str


def platform(url: str, **settings: Any) -> Platform:
    """A client of the platform at *url*, with any account."""
    chosen = {"url": url, "retry_initial": "5ms", "retry_max": "20ms", **ACCOUNT, **settings}
    return Platform.of(validated(PlatformSettings, chosen))


async def provisioned(platform: Platform, name: str = "orders") -> Objects:
    """A flow of raw records without a mapping, by this name, and all that it stands on."""
    flow = platform.flow
    params = {"dataType": "raw", "name": name}
    auth = {"specName": "Streaming Connection", "params": params}
    made = {"name": name, "connectionSpec": HTTP_API}
    base = await flow.create("connections", {**made, "auth": auth})
    source = await flow.create(
        "sourceConnections", {**made, "baseConnectionId": base.id, "data": {"format": "json"}}
    )
    parts = [{"$ref": PROFILE}, {"$ref": DETAILS}]
    schema = await platform.schemas.create(
        "schemas", {"type": "object", "title": name, "description": "tests", "allOf": parts}
    )
    ref = {"id": schema["$id"], "contentType": FULL}
    dataset = await platform.catalog.create_dataset({"name": name, "schemaRef": ref})
    target = await flow.create(
        "targetConnections",
        {
            "name": name,
            "connectionSpec": DATA_LAKE,
            "data": {"schema": {"id": schema["$id"], "version": FULL}},
            "params": {"dataSetId": dataset},
        },
    )
    whole = await flow.create(
        "flows",
        {
            "name": name,
            "flowSpec": WITHOUT_MAPPING,
            "sourceConnectionIds": [source.id],
            "targetConnectionIds": [target.id],
        },
    )
    inlet_url = (await flow.get("connections", base.id))["auth"]["params"]["inletUrl"]
    return Objects(schema["$id"], dataset, base, source, target, whole, inlet_url)
