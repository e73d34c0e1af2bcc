"""Flows: what they are made of, what they show, when they are enabled, and what they did."""

from typing import Any

import pytest

from agent.emulator.flow import runs
from agent.emulator.flow.specs import (
    KINESIS,
    OPTIONAL_TRANSFORMATION,
    WITH_TRANSFORMATION,
    WITHOUT_TRANSFORMATION,
)
from emulator.flow.conftest import ROOT, SCHEMA, FlowService, code

OTHER_SCHEMA = "https://ns.adobe.com/acme/schemas/0123456789abcdef"
ALT_ID = "_acme.schemas." + SCHEMA.rpartition("/")[2]


def _mapping(id_: Any, version: Any = 0) -> dict[str, Any]:
    params = {"mappingId": id_, "mappingVersion": version}
    return {"transformations": [{"name": "Mapping", "params": params}]}


async def test_a_flow_shows_where_its_records_come_from_and_go_to(
    flow_service: FlowService,
) -> None:
    body = await flow_service.flow_body()
    flow_id = await flow_service.make("flows", body)
    item = await flow_service.item("flows", flow_id)
    assert item["transformations"] == body["transformations"]
    assert (item["state"], item["flowSpec"]) == ("enabled", body["flowSpec"])
    (source,) = item["inheritedAttributes"]["sourceConnections"]
    (target,) = item["inheritedAttributes"]["targetConnections"]
    assert [source["id"]] == body["sourceConnectionIds"]
    assert [target["id"]] == body["targetConnectionIds"]
    assert source["baseConnection"]["connectionSpec"] == source["connectionSpec"]
    assert item["runs"] == f"/runs?property=flowId=={flow_id}"
    assert item["lastOperation"]["operation"] == "create"


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ({"state": "enabled"}, "1410-400"),
        ({"flowSpec": {"id": "no-such"}}, "1413-400"),
        ({"flowSpec": None}, "1413-400"),
        ({"name": ""}, "1100-400"),
        ({"sourceConnectionIds": []}, "1100-400"),
        ({"sourceConnectionIds": ["a", "b"]}, "1100-400"),
        ({"sourceConnectionIds": ["no-such"]}, "1439-400"),
        ({"targetConnectionIds": ["no-such"]}, "1439-400"),
        ({"transformations": []}, "1100-400"),
        ({"transformations": "Mapping"}, "1100-400"),
        ({"transformations": [{"name": "mapping", "params": {"mappingId": "m"}}]}, "1100-400"),
        ({"transformations": [{"name": "Mapping", "params": {}}]}, "1100-400"),
        (_mapping("no-such"), "1419-400"),
    ],
)
async def test_a_flow_that_makes_no_sense_is_refused(
    flow_service: FlowService, changed: dict[str, Any], wanted: str
) -> None:
    body = await flow_service.flow_body(**changed)
    assert code(await flow_service.calls.post(f"{ROOT}/flows", body)) == wanted
    assert (await flow_service.calls.get(f"{ROOT}/flows?count=true")).body == {"count": 0}


@pytest.mark.parametrize("version", [0, "0"])
async def test_a_mapping_version_is_a_number_written_either_way(
    flow_service: FlowService, version: Any
) -> None:
    await flow_service.flow(**_mapping(flow_service.mapping(), version))


@pytest.mark.parametrize("version", [1, "1", "latest", None, True, -1])
async def test_a_mapping_version_that_is_not_there_is_refused(
    flow_service: FlowService, version: Any
) -> None:
    body = await flow_service.flow_body(**_mapping(flow_service.mapping(), version))
    assert code(await flow_service.calls.post(f"{ROOT}/flows", body)) == "1412-400"


@pytest.mark.parametrize(
    ("schema", "version", "wanted"),
    [
        (SCHEMA, "1.0", 201),
        (ALT_ID, "1.0", 201),
        (SCHEMA, "1", 201),
        (SCHEMA, "2.0", 400),
        (OTHER_SCHEMA, "1.0", 400),
    ],
)
async def test_the_mapping_and_the_dataset_must_have_the_same_schema(
    flow_service: FlowService, schema: str, version: str, wanted: int
) -> None:
    body = await flow_service.flow_body(**_mapping(flow_service.mapping(schema, version)))
    answer = await flow_service.calls.post(f"{ROOT}/flows", body)
    assert answer.status == wanted
    if wanted == 400:
        assert code(answer) == "1425-400"


async def test_an_earlier_version_of_a_mapping_can_be_named(flow_service: FlowService) -> None:
    kept = flow_service.emulator.platform.mapping_sets
    id_ = flow_service.mapping()
    old = kept.get(id_)
    assert old is not None
    other = {"version": 1, "xdmSchema": OTHER_SCHEMA, "xdmVersion": "1.0"}
    kept.replace(id_, {**other, "earlier": {"0": old.body}})
    answers = []
    for version in (0, 1, 2):
        body = await flow_service.flow_body(**_mapping(id_, version))
        answers.append(await flow_service.calls.post(f"{ROOT}/flows", body))
    assert answers[0].status == 201
    assert [code(answer) for answer in answers[1:]] == ["1425-400", "1412-400"]


async def test_the_schema_of_a_mapping_in_todays_vocabulary_is_compared_too(
    flow_service: FlowService,
) -> None:
    content_type = "application/vnd.adobe.xed-full+json;version=1.0"
    answers = []
    for schema in (SCHEMA, OTHER_SCHEMA):
        ref = {"id": schema, "contentType": content_type}
        made = flow_service.emulator.platform.mapping_sets.add(
            {"version": 0, "outputSchema": {"schemaRef": ref}, "earlier": {}}
        )
        body = await flow_service.flow_body(**_mapping(made.id))
        answers.append((await flow_service.calls.post(f"{ROOT}/flows", body)).status)
    assert answers == [201, 400]


async def test_a_dataset_that_is_not_there_is_named(flow_service: FlowService) -> None:
    target_id = await flow_service.target("5f7187bac6d00f194fb937c0")
    body = await flow_service.flow_body(targetConnectionIds=[target_id])
    refused = await flow_service.calls.post(f"{ROOT}/flows", body)
    assert code(refused) == "1425-400"
    assert "there is no such dataset" in refused.body["errorMessage"]


@pytest.mark.parametrize("spec", [WITHOUT_TRANSFORMATION, OPTIONAL_TRANSFORMATION])
async def test_some_flow_specs_need_no_mapping(flow_service: FlowService, spec: str) -> None:
    await flow_service.flow(flowSpec={"id": spec, "version": "1.0"}, transformations=[])


async def test_a_flow_spec_supports_some_connectors_only(flow_service: FlowService) -> None:
    spec = {"id": KINESIS, "version": "1.0"}
    params = {"accessKeyId": "A", "secretKey": "S", "region": "eu-west-1"}
    auth = {"specName": "Aws Kinesis authentication credentials", "params": params}
    base_id = await flow_service.base(connectionSpec=spec, auth=auth)
    source_id = await flow_service.source(base_id, connectionSpec=spec, params={"stream": "s"})
    body = await flow_service.flow_body(sourceConnectionIds=[source_id])
    refused = await flow_service.calls.post(f"{ROOT}/flows", body)
    assert "does not support the connection spec" in refused.body["errorMessage"]
    body["flowSpec"] = {"id": OPTIONAL_TRANSFORMATION}
    assert (await flow_service.calls.post(f"{ROOT}/flows", body)).status == 201


@pytest.mark.parametrize(
    "changed",
    [{"data": None}, {"params": {}}, {"params": None}, {"params": {"dataSetId": 7}}],
)
async def test_a_target_connection_needs_a_format_or_schema_and_a_dataset(
    flow_service: FlowService, changed: dict[str, Any]
) -> None:
    body = {
        "name": "Target",
        "connectionSpec": {"id": "c604ff05-7f1a-43c0-8e18-33bf874cb11c", "version": "1.0"},
        "data": {"schema": {"id": SCHEMA, "version": "1.0"}},
        "params": {"dataSetId": flow_service.dataset()},
    }
    path = f"{ROOT}/targetConnections"
    assert (await flow_service.calls.post(path, body)).status == 201
    assert code(await flow_service.calls.post(path, body | changed)) == "1100-400"


async def test_a_flow_changes_to_another_mapping_only_if_that_one_fits(
    flow_service: FlowService,
) -> None:
    flow_id = await flow_service.flow()
    fits, does_not = flow_service.mapping(), flow_service.mapping(OTHER_SCHEMA)

    def to(mapping_id: str) -> dict[str, Any]:
        value = _mapping(mapping_id)["transformations"][0]
        return {"op": "replace", "path": "/transformations/0", "value": value}

    assert code(await flow_service.patch("flows", flow_id, to(does_not))) == "1425-400"
    assert (await flow_service.patch("flows", flow_id, to(fits))).status == 200
    item = await flow_service.item("flows", flow_id)
    assert item["transformations"][0]["params"]["mappingId"] == fits
    assert item["lastOperation"]["operation"] == "update"
    assert item["createdAt"] <= item["updatedAt"]


async def test_a_flow_is_disabled_and_enabled_again(flow_service: FlowService) -> None:
    flow_id = await flow_service.flow()
    path = f"{ROOT}/flows/{flow_id}/action"
    before = await flow_service.item("flows", flow_id)
    disabled = await flow_service.calls.post(f"{path}?op=DISABLE")
    assert disabled.status == 200
    assert disabled.body["etag"] != before["etag"]
    item = await flow_service.item("flows", flow_id)
    assert (item["state"], item["lastOperation"]["operation"]) == ("disabled", "disable")
    again = await flow_service.calls.post(f"{path}?op=disable")
    assert again.body == disabled.body
    stale = await flow_service.calls.post(f"{path}?op=ENABLE", headers={"If-Match": before["etag"]})
    assert code(stale) == "1404-412"
    await flow_service.calls.post(f"{path}?op=ENABLE&subOp=APPLY")
    assert (await flow_service.item("flows", flow_id))["state"] == "enabled"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", "2119-400"),
        ("?op=REVERSE", "1100-400"),
        ("?op=FINALIZE", "1402-400"),
        ("?op=FINALIZE_UPDATE", "1402-400"),
        ("?op=PUBLISH", "1422-400"),
        ("?op=ENABLE&subOp=REVERSE", "1435-400"),
        ("?op=ENABLE&subOp=PROGRESS", "1436-400"),
        ("?op=FINALIZE&subOp=PROGRESS,APPLY", "1406-400"),
    ],
)
async def test_an_action_that_cannot_be_done_is_refused(
    flow_service: FlowService, query: str, wanted: str
) -> None:
    flow_id = await flow_service.flow()
    path = f"{ROOT}/flows/{flow_id}/action{query}"
    assert code(await flow_service.calls.post(path)) == wanted


async def test_specs_are_found_as_the_tutorial_does_and_by_id(flow_service: FlowService) -> None:
    calls = flow_service.calls
    named = "flowSpecs?property=name==%22Steam%20data%20with%20transformation%22"
    (by_name,) = (await calls.get(f"{ROOT}/{named}")).body["items"]
    (by_id,) = (await calls.get(f"{ROOT}/flowSpecs/{WITH_TRANSFORMATION}")).body["items"]
    corrected = named.replace("Steam", "Stream")
    assert (await calls.get(f"{ROOT}/{corrected}")).body["items"] == [by_id]
    assert by_name == by_id
    assert by_name["transformationSpecs"][0]["spec"]["required"] == ["mappingId"]
    searched = {"queryString": f"id=={WITH_TRANSFORMATION}"}
    (found,) = (await calls.post(f"{ROOT}/flowSpecs/search", searched)).body["items"]
    assert found == by_id
    names = [item["name"] for item in (await calls.get(f"{ROOT}/connectionSpecs")).body["items"]]
    assert names == [
        "Streaming connection",
        "Amazon Kinesis",
        "Azure Event Hubs",
        "Google PubSub",
        "Data Lake",
    ]
    assert code(await calls.get(f"{ROOT}/flowSpecs/no-such")) == "1439-404"
    assert code(await calls.post(f"{ROOT}/flowSpecs", {"name": "mine"})) == "1426-400"
    assert code(await calls.put(f"{ROOT}/connectionSpecs/x", {"name": "mine"})) == "1426-400"


async def test_runs_tell_what_a_flow_did_in_each_quarter_of_an_hour(
    flow_service: FlowService,
) -> None:
    flow_id, ms = await flow_service.flow(), 1_700_000_100_000
    flow_service.batch(flow_id, ms, 5)
    flow_service.batch(flow_id, ms + 1000, 1)
    flow_service.batch(flow_id, ms + 1000, 2, why="Mapper Transform Error")
    flow_service.batch(flow_id, ms + 2000, 1, why="Mapper Transform Error")
    flow_service.batch(flow_id, ms + runs.WINDOW_MS, 7)
    flow_service.batch("no such flow", ms, 7)
    path = f"{ROOT}/runs?property=flowId=={flow_id}&orderby=createdAt"
    first, second = (await flow_service.calls.get(path)).body["items"]
    metrics = first["metrics"]
    assert metrics["recordSummary"] == {
        "inputRecordCount": 9,
        "outputRecordCount": 6,
        "failedRecordCount": 3,
    }
    assert metrics["sizeSummary"] == {"inputBytes": 90, "outputBytes": 60}
    error = {"code": "MAPPER-3700-400", "message": "Mapper Transform Error"}
    assert metrics["statusSummary"] == {"status": "partial", "errors": [error]}
    assert metrics["durationSummary"]["completedAtUTC"] == ms + 2000
    assert second["metrics"]["recordSummary"]["outputRecordCount"] == 7
    last = (await flow_service.item("flows", flow_id))["lastRunDetails"]
    assert (last["id"], last["state"]) == (second["id"], "success")
    assert (await flow_service.item("runs", first["id"])) == first
    searched = {"queryString": f"flowId=={flow_id}", "count": True}
    found = await flow_service.calls.post(f"{ROOT}/runs/search", searched)
    assert found.body == {"count": 2}


async def test_runs_are_written_by_nobody_but_the_platform(flow_service: FlowService) -> None:
    calls = flow_service.calls
    assert code(await calls.post(f"{ROOT}/runs", {"flowId": "x"})) == "1427-400"
    assert code(await calls.put(f"{ROOT}/runs/x", {"flowId": "x"})) == "1427-400"
    assert code(await calls.post(f"{ROOT}/runs/x/action?op=FINALIZE")) == "1427-400"
    assert code(await calls.get(f"{ROOT}/runs/x")) == "1439-404"
