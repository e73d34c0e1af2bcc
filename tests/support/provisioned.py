"""A flow on an emulated platform, its objects put there as the services would have put them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from agent.emulator.platform import Platform

XDM = "https://ns.adobe.com/xdm/"
PROFILE_CLASS = XDM + "context/profile"
EVENT_CLASS = XDM + "context/experienceevent"
PERSON = XDM + "context/profile-person-details"
CONTACT = XDM + "context/profile-personal-details"
SCHEMA = "https://ns.adobe.com/emulated/schemas/people"

_numbers = iter(range(1, 1 << 30))


@dataclass(frozen=True)
class Provisioned:
    """Where to send records, and where they land."""

    flow_id: str
    inlet_id: str
    dataset_id: str
    dataset: str
    schema_id: str


def provision(
    platform: Platform,
    *,
    schema: Iterable[str] = (PROFILE_CLASS, PERSON, CONTACT),
    data_type: str = "raw",
    mapping: Iterable[tuple[str, str]] | None = None,
    identity: str | None = None,
    tags: Mapping[str, list[str]] = {},
    authenticated: bool = False,
    name: str = "people",
) -> Provisioned:
    """A flow to a dataset of a new schema; `mapping` holds (source attribute, destination) pairs.

    `identity` is the path of the primary identity, such as `/personalEmail/address`.
    """
    number = next(_numbers)
    inlet_id, schema_id = f"{number:064x}", f"{SCHEMA}{number}"
    body = {
        "$id": schema_id,
        "meta:resourceType": "schemas",
        "title": f"People {number}",
        "type": "object",
        "meta:class": next(iter(schema)),
        "allOf": [{"$ref": ref} for ref in schema],
    }
    platform.schemas.add(body, id=schema_id)
    if identity is not None:
        platform.descriptors.add(
            {
                "@type": "xdm:descriptorIdentity",
                "xdm:sourceSchema": schema_id,
                "xdm:sourceVersion": 1,
                "xdm:sourceProperty": identity,
                "xdm:namespace": "Email",
                "xdm:isPrimary": True,
            }
        )
    full = "application/vnd.adobe.xed-full+json;version=1"
    dataset = platform.datasets.add(
        {
            "name": f"{name} {number}",
            "schemaRef": {"id": schema_id, "contentType": full},
            "tags": dict(tags),
        }
    )
    params = {"inletId": inlet_id, "dataType": data_type, "authenticationRequired": authenticated}
    base = platform.connections.add({"auth": {"params": params}})
    source = platform.source_connections.add({"name": "people", "baseConnectionId": base.id})
    target = platform.target_connections.add({"params": {"dataSetId": dataset.id}})
    transformations = []
    if mapping is not None:
        kept = _mapping_set(platform, schema_id, mapping)
        transformations = [{"name": "Mapping", "params": {"mappingId": kept, "mappingVersion": 0}}]
    flow = platform.flows.add(
        {
            "name": f"{name} {number}",
            "state": "enabled",
            "sourceConnectionIds": [source.id],
            "targetConnectionIds": [target.id],
            "transformations": transformations,
        }
    )
    return Provisioned(flow.id, inlet_id, dataset.id, f"{name} {number}", schema_id)


def _mapping_set(platform: Platform, schema_id: str, mapping: Iterable[tuple[str, str]]) -> str:
    return platform.mapping_sets.add(
        {
            "version": 0,
            "outputSchema": {"schemaRef": {"id": schema_id}},
            "mappings": [
                {"sourceType": "ATTRIBUTE", "source": source, "destination": destination}
                for source, destination in mapping
            ],
        }
    ).id
