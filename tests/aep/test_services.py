"""The other services' clients: what they ask, and how they read each service's own lists."""

from datetime import UTC, datetime
from typing import Any

import pytest

from aep.scripted import Answer, Asked, asking
from agent.aep.observability import INLET_SUCCESS, Metric
from agent.errors import NotFound, PlatformAway, PlatformError

REGISTRY = "/data/foundation/schemaregistry"
CATALOG = "/data/foundation/catalog"
CONVERSION = "/data/foundation/conversion"
EXPORT = "/data/foundation/export"

OURS = "https://ns.adobe.com/acme/schemas/1f"
QUOTED = "https%3A%2F%2Fns.adobe.com%2Facme%2Fschemas%2F1f"


def registry(asked: Asked) -> Answer:
    """A registry that only says whose it is, and which component was asked for."""
    if asked.path.endswith("/stats"):
        return Answer({"tenantId": "acme", "counts": {}})
    return Answer({"$id": asked.path.rpartition("/")[2]})


async def test_a_component_is_asked_for_in_its_container_and_with_a_version() -> None:
    async with asking(registry) as (platform, script):
        await platform.schemas.get("schemas", OURS)
        await platform.schemas.get("schemas", "_acme.schemas.1f", full=True, version=2)
        await platform.schemas.get("classes", "https://ns.adobe.com/xdm/context/profile")
        await platform.schemas.get("fieldgroups", "_xdm.context.profile-person-details")
        assert await platform.schemas.tenant() == "acme"
    assert [call for call in script.calls if not call.endswith("stats")] == [
        f"GET {REGISTRY}/tenant/schemas/{QUOTED}",
        f"GET {REGISTRY}/tenant/schemas/_acme.schemas.1f",
        f"GET {REGISTRY}/global/classes/https%3A%2F%2Fns.adobe.com%2Fxdm%2Fcontext%2Fprofile",
        f"GET {REGISTRY}/global/fieldgroups/_xdm.context.profile-person-details",
    ]
    assert script.calls.count(f"GET {REGISTRY}/stats") == 1
    accepted = [each.headers["Accept"] for each in script.asked if "stats" not in each.path]
    assert accepted[:2] == [
        "application/vnd.adobe.xed+json; version=1",
        "application/vnd.adobe.xed-full+json; version=2",
    ]


async def test_all_pages_of_schemas_are_read_from_where_each_says_the_next_begins() -> None:
    def page(asked: Asked) -> Answer:
        start = dict(asked.query).get("start")
        results = [{"title": "Orders", "$id": start or "first"}, {"title": "Orders (old)"}]
        following = {None: "Orders (old)", "Orders (old)": None}[start]
        return Answer({"results": results, "_page": {"next": following, "count": 2}})

    async with asking(page) as (platform, script):
        found = await platform.schemas.find("schemas", title="Orders")
    assert [each["$id"] for each in found] == ["first", "Orders (old)"]
    first = script.asked[0]
    assert first.path == f"{REGISTRY}/tenant/schemas"
    assert first.headers["Accept"] == "application/vnd.adobe.xed-id+json"
    assert ("property", "title==Orders") in first.query
    assert ("orderby", "title") in first.query


async def test_descriptors_are_read_as_lists_and_as_older_registries_give_them() -> None:
    ours = {"@id": "d1", "@type": "xdm:descriptorIdentity", "xdm:sourceSchema": OURS}
    other = {"@id": "d2", "xdm:sourceSchema": "another"}
    for body in ({"results": [ours, other]}, {"xdm:descriptorIdentity": [ours], "x": [other]}):
        async with asking(Answer(body)) as (platform, _):
            assert await platform.schemas.descriptors(OURS) == [ours]
            assert len(await platform.schemas.descriptors()) == 2
    async with asking(Answer([])) as (platform, _):
        with pytest.raises(PlatformAway, match="holds no results"):
            await platform.schemas.descriptors(OURS)


async def test_components_and_descriptors_are_made_changed_and_deleted_in_our_container() -> None:
    operations = [{"op": "add", "path": "/meta:immutableTags", "value": ["union"]}]
    async with asking(Answer({"$id": OURS}, 201)) as (platform, script):
        assert (await platform.schemas.create("schemas", {"title": "x"}))["$id"] == OURS
        await platform.schemas.patch("schemas", OURS, operations)
        await platform.schemas.describe({"@type": "xdm:descriptorIdentity"})
        await platform.schemas.delete("schemas", OURS)
        await platform.schemas.delete_descriptor("d1")
    assert script.calls == [
        f"POST {REGISTRY}/tenant/schemas",
        f"PATCH {REGISTRY}/tenant/schemas/{QUOTED}",
        f"POST {REGISTRY}/tenant/descriptors",
        f"DELETE {REGISTRY}/tenant/schemas/{QUOTED}",
        f"DELETE {REGISTRY}/tenant/descriptors/d1",
    ]
    assert script.asked[1].body == operations


async def test_a_registry_without_a_tenant_is_none() -> None:
    async with asking(Answer({"counts": {}})) as (platform, _):
        with pytest.raises(PlatformAway, match="no tenantId"):
            await platform.schemas.tenant()


async def test_a_new_dataset_is_known_by_what_the_reference_to_it_says() -> None:
    async with asking(Answer(["@/dataSets/5f3c9e27a1b2c3d4e5f60718"], 201)) as (platform, script):
        assert await platform.catalog.create_dataset({"name": "d"}) == "5f3c9e27a1b2c3d4e5f60718"
    assert script.calls == [f"POST {CATALOG}/dataSets"]
    async with asking(Answer(["@/batches/1"], 201)) as (platform, _):
        with pytest.raises(PlatformAway, match="may have been carried out"):
            await platform.catalog.create_dataset({"name": "d"})


async def test_datasets_are_objects_by_id_and_all_pages_of_them_are_read() -> None:
    everything = {f"{n:024x}": {"name": "orders" if n % 70 == 0 else "x"} for n in range(250)}

    def page(asked: Asked) -> Answer:
        query = dict(asked.query)
        start, limit = int(query["start"]), int(query["limit"])
        return Answer(dict(list(everything.items())[start : start + limit]))

    async with asking(page) as (platform, script):
        found = await platform.catalog.find_datasets("orders")
    assert [each["id"] for each in found] == [f"{n:024x}" for n in (0, 70, 140, 210)]
    assert len(script.asked) == 3
    assert ("property", "name==orders") in script.asked[0].query


async def test_one_dataset_is_keyed_too_and_no_object_is_none() -> None:
    async with asking(Answer({"d1": {"name": "orders"}}), Answer({})) as (platform, script):
        assert await platform.catalog.dataset("d1") == {"name": "orders", "id": "d1"}
        with pytest.raises(NotFound):
            await platform.catalog.dataset("d1")
        await platform.catalog.patch_dataset("d1", {"tags": {}})
        await platform.catalog.delete_dataset("d1")
    assert script.calls[2:] == [f"PATCH {CATALOG}/dataSets/d1", f"DELETE {CATALOG}/dataSets/d1"]


async def test_batches_are_of_a_dataset_and_have_a_status() -> None:
    batches = {"b1": {"status": "failed"}, "b2": {"status": "success"}}
    async with asking(Answer(batches)) as (platform, script):
        assert [each["id"] for each in await platform.catalog.batches("d1", "failed")] == ["b1"]
        assert len(await platform.catalog.batches("d1", since=17)) == 2
    first, second = (dict(each.query) for each in script.asked)
    assert (first["dataSet"], first["status"]) == ("d1", "failed")
    assert second["createdAfter"] == "17"


async def test_failed_records_are_read_from_each_file_line_by_line() -> None:
    def files(asked: Asked) -> Answer:
        path = dict(asked.query).get("path")
        if path is None:
            names = [{"name": name} for name in ("_SUCCESS", "part-0.json", "part 1.json")]
            return Answer({"data": names, "_page": {"limit": 100, "count": 3}})
        record = b'{"name":"%b"}' % path.encode()
        return Answer(record + b"\n\n" + record)

    async with asking(files) as (platform, script):
        found = [each async for each in platform.catalog.failed_records("b1")]
    assert found == [b'{"name":"part-0.json"}'] * 2 + [b'{"name":"part 1.json"}'] * 2
    assert set(script.calls) == {f"GET {EXPORT}/batches/b1/failed"}


async def test_failed_records_are_asked_for_again_until_the_first_has_come() -> None:
    names = Answer({"data": [{"name": "part"}]})
    lines = Answer(b'{"n":1}\n{"n":2}')
    async with asking(names, Answer(status=503), Answer(status=None), lines) as (platform, script):
        assert len([each async for each in platform.catalog.failed_records("b1")]) == 2
    assert len(script.asked) == 4


async def test_failed_records_that_cannot_be_had_are_an_error() -> None:
    def files(asked: Asked) -> Answer:
        gone = Answer({"title": "NotFound", "detail": "no such file"}, 404)
        return gone if "path" in dict(asked.query) else Answer({"data": [{"name": "part"}]})

    async with asking(files) as (platform, _):
        with pytest.raises(NotFound, match=r"Data Access: .*no such file"):
            [each async for each in platform.catalog.failed_records("b1")]
    long = Answer(b"x" * 70_000)
    async with asking(Answer({"data": [{"name": "part"}]}), long, max_answer_bytes="64KB") as (
        platform,
        _,
    ):
        with pytest.raises(PlatformAway, match="a line is longer than 64000 bytes"):
            [each async for each in platform.catalog.failed_records("b1")]


async def test_a_mapping_set_is_known_by_id_and_version() -> None:
    kept = {"id": "a" * 32, "version": 0, "createdDate": 1}
    async with asking(Answer(kept)) as (platform, script):
        assert await platform.dataprep.create({"mappings": []}) == kept
        await platform.dataprep.get("m", 3)
        await platform.dataprep.put("m", {"mappings": []})
    assert script.calls == [
        f"POST {CONVERSION}/mappingSets",
        f"GET {CONVERSION}/mappingSets/m",
        f"PUT {CONVERSION}/mappingSets/m",
    ]
    assert script.asked[1].query == [("version", "3")]


async def test_a_new_version_of_a_mapping_set_is_not_asked_for_twice() -> None:
    for trouble in (Answer(status=500), Answer(status=None)):
        async with asking(trouble, Answer({"id": "m", "version": 2})) as (platform, script):
            with pytest.raises(PlatformAway, match="may have been carried out"):
                await platform.dataprep.put("m", {"mappings": []})
        assert len(script.asked) == 1


async def test_mapping_sets_are_listed_with_limit_and_start_and_as_many_as_are_given() -> None:
    def page(asked: Asked) -> Answer:
        start = int(dict(asked.query)["start"])
        assert "limit" in dict(asked.query)
        found = [{"id": str(n), "name": "m"} for n in range(start, min(start + 10, 25))]
        return Answer({"data": found, "_page": {"count": len(found), "limit": 10}})

    async with asking(page) as (platform, _):
        assert len(await platform.dataprep.find("m")) == 25


async def test_mappings_are_tried_as_often_as_need_be() -> None:
    verdicts = {"validationResponse": [{"status": "SUCCESS", "errors": None}]}
    async with asking(Answer(status=500), Answer(verdicts)) as (platform, script):
        assert await platform.dataprep.validate({}) == verdicts["validationResponse"]
    assert script.calls == [f"POST {CONVERSION}/mappingSets/validate"] * 2
    previews = [{"data": {"_id": "1234"}, "errors": None}]
    async with asking(Answer(previews)) as (platform, script):
        assert await platform.dataprep.preview([{"id": 1234}], {"mappings": []}) == previews
    assert script.asked[0].body == {"data": [{"id": 1234}], "mappingSet": {"mappings": []}}
    async with asking(Answer([{"function": "concat"}])) as (platform, script):
        assert await platform.dataprep.functions() == [{"function": "concat"}]
    assert script.calls == [f"GET {CONVERSION}/languages/el/functions"]


async def test_counts_are_asked_for_in_a_time_and_added_up() -> None:
    points = [{"groupBy": {"inletId": "in"}, "dps": {"2026-03-01T12:00:00Z": 4, "x": 2}}, {}]
    body = {"metricResponses": [{"metric": INLET_SUCCESS, "datapoints": points}]}
    start = datetime(2026, 3, 1, 12, tzinfo=UTC)
    async with asking(Answer(body)) as (platform, script):
        metric = Metric(INLET_SUCCESS, {"inletId": ["in", "other"]})
        assert await platform.observability.total(start, start.replace(hour=13), metric) == 6
    assert script.calls == ["POST /data/infrastructure/observability/insights/metrics"]
    assert script.asked[0].body == {
        "start": "2026-03-01T12:00:00.000Z",
        "end": "2026-03-01T13:00:00.000Z",
        "granularity": "MINUTE",
        "metrics": [
            {
                "name": INLET_SUCCESS,
                "aggregator": "sum",
                "filters": [{"name": "inletId", "value": "in|other", "groupBy": True}],
            }
        ],
    }


async def test_sandboxes_are_asked_for_outside_of_any() -> None:
    usable = Answer({"sandboxes": [{"name": "prod"}, {"name": "dev"}]})
    async with asking(usable, usable, Answer({"name": "new", "state": "creating"}, 202)) as (
        platform,
        script,
    ):
        assert (await platform.sandboxes.get("dev"))["name"] == "dev"
        with pytest.raises(NotFound, match="write one of those there are: dev, prod"):
            await platform.sandboxes.get("devv")
        assert (await platform.sandboxes.create("new", "New"))["state"] == "creating"
    assert script.calls[0] == "GET /data/foundation/sandbox-management/"
    assert script.calls[2] == "POST /data/foundation/sandbox-management/sandboxes"
    named = ["x-sandbox-name" in each.headers for each in script.asked]
    assert named == [False, False, True]


@pytest.mark.parametrize("body", [None, [], "text", {"items": 3}, {"items": [3]}])
async def test_a_success_that_is_no_list_is_never_an_empty_list(body: Any) -> None:
    async with asking(Answer(body)) as (platform, _):
        for listing in (
            platform.flow.find("flows"),
            platform.schemas.find("schemas"),
            platform.dataprep.find(),
            platform.sandboxes.usable(),
        ):
            with pytest.raises(PlatformError):
                await listing


async def test_catalog_that_lists_no_objects_is_never_an_empty_catalog() -> None:
    for body in ([], "text", None):
        async with asking(Answer(body)) as (platform, _):
            with pytest.raises(PlatformError):
                await platform.catalog.find_datasets("orders")
