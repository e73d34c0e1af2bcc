"""Whatever is answered, a call comes to an object or to an error of ours that can be read."""

import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from aep.scripted import Answer, asking
from agent.aep.discovery import Wanted, inlet_of
from agent.aep.observability import Metric
from agent.aep.platform import Platform
from agent.errors import AgentError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FLOW = {
    "id": "d1",
    "etag": "e",
    "name": "x",
    "title": "x",
    "version": 0,
    "createdAt": 1,
    "state": "enabled",
    "sourceConnectionIds": ["d1"],
    "baseConnectionId": "d1",
    "connectionSpec": {"id": "d1"},
    "params": {"inletUrl": "https://x/y"},
    "auth": {"params": {"inletUrl": "https://x/y"}},
    "inheritedAttributes": {"baseConnection": {"id": "d1"}},
    "datapoints": [{"dps": {"t": 1}}],
}
# an answer that is right for every call at once, and a problem of every service at once
RIGHT = {
    **{name: [FLOW] for name in ("items", "results", "data", "sandboxes", "metricResponses")},
    **{"validationResponse": [FLOW], "tenantId": "acme", "d1": FLOW, **FLOW},
    "_links": {},
    "_page": {"limit": 100, "count": 1},
}
MORE = {
    "_links": {"next": {"href": "/flows?continuationToken=t"}},
    "_page": {"limit": 100, "next": "t", "count": 1},
}
PROBLEM = {
    "type": "https://ns.adobe.com/aep/errors/FLOW-1439-404",
    "title": "t",
    "status": 404,
    "error_code": "403010",
    "report": {"detailed-message": "m", "request-id": "r", "sub-errors": [{"message": "m"}]},
    "error-chain": [{"errorCode": "INSGHT-1000-400"}],
}
TEXTS = ["", "x", "d1", "/flows?continuationToken=t", "http://[", "@/dataSets/d1", "é\u2028\x00"]


def anything(dice: random.Random) -> Any:
    """Some JSON."""
    return dice.choice([None, True, 0, -1, 1.5, 10**12, [], {}, [[]], [{}], {"x": {}}, *TEXTS])


def bent(dice: random.Random, found: Any, left: list[int]) -> Any:
    """*found* with something else in a few places, or without them."""
    if left[0] and dice.random() < 0.06:
        left[0] -= 1
        return anything(dice)
    if isinstance(found, list):
        return [bent(dice, each, left) for each in found]
    if isinstance(found, dict):
        names = [name for name in found if dice.random() > 0.02]
        return {name: bent(dice, found[name], left) for name in names}
    return found


async def _failed(platform: Platform) -> list[bytes]:
    return [each async for each in platform.catalog.failed_records("b1")]


CALLS: list[Callable[[Platform], Awaitable[Any]]] = [
    lambda p: p.flow.create("flows", {}),
    lambda p: p.flow.get("flows", "d1"),
    lambda p: p.flow.find("flows", name="x"),
    lambda p: p.flow.patch("flows", "d1", [], "e"),
    lambda p: p.flow.delete("flows", "d1"),
    lambda p: p.flow.act("flows", "d1", "enable"),
    lambda p: p.flow.flow_spec("x"),
    lambda p: inlet_of(p.flow, Wanted("x")),
    lambda p: inlet_of(p.flow, Wanted(id="d1")),
    lambda p: p.schemas.tenant(),
    lambda p: p.schemas.create("schemas", {}),
    lambda p: p.schemas.get("schemas", "https://ns.adobe.com/acme/schemas/1"),
    lambda p: p.schemas.find("schemas", title="x"),
    lambda p: p.schemas.descriptors("x"),
    lambda p: p.catalog.create_dataset({}),
    lambda p: p.catalog.dataset("d1"),
    lambda p: p.catalog.find_datasets("x"),
    lambda p: p.catalog.batches("d1"),
    _failed,
    lambda p: p.dataprep.create({}),
    lambda p: p.dataprep.find("x"),
    lambda p: p.dataprep.validate({}),
    lambda p: p.dataprep.preview([], {}),
    lambda p: p.observability.total(NOW, NOW, Metric("m")),
    lambda p: p.sandboxes.get("x"),
]


@pytest.mark.parametrize("seed", range(4))
async def test_an_odd_answer_is_an_error_of_ours_or_none(seed: int) -> None:
    dice = random.Random(seed)

    def answer(_: Any) -> Answer:
        headers = dice.choice([{}, {"Retry-After": "soon"}, {"x-request-id": "r"}])
        status = dice.choice([200] * 7 + [201, 400, 404, 412, 503])
        right = {**RIGHT, **MORE} if dice.random() < 0.2 else RIGHT
        whole = right if status < 300 else PROBLEM
        return Answer(bent(dice, whole, [dice.randrange(4)]), status, headers)

    outcomes = {"error": 0, "none": 0}
    unreadable: list[str] = []
    async with asking(answer, attempts=1) as (platform, _):
        for _ in range(12):
            for call in CALLS:
                try:
                    await call(platform)
                    outcomes["none"] += 1
                except AgentError as error:
                    outcomes["error"] += 1
                    unreadable += [str(error)] if not str(error).isprintable() else []
    assert unreadable == []
    assert min(outcomes.values()) > 50
