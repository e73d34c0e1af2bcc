"""Inlets that were provisioned: which there are, and how each takes records."""

from typing import Any

from agent.emulator.inlets import Inlets
from agent.emulator.options import INLET_ID, EmulatorOptions
from agent.emulator.platform import Platform
from emulator.conftest import Client, Start

RAW = "ab" * 32
XDM = "cd" * 32


def _provision(platform: Platform, inlet_id: str = RAW, **params: Any) -> str:
    """A base connection, a source connection and a flow; the flow's id."""
    auth = {"params": {"inletId": inlet_id, "dataType": "raw", **params}}
    base = platform.connections.add({"auth": auth})
    source = platform.source_connections.add({"baseConnectionId": base.id})
    return platform.flows.add({"sourceConnectionIds": [source.id]}).id


def _platform(client: Client) -> Platform:
    return client.emulator.platform


def _url(client: Client, inlet_id: str, path: str = "") -> str:
    return f"{client.emulator.listening}/collection/{path}{inlet_id}"


def test_the_ready_made_inlet_stays_beside_those_that_were_provisioned() -> None:
    platform = Platform()
    flow_id = _provision(platform)
    inlets = Inlets(EmulatorOptions(), platform)
    ready_made, provisioned = inlets.find(INLET_ID), inlets.find(RAW)
    assert ready_made
    assert provisioned
    assert flow_id not in ready_made.flow_ids
    assert provisioned.flow_ids == {flow_id}


def test_a_source_connection_without_a_base_has_an_inlet_of_its_own() -> None:
    platform = Platform()
    inlets = Inlets(EmulatorOptions(), platform)
    assert inlets.find(RAW) is None
    source = platform.source_connections.add(
        {"baseConnectionId": "of nobody", "params": {"inletId": RAW, "dataType": "raw"}}
    )
    flow = platform.flows.add({"sourceConnectionIds": [source.id]})
    found = inlets.find(RAW)
    assert found
    assert found.flow_ids == {flow.id}
    platform.flows.remove(flow.id)
    found = inlets.find(RAW)
    assert found
    assert not found.flow_ids


async def test_a_provisioned_inlet_takes_records_of_its_flow_one_or_many(client: Client) -> None:
    flow_id = _provision(_platform(client))
    headers = {"x-adobe-flow-id": flow_id}
    status, _ = await client.post(_url(client, RAW), b'{"n":1}', headers=headers)
    assert status == 200
    body = b'{"messages":[{"n":2},{"n":3}]}'
    status, _ = await client.post(_url(client, RAW, "batch/"), body, headers=headers)
    assert status == 207
    assert list(client.emulator.records(flow_id=flow_id)) == [b'{"n":1}', b'{"n":2}', b'{"n":3}']


async def test_an_inlet_does_not_know_the_flow_of_another_one(client: Client) -> None:
    _provision(_platform(client))
    ready_made = {"x-adobe-flow-id": client.emulator.flow_id}
    status, answer = await client.post(_url(client, RAW), b"{}", headers=ready_made)
    assert status == 400
    assert f"inletId: [{RAW}]".encode() in answer
    assert b"unknown to this inlet" in answer


async def test_the_form_of_records_is_chosen_by_each_inlet(client: Client) -> None:
    flow_id = _provision(_platform(client), XDM, dataType="xdm")
    status, answer = await client.post(
        _url(client, XDM), b'{"n":1}', headers={"x-adobe-flow-id": flow_id}
    )
    assert status == 400
    assert b"'header' field is mandatory" in answer


async def test_an_inlet_that_asks_for_a_token_takes_any_where_none_is_issued(
    client: Client,
) -> None:
    flow_id = _provision(_platform(client), authenticationRequired=True)
    headers = {"x-adobe-flow-id": flow_id}
    assert (await client.post(_url(client, RAW), b"{}", headers=headers))[0] == 401
    headers["Authorization"] = "Bearer some-token"
    assert (await client.post(_url(client, RAW), b"{}", headers=headers))[0] == 200


async def test_with_an_account_only_issued_tokens_are_good_and_only_where_asked_for(
    start: Start,
) -> None:
    client = await start(client_id="emulated-client")
    flow_id = _provision(_platform(client), authenticationRequired=True)
    headers = {"x-adobe-flow-id": flow_id, "Authorization": "Bearer some-token"}
    assert (await client.post(_url(client, RAW), b"{}", headers=headers))[0] == 401
    flow_id = _provision(_platform(client), XDM)
    headers = {"x-adobe-flow-id": flow_id}
    assert (await client.post(_url(client, XDM), b"{}", headers=headers))[0] == 200
