"""How the inlet of a flow is found, and what is said where there is none to send to."""

from typing import Any

import pytest

from aep.flows import HTTP_API, INLET, KINESIS, LONG_AGO, flow, kept
from aep.scripted import Answer, asking
from agent.aep.discovery import FlowUnusable, Inlet, Wanted, inlet_of
from agent.errors import ConfigError, PlatformAway

ORDERS = Wanted("orders")
FOUND = Inlet("f1", "orders", INLET["inletUrl"], "raw", False, LONG_AGO / 1000)


async def found(answer: Any, wanted: Wanted = ORDERS) -> Inlet:
    async with asking(answer) as (platform, _):
        return await inlet_of(platform.flow, wanted)


async def why_not(answer: Any, wanted: Wanted = ORDERS) -> str:
    with pytest.raises(FlowUnusable) as raised:
        await found(answer, wanted)
    assert isinstance(raised.value, ConfigError)
    return str(raised.value)


async def test_a_flow_is_found_by_its_name_or_by_its_id() -> None:
    flows = kept(flow(), flow("f2", "clicks"))
    assert await found(flows) == FOUND
    assert await found(flows, Wanted(id="f1")) == FOUND


async def test_the_inlet_is_found_on_the_base_connection_and_on_the_source_connection() -> None:
    older = {
        "id": "s1",
        "params": INLET,
        "inheritedAttributes": {"baseConnection": {"id": "b1"}},
        "connectionSpec": {"id": HTTP_API},
    }
    silent = {"id": "b1", "auth": {"specName": "Streaming Connection"}}
    assert await found(kept(flow(), s1=older, b1=silent)) == FOUND
    named_as_in_the_tutorial = {"id": "s1", "connectionId": "b1"}
    assert await found(kept(flow(), s1=named_as_in_the_tutorial)) == FOUND
    alone = {"id": "s1", "params": INLET}
    assert await found(kept(flow(), s1=alone, b1={})) == FOUND


async def test_what_the_inlet_asks_for_is_found_too() -> None:
    asks = {**INLET, "dataType": "xdm", "authenticationRequired": "true"}
    inlet = await found(
        kept(flow(updatedAt=LONG_AGO + 5), b1={"id": "b1", "auth": {"params": asks}})
    )
    assert (inlet.form, inlet.asks_for_token) == ("xdm", True)
    assert inlet.changed_at == (LONG_AGO + 5) / 1000


async def test_a_name_that_no_flow_has_is_told_with_the_names_there_are() -> None:
    words = await why_not(kept(flow(name="orders (eu)")), Wanted("order (eu)"))
    assert words.endswith("no flow named order (eu) in this sandbox; did you mean orders (eu)?")
    words = await why_not(kept(*(flow(str(n), f"flow {n}") for n in range(9))), Wanted("zzz"))
    assert words.endswith("there are flow 0, flow 1, flow 2, flow 3, flow 4 …")
    assert "it has none at all: check platform.sandbox" in await why_not(kept())


async def test_an_id_that_no_flow_has_is_told() -> None:
    words = await why_not(kept(flow()), Wanted(id="nowhere"))
    assert words.startswith("the platform has no flow nowhere in this sandbox; check the id")


async def test_two_flows_of_one_name_are_told_apart_by_id() -> None:
    words = await why_not(kept(flow("f1"), flow("f2")))
    assert words.endswith("has 2 flows named orders; write inlet.flow_id with one of f1, f2")


async def test_a_disabled_flow_is_sent_nothing() -> None:
    words = await why_not(kept(flow(state="disabled")))
    assert words.startswith("flow orders (f1) is disabled: what it is sent is lost; enable it")


async def test_a_flow_of_another_source_has_no_inlet() -> None:
    source = {"id": "s1", "baseConnectionId": "b1", "connectionSpec": {"id": KINESIS}}
    words = await why_not(kept(flow(), s1=source, b1={"id": "b1"}))
    assert words.startswith(
        f"flow orders (f1) has no inlet: its source is not the HTTP API ({'its'}"
    )
    assert KINESIS in words
    assert "no source connection" in await why_not(kept(flow(sourceConnectionIds=[])))


async def test_a_platform_that_is_away_has_no_opinion() -> None:
    with pytest.raises(PlatformAway):
        await found(Answer(status=503))
