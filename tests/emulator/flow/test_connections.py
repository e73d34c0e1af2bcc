"""Base connections and source connections: made in both forms, shown, changed, removed."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.emulator.flow.specs import EVENT_HUBS, HTTP_API, KINESIS, PUBSUB
from emulator.conftest import Start
from emulator.flow.conftest import BASE_BODY, OLD_SOURCE_BODY, ROOT, FlowService, code

SECRET = "not-for-anybody"
OTHERS = [
    (
        KINESIS,
        "Aws Kinesis authentication credentials",
        {"accessKeyId": "A", "secretKey": SECRET, "region": "eu-west-1"},
        {"stream": "clicks", "dataType": "raw", "reset": "latest"},
    ),
    (
        EVENT_HUBS,
        "Azure EventHub authentication credentials",
        {"sasKeyName": "A", "sasKey": SECRET, "namespace": "acme"},
        {"eventHubName": "clicks", "dataType": "raw", "consumerGroup": "aep"},
    ),
    (
        PUBSUB,
        "Project Based Authentication",
        {"projectId": "acme", "credentials": SECRET},
        {"topicName": "clicks", "subscriptionName": "aep", "dataType": "raw"},
    ),
    (
        PUBSUB,
        "Topic & Subscription Based Authentication",
        {"credentials": SECRET, "topicName": "clicks", "subscriptionName": "aep"},
        {"dataType": "raw"},
    ),
]


def _kept_in(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.rglob("*.ndjson"))


async def test_a_new_connection_is_answered_with_its_id_its_etag_and_its_place(
    flow_service: FlowService,
) -> None:
    made = await flow_service.calls.post(f"{ROOT}/connections", BASE_BODY)
    assert made.status == 201
    assert made.headers["Location"] == f"{ROOT}/connections/{made.body['id']}"
    assert made.body["etag"].startswith('"')
    item = await flow_service.item("connections", made.body["id"])
    assert item["etag"] == item["version"] == made.body["etag"]
    assert (item["state"], item["sandboxName"]) == ("enabled", "prod")
    assert item["createdAt"] == item["updatedAt"]


async def test_the_inlet_of_a_connection_is_shown_there_and_at_its_source_connection(
    flow_service: FlowService,
) -> None:
    base_id = await flow_service.base()
    params = (await flow_service.item("connections", base_id))["auth"]["params"]
    assert len(params["inletId"]) == 64
    root = flow_service.emulator.listening
    assert params["inletUrl"] == f"{root}/collection/{params['inletId']}"
    assert (params["sourceId"], params["name"], params["dataType"]) == ("site", "site", "raw")
    source = await flow_service.item("sourceConnections", await flow_service.source(base_id))
    assert source["params"] == params
    assert source["baseConnectionId"] == base_id
    assert source["inheritedAttributes"]["baseConnection"] == {
        "id": base_id,
        "connectionSpec": {"id": HTTP_API, "version": "1.0"},
    }


async def test_a_source_connection_in_the_old_form_makes_the_inlet_itself(
    flow_service: FlowService,
) -> None:
    source_id = await flow_service.make("sourceConnections", OLD_SOURCE_BODY)
    item = await flow_service.item("sourceConnections", source_id)
    assert item["baseConnectionId"] == OLD_SOURCE_BODY["connectionId"]
    assert "connectionId" not in item
    assert item["params"]["dataType"] == "raw"
    assert item["params"]["inletUrl"].endswith(f"/collection/{item['params']['inletId']}")
    assert item["data"] == {"format": "delimited", "schema": None, "properties": None}
    body = await flow_service.flow_body(sourceConnectionIds=[source_id])
    flow_id = await flow_service.make("flows", body)
    async with flow_service.session.post(
        item["params"]["inletUrl"], json={"n": 1}, headers={"x-adobe-flow-id": flow_id}
    ) as answer:
        assert answer.status == 200


async def test_an_old_connection_id_that_exists_is_the_base_connection(
    flow_service: FlowService,
) -> None:
    base_id = await flow_service.base()
    body = {**OLD_SOURCE_BODY, "connectionId": base_id}
    item = await flow_service.item(
        "sourceConnections", await flow_service.make("sourceConnections", body)
    )
    base = await flow_service.item("connections", base_id)
    assert item["params"] == base["auth"]["params"]


@pytest.mark.parametrize(("spec", "auth", "params", "of_source"), OTHERS)
async def test_other_streaming_connectors_have_no_inlet_and_keep_no_secret(
    start: Start,
    tmp_path: Path,
    spec: str,
    auth: str,
    params: dict[str, Any],
    of_source: dict[str, Any],
) -> None:
    service = FlowService(await start(directory=tmp_path))
    spec_ref = {"id": spec, "version": "1.0"}
    base_id = await service.base(connectionSpec=spec_ref, auth={"specName": auth, "params": params})
    item = await service.item("connections", base_id)
    assert set(item["auth"]["params"]) == set(params)
    source_id = await service.source(base_id, connectionSpec=spec_ref, params=of_source)
    source = await service.item("sourceConnections", source_id)
    assert source["params"] == of_source
    assert SECRET not in json.dumps([item, source])
    assert SECRET.encode() not in _kept_in(tmp_path)


@pytest.mark.parametrize(
    ("changed", "wanted", "said"),
    [
        ({"connectionSpec": None}, "1413-400", "connectionSpec.id: missing"),
        ({"connectionSpec": {"id": "no-such"}}, "1413-400", "no-such"),
        ({"auth": None}, "1415-400", "Streaming Connection"),
        ({"auth": {"specName": "Basic", "params": {}}}, "1415-400", "Basic"),
        ({"auth": {"specName": "Streaming Connection"}}, "1100-400", "dataType"),
        (
            {"auth": {"specName": "Streaming Connection", "params": {"dataType": "csv"}}},
            "1100-400",
            "raw or xdm",
        ),
        ({"state": "paused"}, "1456-400", "enabled, disabled, initializing"),
    ],
)
async def test_a_connection_that_makes_no_sense_is_refused(
    flow_service: FlowService, changed: dict[str, Any], wanted: str, said: str
) -> None:
    refused = await flow_service.calls.post(f"{ROOT}/connections", {**BASE_BODY, **changed})
    assert code(refused) == wanted
    assert said in refused.body["errorMessage"]
    assert (await flow_service.calls.get(f"{ROOT}/connections")).body["items"] == []


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", "1405-400"),
        (b"{}", "1405-400"),
        (b"null", "1405-400"),
        (b"{", "1100-400"),
        (b"[1]", "1100-400"),
    ],
)
async def test_a_body_that_is_no_object_is_refused(
    flow_service: FlowService, body: bytes, wanted: str
) -> None:
    assert code(await flow_service.calls.post(f"{ROOT}/connections", body)) == wanted


async def test_a_source_connection_needs_a_base_connection_of_the_same_connector(
    flow_service: FlowService,
) -> None:
    path = f"{ROOT}/sourceConnections"
    body = {key: value for key, value in OLD_SOURCE_BODY.items() if key != "connectionId"}
    assert code(await flow_service.calls.post(path, body)) == "1100-400"
    unknown = {**body, "baseConnectionId": "f6aa6c58-3c3d-4c59-aa6c-583c3d6c599c"}
    assert code(await flow_service.calls.post(path, unknown)) == "1439-400"
    other = {**body, "baseConnectionId": await flow_service.base()}
    other["connectionSpec"] = {"id": KINESIS, "version": "1.0"}
    refused = await flow_service.calls.post(path, other)
    assert "not that of the base connection" in refused.body["errorMessage"]


async def test_a_base_connection_in_use_cannot_be_removed_before_its_flows(
    flow_service: FlowService,
) -> None:
    flow_id = await flow_service.flow()
    flow = await flow_service.item("flows", flow_id)
    (source_id,), (target_id,) = flow["sourceConnectionIds"], flow["targetConnectionIds"]
    base_id = (await flow_service.item("sourceConnections", source_id))["baseConnectionId"]
    calls = flow_service.calls
    assert code(await calls.delete(f"{ROOT}/connections/{base_id}/")) == "1418-400"
    assert code(await calls.delete(f"{ROOT}/sourceConnections/{source_id}")) == "1447-400"
    assert code(await calls.delete(f"{ROOT}/targetConnections/{target_id}")) == "1447-400"
    for path in (
        f"flows/{flow_id}",
        f"targetConnections/{target_id}",
        f"sourceConnections/{source_id}",
        f"connections/{base_id}/",
    ):
        assert (await calls.delete(f"{ROOT}/{path}")).status == 204
        assert code(await calls.get(f"{ROOT}/{path.rstrip('/')}")) == "1439-404"


async def test_the_inlet_is_gone_with_its_connection(flow_service: FlowService) -> None:
    base_id = await flow_service.base()
    url = (await flow_service.item("connections", base_id))["auth"]["params"]["inletUrl"]
    await flow_service.calls.delete(f"{ROOT}/connections/{base_id}")
    async with flow_service.session.post(url, json={}) as answer:
        assert answer.status == 404


async def test_what_was_provisioned_is_there_after_a_restart_at_the_new_address(
    start: Start, tmp_path: Path
) -> None:
    first = await start(directory=tmp_path)
    base_id = await FlowService(first).base()
    params = (await FlowService(first).item("connections", base_id))["auth"]["params"]
    await first.emulator.__aexit__(None, None, None)
    again = FlowService(await start(directory=tmp_path))
    item = await again.item("connections", base_id)
    assert item["auth"]["params"]["inletId"] == params["inletId"]
    assert item["auth"]["params"]["inletUrl"].startswith(again.emulator.listening)


async def test_each_sandbox_has_its_own(flow_service: FlowService) -> None:
    calls = flow_service.calls
    sandboxes = "/data/foundation/sandbox-management/sandboxes"
    await calls.post(sandboxes, {"name": "dev", "title": "Dev", "type": "development"})
    base_id = await flow_service.base()
    in_dev = {"x-sandbox-name": "dev"}
    path = f"{ROOT}/connections"
    assert (await calls.get(path, headers=in_dev)).body["items"] == []
    assert code(await calls.get(f"{path}/{base_id}", headers=in_dev)) == "1439-404"
    made = await calls.call("POST", path, BASE_BODY, headers=in_dev)
    dev_item = (await calls.get(f"{path}/{made.body['id']}", headers=in_dev)).body["items"][0]
    assert dev_item["sandboxName"] == "dev"
    assert code(await calls.get(path, headers={"x-sandbox-id": "some"})) == "2110-400"


async def test_a_connection_can_be_tested(flow_service: FlowService) -> None:
    base_id = await flow_service.base()
    tested = await flow_service.calls.get(f"{ROOT}/connections/{base_id}/test")
    assert tested.body == {"result": True}
    assert code(await flow_service.calls.get(f"{ROOT}/connections/no-such/test")) == "1439-404"
