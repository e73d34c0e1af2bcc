"""Flow Service of a running emulator, and bodies that it takes."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent.emulator.flow.specs import DATA_LAKE, HTTP_API, PROVIDER, WITH_TRANSFORMATION
from agent.emulator.landing import new_batch_id
from agent.emulator.ledger import Batch, Reason
from emulator.conftest import Client
from support.platform import Answered, Calls

ROOT = "/data/foundation/flowservice"
SCHEMA = "https://ns.adobe.com/acme/schemas/e45dd983026ce0daec5185cfddd48cbc0509015d880d6186"
BASE_BODY = {
    "name": "Site",
    "description": "what the site sends",
    "connectionSpec": {"id": HTTP_API, "version": "1.0"},
    "auth": {"specName": "Streaming Connection", "params": {"dataType": "raw", "name": "site"}},
}
OLD_SOURCE_BODY = {
    "name": "Test source connector for streaming data",
    "providerId": PROVIDER,
    "connectionId": "f6aa6c58-3c3d-4c59-aa6c-583c3d6c599c",
    "description": "Test source connector for streaming data",
    "data": {"format": "delimited"},
    "connectionSpec": {"id": HTTP_API, "version": "1.0"},
}


class FlowService:
    """Its calls, and the whole chain of objects that a flow needs."""

    def __init__(self, client: Client) -> None:
        self.emulator = client.emulator
        self.session = client.session
        self.calls = Calls(client.emulator.listening, client.session)

    async def make(self, kind: str, body: Any) -> str:
        made = await self.calls.post(f"{ROOT}/{kind}", body)
        assert made.status == 201, made.body
        return str(made.body["id"])

    async def item(self, kind: str, id_: str) -> dict[str, Any]:
        (item,) = (await self.calls.get(f"{ROOT}/{kind}/{id_}")).body["items"]
        return dict(item)

    async def patch(self, kind: str, id_: str, *operations: Mapping[str, Any]) -> Answered:
        etag = (await self.item(kind, id_))["etag"]
        path = f"{ROOT}/{kind}/{id_}"
        return await self.calls.patch(path, list(operations), headers={"If-Match": etag})

    async def base(self, **changed: Any) -> str:
        return await self.make("connections", {**BASE_BODY, **changed})

    async def source(self, base_id: str | None = None, **changed: Any) -> str:
        spec = {"id": HTTP_API, "version": "1.0"}
        base_id = base_id or await self.base()
        body = {"name": "Source", "baseConnectionId": base_id, "connectionSpec": spec}
        return await self.make("sourceConnections", {**body, **changed})

    def dataset(self, schema: str = SCHEMA, version: str = "1") -> str:
        content_type = f"application/vnd.adobe.xed-full+json; version={version}"
        body = {"name": "Rows", "schemaRef": {"id": schema, "contentType": content_type}}
        return self.emulator.platform.datasets.add(body).id

    async def target(self, dataset_id: str | None = None, **changed: Any) -> str:
        body = {
            "name": "Target",
            "connectionSpec": {"id": DATA_LAKE, "version": "1.0"},
            "data": {"format": "parquet_xdm"},
            "params": {"dataSetId": dataset_id or self.dataset()},
        }
        return await self.make("targetConnections", {**body, **changed})

    def mapping(self, schema: str = SCHEMA, version: str = "1.0") -> str:
        body = {"version": 0, "xdmSchema": schema, "xdmVersion": version, "earlier": {}}
        return self.emulator.platform.mapping_sets.add(body).id

    def batch(self, flow_id: str, completed_ms: int, records: int, why: str = "") -> None:
        """A batch that has landed, or failed, as the data plane tells Catalog."""
        reasons = [Reason("MAPPER-3700-400", why, records)] if why else []
        batch = Batch(
            id=new_batch_id(),
            dataset_id="5f7187bac6d00f194fb937c0",
            flow_id=flow_id,
            inlet_id="ab" * 32,
            sandbox="prod",
            started_ms=completed_ms,
            completed_ms=completed_ms,
            offset=0,
            length=10 * records,
            lines=records,
            records=records,
            input_bytes=10 * records,
            failed=bool(why),
            reasons=reasons,
        )
        self.emulator.platform.batches.add(batch.as_catalog(), id=batch.id)

    async def flow_body(self, **changed: Any) -> dict[str, Any]:
        params = {"mappingId": self.mapping(), "mappingVersion": 0}
        body: dict[str, Any] = {
            "name": "Streaming dataflow",
            "flowSpec": {"id": WITH_TRANSFORMATION, "version": "1.0"},
            "sourceConnectionIds": [await self.source()],
            "targetConnectionIds": [await self.target()],
            "transformations": [{"name": "Mapping", "params": params}],
        }
        return {**body, **changed}

    async def flow(self, **changed: Any) -> str:
        return await self.make("flows", await self.flow_body(**changed))


@pytest.fixture
def flow_service(client: Client) -> FlowService:
    return FlowService(client)


def code(answer: Answered) -> str:
    """The code of a refusal, whose body is looked at as a whole."""
    body = answer.body
    prefix = "https://ns.adobe.com/aep/errors/FLOW-"
    assert body["type"].startswith(prefix), body
    assert body["status"] == answer.status == int(body["type"][-3:])
    assert body["errorMessage"] == body["errorDetails"] == body["report"]["detailed-message"]
    assert body["report"]["request-id"] == answer.headers["x-request-id"]
    return str(body["type"].removeprefix(prefix))
