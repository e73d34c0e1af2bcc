"""The emulator's other services against Adobe's own descriptions of them.

What differs is listed with the line of the platform's facts for which the description is not
followed there; nothing else may differ.
"""

from typing import Any
from urllib.parse import quote

import pytest

from contracts.watching import Watched
from emulator.conftest import Client
from emulator.registry import ID, IDENTITY, LOYALTY, TUTORIAL, XED
from emulator.test_batches import JANE, NUMBER, send
from emulator.test_dataprep import FIRST, LAST, today
from emulator.test_dataprep import tutorial as tutorial_mapping
from support.provisioned import provision

FOUNDATION = "/data/foundation"
INSIGHTS = "/data/infrastructure/observability/insights"
REGISTRY = f"{FOUNDATION}/schemaregistry"
CATALOG = f"{FOUNDATION}/catalog"
CONVERSION = f"{FOUNDATION}/conversion"
SANDBOXES = f"{FOUNDATION}/sandbox-management"

# By file: what a body may differ in, and the line of the platform's facts that justifies it.
DEVIATIONS: dict[str, dict[str, str]] = {
    "schema-registry.yaml": {
        "/(_page|_links)/next: None is not of type 'string'": "4.1, List: `next` is always there; "
        "where there is no next page it can only be null",
        ".*/xdm:sourceVersion: 1 is not of type 'string'": "4.1, Identity: `xdm:sourceVersion:1`",
        "/: no body is described": "4.1, Errors: every refusal has a body, also a 400 or 404 for "
        "which the file describes none",
    },
    "catalog.yaml": {},
    "data-prep.yaml": {
        r".*/(created|modified)Date: \d+ is not of type 'string'": "4.4, POST /mappingSets: "
        "`createdDate,modifiedDate (ms ints; spec says string)`",
        ".*/sourceType: 'text/x.(schema-path|aep-xl)' is not one of .*": "4.4, GET "
        '/mappingSets/{id}: `sourceType:"text/x.schema-path"`',
        r"/validationResponse/\d+/errors: None is not of type 'array'": "4.4, validate: "
        "`errors:null|[…]`",
        r"/: \[\{'data'.* is not of type 'object'": "4.4, preview: the answer is a list, each "
        "element what became of a record",
        r"/: \[\{'id'.* is not of type 'object'": "4.4, GET …/mappings[/{mid}]: all, or one",
    },
    "data-access.yaml": {},
    "sandbox.yaml": {},
    "observability-insights.yaml": {},
}


@pytest.fixture
def watched(client: Client) -> Any:
    def service(file: str, root: str) -> Watched:
        return Watched(client.emulator.listening, client.session, file, root)

    return service


def hold(calls: Watched, file: str, at_least: int) -> None:
    deviations = DEVIATIONS[file]
    assert len(calls.seen) >= at_least, sorted(calls.seen)
    assert calls.unlisted(deviations) == set()
    assert calls.unused(deviations) == set()


async def test_the_schema_registry_answers_as_described(watched: Any) -> None:
    calls = watched("schema-registry.yaml", REGISTRY)
    group = (await calls.post(f"{REGISTRY}/tenant/fieldgroups", LOYALTY)).body
    parts = [*TUTORIAL["allOf"], {"$ref": group["$id"]}]
    schema = (await calls.post(f"{REGISTRY}/tenant/schemas", TUTORIAL | {"allOf": parts})).body
    await calls.post(f"{REGISTRY}/tenant/schemas", TUTORIAL)
    described = {**IDENTITY, "xdm:sourceSchema": schema["$id"]}
    descriptor = (await calls.post(f"{REGISTRY}/tenant/descriptors", described)).body
    tag = [{"op": "add", "path": "/meta:immutableTags", "value": ["union"]}]
    ref = quote(schema["$id"], safe="")
    await calls.patch(f"{REGISTRY}/tenant/schemas/{ref}", tag)
    await calls.put(f"{REGISTRY}/tenant/fieldgroups/{group['meta:altId']}", LOYALTY)
    await calls.get(f"{REGISTRY}/stats")
    forms = ("xed", "xed-full", "xed-full-notext")
    single = [f"application/vnd.adobe.{form}+json;version=1" for form in forms]
    for kind in ("schemas", "fieldgroups", "classes", "datatypes"):
        for container in ("tenant", "global"):
            for form in (ID, XED):
                query = "?orderby=title&limit=1"
                path = f"{REGISTRY}/{container}/{kind}{query}"
                listed = await calls.get(path, headers={"Accept": form})
            for found in listed.body["results"]:
                for form in single:
                    path = f"{REGISTRY}/{container}/{kind}/{quote(found['$id'], safe='')}"
                    await calls.get(path, headers={"Accept": form})
        await calls.get(f"{REGISTRY}/tenant/{kind}", headers={"Accept": "*/*"})
    await calls.get(f"{REGISTRY}/tenant/schemas/none", headers={"Accept": single[0]})
    await calls.get(f"{REGISTRY}/global/behaviors", headers={"Accept": XED})
    await calls.get(f"{REGISTRY}/tenant/unions", headers={"Accept": XED})
    union = f"{REGISTRY}/tenant/unions/_xdm.context.profile__union"
    await calls.get(union, headers={"Accept": single[1]})
    for form in ("xdm", "xdm-v2"):
        accept = {"Accept": f"application/vnd.adobe.{form}+json"}
        await calls.get(f"{REGISTRY}/tenant/descriptors", headers=accept)
    one = f"{REGISTRY}/tenant/descriptors/{descriptor['@id']}"
    await calls.get(one, headers={"Accept": "application/vnd.adobe.xdm+json"})
    await calls.put(one, described)
    spare = (await calls.post(f"{REGISTRY}/tenant/datatypes", {"title": "Spare"})).body
    await calls.delete(f"{REGISTRY}/tenant/datatypes/{spare['meta:altId']}")
    hold(calls, "schema-registry.yaml", 20)


async def test_catalog_answers_as_described(client: Client, watched: Any) -> None:
    calls = watched("catalog.yaml", CATALOG)
    await send(calls, provision(client.emulator.platform), [JANE, NUMBER])
    schema = (await calls.post(f"{REGISTRY}/tenant/schemas", TUTORIAL)).body
    content_type = "application/vnd.adobe.xed-full-notext+json; version=1"
    body = {
        "schemaRef": {"id": schema["$id"], "contentType": content_type},
        "fileDescription": {"format": "parquet"},
        "tags": {"identity": ["enabled:true"], "profile": ["enabled:true"]},
        "name": "Test streaming dataset",
    }
    (ref,) = (await calls.post(f"{CATALOG}/dataSets?requestDataSource=true", body)).body
    one = CATALOG + ref.removeprefix("@")
    await calls.get(f"{CATALOG}/dataSets?limit=5")
    await calls.get(one)
    await calls.patch(one, {"description": "described"})
    await calls.put(one, body)
    await calls.patch(f"{CATALOG}/v2{ref.removeprefix('@')}", {"description": "again"})
    await calls.delete(one)
    for batch in (await calls.get(f"{CATALOG}/batches")).body:
        await calls.get(f"{CATALOG}/batches/{batch}")
    hold(calls, "catalog.yaml", 9)


async def test_data_prep_answers_as_described(watched: Any) -> None:
    calls = watched("data-prep.yaml", CONVERSION)
    schema = (await calls.post(f"{REGISTRY}/tenant/schemas", TUTORIAL)).body
    await calls.post(f"{CONVERSION}/mappingSets", tutorial_mapping(schema))
    body = today(schema, FIRST, LAST)
    made = (await calls.post(f"{CONVERSION}/mappingSets", body)).body
    one = f"{CONVERSION}/mappingSets/{made['id']}"
    await calls.put(one, body)
    await calls.get(one)
    await calls.get(f"{CONVERSION}/mappingSets?limit=5&start=0")
    for mapping in (await calls.get(f"{one}/mappings")).body:
        await calls.get(f"{one}/mappings/{mapping['id']}")
    wrong = {**FIRST, "destination": "person.nickname"}
    await calls.post(f"{CONVERSION}/mappingSets/validate", today(schema, FIRST, wrong))
    preview = {"data": [{"firstName": "Jane"}], "mappingSet": body}
    await calls.post(f"{CONVERSION}/mappingSets/preview", preview)
    await calls.post(f"{CONVERSION}/languages/el/validate", {"expression": "1 + 1"})
    await calls.get(f"{CONVERSION}/languages/el/functions")
    await calls.get(f"{CONVERSION}/languages/el/operators")
    hold(calls, "data-prep.yaml", 9)


async def test_data_access_answers_as_described(client: Client, watched: Any) -> None:
    calls = watched("data-access.yaml", f"{FOUNDATION}/export")
    await send(calls, provision(client.emulator.platform), [JANE, NUMBER])
    for batch in client.emulator.platform.batches.all():
        await calls.get(f"{FOUNDATION}/export/batches/{batch.id}/failed")
        await calls.get(f"{FOUNDATION}/export/batches/{batch.id}/meta")
    hold(calls, "data-access.yaml", 2)


async def test_sandboxes_are_answered_as_described(watched: Any) -> None:
    calls = watched("sandbox.yaml", FOUNDATION)
    new = {"name": "dev", "title": "Dev", "type": "development"}
    await calls.post(f"{SANDBOXES}/sandboxes", new)
    await calls.get(f"{SANDBOXES}/")
    await calls.get(f"{SANDBOXES}/sandboxes")
    await calls.get(f"{SANDBOXES}/sandboxTypes")
    await calls.get(f"{SANDBOXES}/sandboxes/dev")
    await calls.delete(f"{SANDBOXES}/sandboxes/dev")
    hold(calls, "sandbox.yaml", 4)


async def test_observability_insights_answers_as_described(client: Client, watched: Any) -> None:
    calls = watched("observability-insights.yaml", INSIGHTS)
    flow = provision(client.emulator.platform)
    await send(calls, flow, [JANE, NUMBER])
    filters = [{"name": "inletId", "value": flow.inlet_id, "groupBy": True}]
    metric = {"name": "timeseries.data.collection.inlet.success", "filters": filters}
    asked = {"start": "2020-01-01T00:00:00.000Z", "end": "2999-01-01T00:00:00.000Z"}
    await calls.post(f"{INSIGHTS}/metrics", {**asked, "metrics": [metric]})
    await calls.get(f"{INSIGHTS}/metrics?metric=timeseries.ingestion.dataset.recordsuccess.count")
    hold(calls, "observability-insights.yaml", 2)
