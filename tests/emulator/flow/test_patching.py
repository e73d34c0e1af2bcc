"""PATCH: what may be changed, and what must come with it."""

from typing import Any

import pytest

from agent.emulator.flow.patching import patched
from agent.emulator.flow.problems import Problem
from emulator.flow.conftest import OLD_SOURCE_BODY, ROOT, FlowService, code

BODY = {"name": "one", "transformations": [{"name": "Mapping"}], "description": "d"}


def test_operations_apply_to_a_copy() -> None:
    operations = [
        {"op": "replace", "path": "/transformations/0", "value": {"name": "Other"}},
        {"op": "add", "path": "/labels", "value": ["a"]},
        {"op": "remove", "path": "/description"},
    ]
    assert patched(BODY, operations) == {
        "name": "one",
        "transformations": [{"name": "Other"}],
        "labels": ["a"],
    }
    assert BODY["description"] == "d"


def test_a_lone_operation_is_taken_too() -> None:
    operation = {"op": "replace", "path": "/name", "value": "two"}
    assert patched(BODY, operation)["name"] == "two"


@pytest.mark.parametrize(
    ("operations", "wanted"),
    [
        ([], "1405-400"),
        (None, "1405-400"),
        ([{"op": "move", "from": "/name", "path": "/title"}], "1434-400"),
        ([{"op": "test", "path": "/name", "value": "one"}], "1434-400"),
        ([{"op": "replace", "path": "/keyWhichDoesNotExist", "value": 1}], "1455-400"),
        ([{"op": "replace", "path": "/name"}], "1455-400"),
        ([{"op": "replace", "value": 1}], "1455-400"),
        ([{"op": "replace", "path": "name", "value": 1}], "1455-400"),
        ([{"op": "replace", "path": "/etag", "value": "mine"}], "1455-400"),
        ([{"op": "replace", "path": "/inheritedAttributes/x", "value": 1}], "1455-400"),
        ([{"op": "replace", "path": "/connectionSpec/id", "value": "x"}], "1414-400"),
        (["replace"], "1455-400"),
        ("replace", "1455-400"),
    ],
)
def test_operations_that_make_no_sense_are_refused(operations: Any, wanted: str) -> None:
    with pytest.raises(Problem) as refused:
        patched(BODY, operations)
    assert refused.value.code == wanted


async def test_a_change_needs_the_present_etag_and_gives_a_new_one(
    flow_service: FlowService,
) -> None:
    base_id = await flow_service.base()
    path, calls = f"{ROOT}/connections/{base_id}", flow_service.calls
    operations = [{"op": "replace", "path": "/name", "value": "Renamed"}]
    before = await flow_service.item("connections", base_id)
    assert code(await calls.patch(path, operations)) == "1403-400"
    changed = await calls.patch(f"{path}/", operations, headers={"If-Match": before["etag"]})
    assert changed.status == 200
    assert changed.body["id"] == base_id
    stale = await calls.patch(path, operations, headers={"If-Match": before["etag"]})
    assert code(stale) == "1404-412"
    item = await flow_service.item("connections", base_id)
    assert (item["name"], item["etag"]) == ("Renamed", changed.body["etag"])
    assert item["createdAt"] == before["createdAt"]
    assert item["auth"] == before["auth"]


async def test_an_inlet_outlives_any_change_of_its_connection(flow_service: FlowService) -> None:
    base_id = await flow_service.base()
    before = (await flow_service.item("connections", base_id))["auth"]["params"]
    params = {"dataType": "xdm", "inletId": "ab" * 32, "inletUrl": "http://elsewhere"}
    answer = await flow_service.patch(
        "connections", base_id, {"op": "replace", "path": "/auth/params", "value": params}
    )
    assert answer.status == 200
    after = (await flow_service.item("connections", base_id))["auth"]["params"]
    assert (after["dataType"], after["inletUrl"]) == ("xdm", before["inletUrl"])


async def test_what_a_change_makes_of_a_connection_must_make_sense(
    flow_service: FlowService,
) -> None:
    base_id = await flow_service.base()
    before = await flow_service.item("connections", base_id)
    wrong_type = {"op": "replace", "path": "/auth/params/dataType", "value": "csv"}
    assert code(await flow_service.patch("connections", base_id, wrong_type)) == "1100-400"
    wrong_state = {"op": "replace", "path": "/state", "value": "delete-finalizing"}
    assert code(await flow_service.patch("connections", base_id, wrong_state)) == "1456-400"
    assert await flow_service.item("connections", base_id) == before


async def test_a_source_connection_in_the_old_form_keeps_its_inlet_over_a_change(
    flow_service: FlowService,
) -> None:
    source_id = await flow_service.make("sourceConnections", OLD_SOURCE_BODY)
    before = (await flow_service.item("sourceConnections", source_id))["params"]
    renamed = {"op": "replace", "path": "/name", "value": "Renamed"}
    assert (await flow_service.patch("sourceConnections", source_id, renamed)).status == 200
    after = await flow_service.item("sourceConnections", source_id)
    assert (after["name"], after["params"]["inletId"]) == ("Renamed", before["inletId"])
