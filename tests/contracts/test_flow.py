"""The emulator's Flow Service against Adobe's own description of it.

What differs is listed with the reason why the description is not followed there; nothing else may.
"""

import re
from collections import defaultdict
from typing import Any

import pytest

from emulator.conftest import Client
from emulator.flow.conftest import BASE_BODY, ROOT, FlowService
from support.contracts import Contract
from support.platform import Answered, Calls

DEVIATIONS = {
    # What is not there is null in the tutorial's answers; the description knows no null.
    r"/items/\d+/data/(schema|format): None is not of type '(object|string)'",
    # A number in the tutorial and in http.md; the description has a text. It is echoed as it came.
    r"/items/\d+/transformations/\d+/params/mappingVersion: 0 is not of type 'string'",
    # A list in the tutorial's answer; the description has a single object.
    r"/items/\d+/transformationSpecs: \[.*\] is not of type 'object'",
}


class _Watched(Calls):
    """Calls whose answers are all held against the description."""

    def __init__(self, root: str, session: Any) -> None:
        super().__init__(root, session)
        self.seen: dict[str, set[str]] = defaultdict(set)
        self._contract = Contract("flow-service.yaml")

    async def call(self, method: str, path: str, body: Any = None, headers: Any = None) -> Answered:
        answer = await super().call(method, path, body, headers)
        asked = path.removeprefix(ROOT).partition("?")[0]
        objections = self._contract.objections_to_answer(method, asked, answer.status, answer.body)
        self.seen[f"{method} {asked.split('/')[1]} {answer.status}"].update(objections)
        return answer


@pytest.fixture
def watched(client: Client) -> FlowService:
    service = FlowService(client)
    service.calls = _Watched(client.emulator.listening, client.session)
    return service


async def test_answers_are_as_described_but_for_what_is_listed(watched: FlowService) -> None:
    await _live_a_whole_life(watched)
    assert isinstance(watched.calls, _Watched)
    seen = watched.calls.seen
    assert len(seen) >= 20
    objections = set().union(*seen.values())
    unlisted = {
        each for each in objections if not any(re.fullmatch(known, each) for known in DEVIATIONS)
    }
    assert unlisted == set()
    unused = {
        known for known in DEVIATIONS if not any(re.fullmatch(known, each) for each in objections)
    }
    assert unused == set()


async def _live_a_whole_life(service: FlowService) -> None:
    calls = service.calls
    flow_id = await service.flow()
    service.batch(flow_id, 1_700_000_000_000, 5)
    service.batch(flow_id, 1_700_000_000_000, 1, why="Mapper Transform Error")
    flow = await service.item("flows", flow_id)
    ids = {
        "flows": flow_id,
        "sourceConnections": flow["sourceConnectionIds"][0],
        "targetConnections": flow["targetConnectionIds"][0],
    }
    source = await service.item("sourceConnections", ids["sourceConnections"])
    ids["connections"] = source["baseConnectionId"]
    for kind, id_ in ids.items():
        await calls.get(f"{ROOT}/{kind}/{id_}")
        await calls.get(f"{ROOT}/{kind}?property=id=={id_}&limit=1&orderby=-name")
        await calls.get(f"{ROOT}/{kind}?count=true")
        etag = (await service.item(kind, id_))["etag"]
        slash = "/" if kind == "connections" else ""
        renamed = [{"op": "replace", "path": "/name", "value": "Renamed"}]
        await calls.patch(f"{ROOT}/{kind}/{id_}{slash}", renamed, headers={"If-Match": etag})
        await calls.post(f"{ROOT}/{kind}/{id_}/action?op=DISABLE")
    for kind in ("connections", "flows", "flowSpecs"):
        await calls.post(f"{ROOT}/{kind}/search", {"queryString": "name==Renamed"})
    for kind in ("connectionSpecs", "flowSpecs"):
        found = (await calls.get(f"{ROOT}/{kind}")).body["items"][0]
        await calls.get(f"{ROOT}/{kind}/{found['id']}")
    (run,) = (await calls.get(f"{ROOT}/runs?property=flowId=={flow_id}")).body["items"]
    await calls.get(f"{ROOT}/runs/{run['id']}")
    await calls.get(f"{ROOT}/connections/{ids['connections']}/test")
    for kind, id_ in ids.items():
        slash = "/" if kind == "connections" else ""
        assert (await calls.delete(f"{ROOT}/{kind}/{id_}{slash}")).status == 204


def test_bodies_of_the_tutorial_are_as_described() -> None:
    contract = Contract("flow-service.yaml")
    headers = ("Authorization", "x-api-key", "x-gw-ims-org-id", "x-sandbox-name")
    sent = dict.fromkeys(headers, "some")
    assert not list(contract.objections_to_request("POST", "/connections", BASE_BODY, sent))
    without = {**sent}
    del without["x-api-key"]
    (missing,) = contract.objections_to_request("POST", "/connections", BASE_BODY, without)
    assert missing == "/: the header x-api-key is missing"
    (wrong,) = contract.objections_to_request("POST", "/connections", {"name": "x"}, sent)
    assert "connectionSpec" in wrong
