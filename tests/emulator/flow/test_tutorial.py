"""Adobe's tutorial on streaming connectors, step by step, with the bodies that it prints.

Ids are those that the steps before have answered. The last body has the commas that the printed one
lacks, and the two names that its mapping speaks of, without which nothing would be mapped.
"""

from typing import Any

import pytest

from emulator.flow.conftest import OLD_SOURCE_BODY, FlowService

CLASS = "https://ns.adobe.com/xdm/context/profile"
DATA = "/data/foundation"
PERSON = {
    "name": "Johnson Smith",
    "location": {
        "city": "Seattle",
        "country": "United State of America",
        "address": "3692 Main Street",
    },
    "gender": "Male",
    "birthday": {"year": 1984, "month": 6, "day": 9},
}


@pytest.fixture
def calls(flow_service: FlowService) -> Any:
    return flow_service.calls


async def test_the_nine_steps_of_the_tutorial(flow_service: FlowService, calls: Any) -> None:
    source = await calls.post(f"{DATA}/flowservice/sourceConnections", OLD_SOURCE_BODY)
    assert source.status == 201
    assert set(source.body) == {"id", "etag"}

    shown = await calls.get(f"{DATA}/flowservice/sourceConnections/{source.body['id']}")
    params = shown.body["items"][0]["params"]
    assert set(params) == {"sourceId", "inletUrl", "inletId", "dataType", "name"}

    title = "Sample schema for a streaming connector"
    schema = await calls.post(
        f"{DATA}/schemaregistry/tenant/schemas",
        {
            "type": "object",
            "title": title,
            "description": title,
            "allOf": [
                {"$ref": CLASS},
                {"$ref": f"{CLASS}-person-details"},
                {"$ref": f"{CLASS}-personal-details"},
            ],
            "meta:containerId": "tenant",
            "meta:resourceType": "schemas",
            "meta:xdmType": "object",
            "meta:class": CLASS,
        },
    )
    assert schema.status == 201

    dataset = await calls.post(
        f"{DATA}/catalog/dataSets?requestDataSource=true",
        {
            "schemaRef": {
                "id": schema.body["$id"],
                "contentType": "application/vnd.adobe.xed-full-notext+json; version=1",
            },
            "fileDescription": {"format": "parquet"},
            "tags": {"identity": ["enabled:true"], "profile": ["enabled:true"]},
            "name": "Test streaming dataset",
        },
    )
    (reference,) = dataset.body
    dataset_id = reference.removeprefix("@/dataSets/")

    target = await calls.post(
        f"{DATA}/flowservice/targetConnections",
        {
            "name": "Streaming target connection",
            "description": "Streaming target connection",
            "connectionSpec": {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"},
            "data": {"format": "parquet_xdm"},
            "params": {"dataSetId": dataset_id},
        },
    )
    assert target.status == 201

    mapping = await calls.post(
        f"{DATA}/conversion/mappingSets",
        {
            "version": 0,
            "xdmSchema": schema.body["meta:altId"],
            "xdmVersion": "1.0",
            "mappings": [
                {
                    "destinationXdmPath": f"person.name.{name}",
                    "sourceAttribute": name,
                    "identity": False,
                    "version": 0,
                }
                for name in ("firstName", "lastName")
            ],
        },
    )
    assert mapping.body["version"] == 0

    named = "property=name==%22Steam%20data%20with%20transformation%22"
    spec = await calls.get(f"{DATA}/flowservice/flowSpecs?{named}")
    (spec_id,) = [item["id"] for item in spec.body["items"]]

    params_of_mapping = {"mappingId": mapping.body["id"], "mappingVersion": 0}
    flow = await calls.post(
        f"{DATA}/flowservice/flows",
        {
            "name": "Streaming dataflow",
            "description": "Streaming dataflow",
            "flowSpec": {"id": spec_id, "version": "1.0"},
            "sourceConnectionIds": [source.body["id"]],
            "targetConnectionIds": [target.body["id"]],
            "transformations": [{"name": "Mapping", "params": params_of_mapping}],
        },
    )
    assert flow.status == 201
    assert set(flow.body) == {"id", "etag"}

    headers = {"x-adobe-flow-id": flow.body["id"]}
    record = {**PERSON, "firstName": "Johnson", "lastName": "Smith"}
    path = params["inletUrl"].removeprefix(flow_service.emulator.listening)
    accepted = await calls.post(path, record, headers=headers)
    assert accepted.status == 200
    assert set(accepted.body) == {"inletId", "xactionId", "receivedTimeMs", "flowId"}

    await calls.post("/_emulator/settle")
    rows = await calls.get(f"/_emulator/datasets/{dataset_id}?limit=10")
    (row,) = rows.body["rows"]
    assert row["entity"]["person"] == {"name": {"firstName": "Johnson", "lastName": "Smith"}}
    runs = await calls.get(f"{DATA}/flowservice/runs?property=flowId=={flow.body['id']}")
    counted = runs.body["items"][0]["metrics"]["recordSummary"]
    assert (counted["outputRecordCount"], counted["failedRecordCount"]) == (1, 0)
