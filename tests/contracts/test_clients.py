"""What our clients ask, against Adobe's own descriptions of its services.

What differs is listed with the line of the platform's facts for which the description is not
followed there; nothing else may differ. All of it is asked of the emulator, which answers.
"""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.aep.observability import INLET_SUCCESS, Metric
from agent.aep.platform import Platform
from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator
from support.agent import aep_agent
from support.contracts import Contract
from support.flows_made import FULL, platform, provisioned
from support.recording import Sent, recording

FILES = {
    "/data/foundation/flowservice": "flow-service.yaml",
    "/data/foundation/schemaregistry": "schema-registry.yaml",
    "/data/foundation/catalog": "catalog.yaml",
    "/data/foundation/conversion": "data-prep.yaml",
    "/data/foundation/export": "data-access.yaml",
    "/data/infrastructure/observability/insights": "observability-insights.yaml",
    "/data/foundation/sandbox-management": "sandbox.yaml",
}
BY_MANIFESTS = "POST /flows /transformations/0/params/mappingVersion: 0 is not of type 'string'"
DEVIATIONS = {
    r"(PATCH|DELETE) /connections/\{BASE_CONNECTION_ID\}/ has a slash at its end": "3.4: `Spec "
    "writes DELETE|PATCH /connections/{id}/ with a trailing slash`; the guides write none",
    r"PATCH /connections/.* /: \[.*\] is not of type 'object'": "3.4, PATCH: `JSON-Patch array`",
    r"PATCH /\w+/\{\w+\} /0/op: 'replace' is not one of .*": "3.4, PATCH: `ops add|replace|remove`",
    r"PATCH /\w+/\{\w+\} /0/value: '.*' is not of type 'object'": "3.4, PATCH: `JSON-Patch`, where "
    "a value is any JSON [RFC 6902]",
    r"PATCH /tenant/schemas/.* /0/value: .* is not of type 'string'": "4.1, Profile enablement: a "
    "list is a value, too",
    "POST /tenant/descriptors /xdm:sourceVersion: 1 is not of type 'string'": "4.1, Identity: "
    "`xdm:sourceVersion:1`",
    BY_MANIFESTS: '3.2, 8: `mappingVersion int or "0"`',
    "POST /metrics /: the header x-sandbox-id is missing": "5: `x-sandbox-id only with service "
    "tokens`",
}


def objections(sent: Sent) -> Iterator[str]:
    """What Adobe's files say against a request."""
    root = next(root for root in FILES if sent.path.startswith(root))
    contract = Contract(FILES[root])
    path = sent.path.removeprefix(root)
    if "sandbox" in root:
        path = "/sandbox-management" + path
    try:
        shown = f"{sent.method} {contract.template(sent.method, path)}"
    except LookupError:
        path += "/"
        shown = f"{sent.method} {contract.template(sent.method, path)}"
        yield f"{shown} has a slash at its end"
    for each in contract.objections_to_request(sent.method, path, sent.body, sent.headers):
        yield f"{shown} {each}"
    known = contract.query_parameters(sent.method, path)
    for name, _ in sent.query:
        if name not in known:
            yield f"{shown} ?{name}: there is no such parameter"


def unlisted(found: set[str]) -> list[str]:
    """What is objected to and not among the deviations."""
    return sorted(each for each in found if not any(re.fullmatch(k, each) for k in DEVIATIONS))


async def ask_everything(client: Platform) -> None:
    """Every call that our clients can make."""
    made = await provisioned(client)
    flow, schemas, catalog, dataprep = client.flow, client.schemas, client.catalog, client.dataprep
    rename = [{"op": "replace", "path": "/name", "value": "renamed orders"}]
    for kind in ("connections", "sourceConnections", "targetConnections", "flows"):
        for each in await flow.find(kind, name="orders"):
            await flow.patch(kind, each["id"], rename, each["etag"])  # type: ignore[arg-type]
        await flow.find(kind)
    await flow.flow_spec("Stream data with transformation", "c1a19761-d2c7-4702-b9fa-fe91f0613e81")
    await flow.runs(made.flow.id)
    await flow.act("flows", made.flow.id, "disable")
    await schemas.get("schemas", made.schema, full=True)
    await schemas.get("classes", "https://ns.adobe.com/xdm/context/profile")
    await schemas.find("schemas", title="orders")
    group = await schemas.create("fieldgroups", GROUP)
    change = [{"op": "add", "path": "/allOf/-", "value": {"$ref": group["$id"]}}]
    await schemas.patch("schemas", made.schema, change)
    descriptor = await schemas.describe({**IDENTITY, "xdm:sourceSchema": made.schema})
    await schemas.descriptors(made.schema)
    await schemas.delete_descriptor(descriptor["@id"])
    await catalog.find_datasets("orders")
    await catalog.dataset(made.dataset)
    await catalog.patch_dataset(made.dataset, {"description": "other"})
    await catalog.batches(made.dataset, "failed", since=1)
    target = {"schemaRef": {"id": made.schema, "contentType": FULL}}
    mapping = {"sourceType": "ATTRIBUTE", "source": "first", "destination": "person.name.firstName"}
    mapping_set = {"name": "orders", "outputSchema": target, "mappings": [mapping]}
    kept = await dataprep.create(mapping_set)
    await dataprep.get(kept["id"], kept["version"])
    await dataprep.put(kept["id"], {**mapping_set, "id": kept["id"]})
    await dataprep.find("orders")
    await dataprep.validate(mapping_set)
    await dataprep.preview([{"first": "Jane"}], mapping_set)
    await dataprep.functions()
    now = datetime.now(UTC)
    counted = Metric(INLET_SUCCESS, {"inletId": [made.inlet_url.rpartition("/")[2]]})
    await client.observability.total(now - timedelta(hours=1), now, counted)
    await client.sandboxes.usable()
    await client.sandboxes.create("tests", "Tests")
    await flow.delete("flows", made.flow.id)
    await flow.delete("targetConnections", made.target.id)
    await flow.delete("sourceConnections", made.source.id)
    await flow.delete("connections", made.base.id)
    await catalog.delete_dataset(made.dataset)
    await schemas.delete("schemas", made.schema)
    await schemas.delete("fieldgroups", group["$id"])


GROUP = {
    "type": "object",
    "title": "fields of orders",
    "meta:intendedToExtend": ["https://ns.adobe.com/xdm/context/profile"],
    "definitions": {"own": {"properties": {"_emulated": {"type": "object", "properties": {}}}}},
    "allOf": [{"$ref": "#/definitions/own"}],
}
IDENTITY = {
    "@type": "xdm:descriptorIdentity",
    "xdm:sourceVersion": 1,
    "xdm:sourceProperty": "/person/name/firstName",
    "xdm:namespace": "Email",
    "xdm:property": "xdm:code",
    "xdm:isPrimary": False,
}


async def test_what_our_clients_ask_is_as_described_but_for_what_is_listed() -> None:
    async with (
        Emulator(EmulatorOptions()) as emulator,
        recording(emulator.listening) as recorder,
        platform(recorder.url) as client,
    ):
        await ask_everything(client)
    assert len(recorder.sent) > 50
    found = {each for sent in recorder.sent for each in objections(sent)}
    assert unlisted(found) == []
    unused = {k for k in DEVIATIONS if not any(re.fullmatch(k, each) for each in found)}
    assert unused == {BY_MANIFESTS}


MANIFEST = """\
platform: {{url: '{url}', org_id: 0123@AdobeOrg, token_file: token, api_key: a-key}}
source: {{type: http}}
schema:
  title: Orders
  profile: true
  field_groups: [profile-person-details, profile-personal-details]
  fields: [{{path: order.id, type: string}}]
  identities: [{{path: personalEmail.address, namespace: Email, primary: true}}]
dataset: {{profile: true}}
mapping:
  - {{to: person.name.firstName, attribute: firstName}}
  - {{to: personalEmail.address, attribute: email}}
flow: {{name: Orders}}
"""


async def test_what_is_asked_for_a_manifest_is_as_described_too(tmp_path: Path) -> None:
    file = tmp_path / "orders.yaml"
    async with Emulator(EmulatorOptions()) as emulator, recording(emulator.listening) as recorder:
        (tmp_path / "token").write_text("a-token\n")
        file.write_text(MANIFEST.format(url=recorder.url))
        for action in (["apply"], ["apply"], ["destroy", "--yes"]):
            words = ["provision", *action, file]
            done = await asyncio.to_thread(aep_agent, *words, cwd=tmp_path)
            assert done.code == 0, done.stderr.decode()
    assert len(recorder.sent) > 30
    found = unlisted({each for sent in recorder.sent for each in objections(sent)})
    assert found == []
