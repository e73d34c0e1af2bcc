"""No body, however odd, makes a service of the platform stumble: it is refused in its own words."""

import copy
import random
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from emulator.registry import IDENTITY, LOYALTY, TUTORIAL
from emulator.test_dataprep import FIRST, LAST, today
from emulator.test_observability import DATASET, asked
from support.platform import Calls

FOUNDATION = "/data/foundation"
REGISTRY = f"{FOUNDATION}/schemaregistry/tenant"
JUNK: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, "", "x", "\x00", "../", "é" * 300, [], {}, [[]], [{}]),
    *({"": None}, {"$ref": 7}, {"$ref": "#/definitions/none"}, "https://ns.adobe.com/xdm/none"),
    *([1, "a", None], {"type": 7}, {"properties": []}, {"properties": {"_emulated": 5}}),
)


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body, the whole one first."""
    yield path
    if isinstance(body, dict | list):
        for key, value in body.items() if isinstance(body, dict) else enumerate(body):
            yield from places(value, (*path, key))


def spoiled(body: Any, dice: random.Random) -> Any:
    """The body with junk in one place, or something missing there."""
    *outer, last = dice.choice(list(places(body))[1:])
    made = copy.deepcopy(body)
    place = made
    for key in outer:
        place = place[key]
    if dice.random() < 0.2:
        del place[last]
    else:
        place[last] = copy.deepcopy(dice.choice(JUNK))
    return made


@pytest.fixture
async def calls(client: Any) -> Calls:
    return Calls(client.emulator.listening, client.session)


@pytest.mark.parametrize("seed", range(6))
async def test_bodies_with_junk_in_them_are_refused_or_taken(calls: Calls, seed: int) -> None:
    dice = random.Random(seed)
    schema = (await calls.post(f"{REGISTRY}/schemas", TUTORIAL)).body
    group = (await calls.post(f"{REGISTRY}/fieldgroups", LOYALTY)).body
    ref = {"id": schema["$id"], "contentType": "application/vnd.adobe.xed-full+json;version=1"}
    dataset = {"name": "d", "schemaRef": ref, "tags": {"unifiedProfile": ["enabled:true"]}}
    (kept,) = (await calls.post(f"{FOUNDATION}/catalog/dataSets", dataset)).body
    mapping = today(schema, FIRST, LAST)
    preview = {"data": [{"firstName": "Jane", "lastName": 7}], "mappingSet": mapping}
    operations = [{"op": "replace", "path": "/description", "value": "new"}]
    described = {
        **IDENTITY,
        "xdm:sourceSchema": schema["$id"],
        "xdm:sourceProperty": "/person/name/firstName",
    }
    metric = {
        "name": f"{DATASET}size",
        "filters": [{"name": "dataSetId", "value": "a|b", "groupBy": True}],
        "aggregator": "sum",
    }
    bodies: list[tuple[str, str, Any]] = [
        ("POST", f"{REGISTRY}/schemas", {**TUTORIAL, "title": "another"}),
        ("POST", f"{REGISTRY}/fieldgroups", {**LOYALTY, "title": "one more"}),
        ("POST", f"{REGISTRY}/datatypes", {"title": "t", "properties": {"a": {"type": "string"}}}),
        ("PUT", f"{REGISTRY}/fieldgroups/{group['meta:altId']}", LOYALTY),
        ("PATCH", f"{REGISTRY}/schemas/{schema['meta:altId']}", operations),
        ("POST", f"{REGISTRY}/descriptors", described),
        ("POST", f"{FOUNDATION}/catalog/dataSets", dataset),
        ("PATCH", f"{FOUNDATION}/catalog{kept[1:]}", dataset),
        ("PATCH", f"{FOUNDATION}/catalog{kept[1:]}", operations),
        ("POST", f"{FOUNDATION}/conversion/mappingSets", mapping),
        ("POST", f"{FOUNDATION}/conversion/mappingSets/validate", mapping),
        ("POST", f"{FOUNDATION}/conversion/mappingSets/preview", preview),
        (
            "POST",
            "/data/infrastructure/observability/insights/metrics",
            asked(metric),
        ),
    ]

    for method, path, body in bodies:
        for _ in range(15):
            odd = spoiled(body, dice)
            answer = await calls.call(method, path, odd)
            assert answer.status < 500, (method, path, odd, answer.body)
            assert answer.status < 300 or isinstance(answer.body, dict), (path, odd, answer.body)
    for path in ("stats", "tenant/schemas", "tenant/fieldgroups", "tenant/descriptors"):
        form = "xdm" if path.endswith("descriptors") else "xed"
        accept = {"Accept": f"application/vnd.adobe.{form}+json"}
        listed = await calls.get(f"{FOUNDATION}/schemaregistry/{path}", headers=accept)
        assert listed.status == 200, listed.body
    assert (await calls.get(f"{FOUNDATION}/catalog/dataSets?orderBy=asc:name")).status == 200


@pytest.mark.parametrize("depth", [300, 1000, 5000])
async def test_bodies_that_are_nested_too_deeply_are_refused(calls: Calls, depth: int) -> None:
    inner = b'{"properties":{"_emulated":' * depth + b"{}" + b"}}" * depth
    body = b'{"title":"deep","type":"object","definitions":{"own":' + inner + b"}}"
    for kind in ("schemas", "fieldgroups", "datatypes"):
        answer = await calls.post(f"{REGISTRY}/{kind}", body)

        assert answer.status in (201, 400), (kind, answer.body)


QUERIES = (
    *("", "x", "-1", "0", "1e9", "a,b", "-", "+", "==", "a==", "==a", "a~(", "a>", "a<=é", "%00"),
    *("meta:class==x", "tags", "created>1", "9" * 40, "asc:created", "desc:", "2026", "a/b/c"),
)


@pytest.mark.parametrize("seed", range(3))
async def test_queries_with_junk_in_them_are_refused_or_taken(calls: Calls, seed: int) -> None:
    dice = random.Random(seed)
    schema = (await calls.post(f"{REGISTRY}/schemas", TUTORIAL)).body
    await calls.post(f"{FOUNDATION}/catalog/dataSets", {"name": "d", "tags": {"a": ["b"]}})
    await calls.post(f"{FOUNDATION}/conversion/mappingSets", today(schema, FIRST))
    paths = {
        f"{REGISTRY}/schemas": ("orderby", "limit", "start", "property"),
        f"{REGISTRY}/descriptors": ("orderby", "limit", "start", "property"),
        f"{FOUNDATION}/catalog/dataSets": (
            *("orderBy", "limit", "start", "property", "properties", "tags", "name"),
            *("createdAfter", "createdBefore"),
        ),
        f"{FOUNDATION}/catalog/batches": ("orderBy", "status", "dataSet", "property"),
        f"{FOUNDATION}/conversion/mappingSets": ("limit", "start", "orderBy", "name"),
        "/data/infrastructure/observability/insights/metrics": ("metric", "id", "dateRange"),
    }
    for path, names in paths.items():
        form = "xdm-v2" if path.endswith("descriptors") else "xed"
        accept = {"Accept": f"application/vnd.adobe.{form}+json"}
        for _ in range(60):
            chosen = dice.sample(names, dice.randint(1, len(names)))
            query = "&".join(f"{name}={quote(dice.choice(QUERIES))}" for name in chosen)
            answer = await calls.get(f"{path}?{query}", headers=accept)
            assert answer.status in (200, 400), (path, query, answer.body)
