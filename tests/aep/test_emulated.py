"""Our clients and the emulated platform understand each other, call by call."""

from collections.abc import AsyncIterator

import pytest

from agent.aep.discovery import Wanted, inlet_of
from agent.aep.platform import Platform
from agent.emulator.options import CLIENT_ID, CLIENT_SECRET, EmulatorOptions
from agent.emulator.rules import parse_script
from agent.emulator.server import Emulator
from agent.errors import CredentialsRefused, NotFound, Outdated, PlatformAway, PlatformError
from support.flows_made import platform, provisioned

REPLACED = [{"op": "replace", "path": "/name", "value": "other"}]


@pytest.fixture
async def emulator() -> AsyncIterator[Emulator]:
    async with Emulator(EmulatorOptions()) as running:
        yield running


@pytest.fixture
async def client(emulator: Emulator) -> AsyncIterator[Platform]:
    async with platform(emulator.listening) as found:
        yield found


async def test_a_flow_and_all_it_stands_on_is_made_found_and_removed(client: Platform) -> None:
    made = await provisioned(client)
    found = await inlet_of(client.flow, Wanted("orders"))
    assert (found.flow_id, found.url, found.form) == (made.flow.id, made.inlet_url, "raw")
    assert not found.asks_for_token
    assert [each["$id"] for each in await client.schemas.find("schemas", title="orders")] == [
        made.schema
    ]
    assert [each["id"] for each in await client.catalog.find_datasets("orders")] == [made.dataset]
    for kind, ref in (
        ("flows", made.flow),
        ("targetConnections", made.target),
        ("sourceConnections", made.source),
        ("connections", made.base),
    ):
        await client.flow.delete(kind, ref.id)  # type: ignore[arg-type]
        with pytest.raises(NotFound):
            await client.flow.get(kind, ref.id)
    await client.catalog.delete_dataset(made.dataset)
    await client.schemas.delete("schemas", made.schema)
    with pytest.raises(NotFound):
        await client.catalog.dataset(made.dataset)
    with pytest.raises(NotFound):
        await client.schemas.get("schemas", made.schema)


async def test_lists_of_several_pages_are_read_to_their_end(client: Platform) -> None:
    spec = {"id": "bc7b00d6-623a-4dfc-9fdb-f1240aeadaeb", "version": "1.0"}
    auth = {"specName": "Streaming Connection", "params": {"dataType": "raw", "name": "x"}}
    for number in range(230):
        name = "my last one" if number == 229 else f"connection {number}"
        body = {"name": name, "connectionSpec": spec, "auth": auth}
        await client.flow.create("connections", body)
    every = await client.flow.find("connections")
    assert len({each["id"] for each in every}) == len(every) >= 230
    assert len(await client.flow.find("connections", name="my last one")) == 1
    for number in range(130):
        await client.catalog.create_dataset({"name": f"dataset {number}"})
    assert len(await client.catalog.find_datasets()) >= 130
    for number in range(130):
        parts = [{"$ref": "https://ns.adobe.com/xdm/context/profile"}]
        body = {"type": "object", "title": f"schema {number:03}", "allOf": parts}
        await client.schemas.create("schemas", body)
    assert len(await client.schemas.find("schemas")) >= 130
    assert len(await client.schemas.find("schemas", title="schema 129")) == 1


async def test_etags_guard_what_somebody_else_has_changed(client: Platform) -> None:
    made = await provisioned(client)
    changed = await client.flow.patch("flows", made.flow.id, REPLACED, made.flow.etag)
    assert changed.etag != made.flow.etag
    with pytest.raises(Outdated):
        await client.flow.patch("flows", made.flow.id, REPLACED, made.flow.etag)
    acted = await client.flow.act("flows", made.flow.id, "disable")
    assert acted.id == made.flow.id
    assert (await client.flow.get("flows", made.flow.id))["state"] == "disabled"


async def test_what_the_platform_refuses_is_told_with_its_code_and_what_to_do(
    client: Platform,
) -> None:
    made = await provisioned(client)
    with pytest.raises(PlatformError, match=r"FLOW-1418-400.*delete the flows that use this"):
        await client.flow.delete("connections", made.base.id)
    with pytest.raises(PlatformError, match=r"FLOW-1425|FLOW-1419|FLOW-1412|FLOW-1413") as raised:
        await client.flow.create(
            "flows",
            {"name": "x", "flowSpec": {"id": "nowhere", "version": "1.0"}},
        )
    assert raised.value.request_id
    assert not raised.value.maybe_done


async def test_credentials_are_asked_for_as_by_the_real_gateway() -> None:
    options = EmulatorOptions(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    async with Emulator(options) as running:
        account = {
            "token": None,
            "api_key": None,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "token_url": running.token_url,
        }
        async with platform(running.listening, **account) as client:
            assert (await provisioned(client)).inlet_url.startswith(running.listening)
        wrong = {**account, "client_secret": "not-the-secret"}
        async with platform(running.listening, **wrong) as client:
            with pytest.raises(CredentialsRefused, match=r"check platform\.client_id"):
                await client.flow.find("flows")
        async with platform(running.listening, api_key=CLIENT_ID) as client:
            with pytest.raises(CredentialsRefused, match="Oauth token is not valid"):
                await client.flow.find("flows")


async def test_a_platform_with_bad_days_is_asked_again() -> None:
    rules = [{"status": 503, "when": {"path": "platform", "every": 2, "requests": 20}}]
    async with (
        Emulator(EmulatorOptions(), parse_script(rules)) as running,
        platform(running.listening) as client,
    ):
        for _ in range(10):
            assert await client.flow.find("flows") is not None
    rules = [{"status": 503, "when": {"path": "platform"}}]
    async with (
        Emulator(EmulatorOptions(), parse_script(rules)) as running,
        platform(running.listening) as client,
    ):
        with pytest.raises(PlatformAway, match="it may have been carried out"):
            await client.flow.create("connections", {"name": "x"})
