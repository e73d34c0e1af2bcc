"""Whatever is written into a body, the answer is a resource or a refusal out of the catalogue."""

import copy
import random
from typing import Any

from emulator.flow.conftest import BASE_BODY, OLD_SOURCE_BODY, ROOT, FlowService, code

ODD: list[Any] = [None, True, -1, 1.5, "", "x", "\ud800", [], [None], [[]], {}, {"id": []}]
ODD += [{"": {}}, ["x", "x"], 10**30, "a" * 5000, {"id": "x", "version": {}}]
ROUNDS = 150


def _spoilt(body: Any, dice: random.Random) -> Any:
    """A copy of a body in which one value, somewhere, is another one or is gone."""
    spoilt = copy.deepcopy(body)
    place, key = spoilt, dice.choice(list(spoilt))
    while isinstance(place[key], dict | list) and place[key] and dice.random() < 0.7:
        place = place[key]
        key = dice.choice(list(place) if isinstance(place, dict) else range(len(place)))
    if dice.random() < 0.2:
        del place[key]
    else:
        place[key] = dice.choice(ODD)
    return spoilt


async def test_no_body_breaks_the_service(flow_service: FlowService) -> None:
    dice = random.Random(5)
    flow = await flow_service.flow_body()
    shown = await flow_service.item("sourceConnections", flow["sourceConnectionIds"][0])
    target = await flow_service.item("targetConnections", flow["targetConnectionIds"][0])
    source = {**OLD_SOURCE_BODY, "baseConnectionId": shown["baseConnectionId"], "params": {}}
    bodies = {
        "connections": BASE_BODY,
        "sourceConnections": source,
        "targetConnections": {name: target[name] for name in ("data", "params", "connectionSpec")},
        "flows": flow,
    }
    made = {kind: await flow_service.make(kind, body) for kind, body in bodies.items()}
    for _ in range(ROUNDS):
        kind = dice.choice(list(bodies))
        spoilt = _spoilt(bodies[kind], dice)
        answer = await flow_service.calls.post(f"{ROOT}/{kind}", spoilt)
        assert answer.status == 201 or code(answer), spoilt
        name = dice.choice(list(spoilt) or ["name"])
        value = spoilt.get(name)
        operation = {"op": "add", "path": f"/{name}", "value": value}
        answer = await flow_service.patch(kind, made[kind], operation)
        assert answer.status == 200 or code(answer), operation
        listed = await flow_service.calls.get(f"{ROOT}/{kind}?orderby=-{name}&limit=1000")
        assert listed.status == 200 or code(listed), name
