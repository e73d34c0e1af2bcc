"""Catalog: datasets made as the tutorial does, found, changed and removed."""

import re
from typing import Any

import pytest

from support.platform import Answered, Calls

ROOT = "/data/foundation/catalog"
SCHEMA = {
    "title": "Sample schema",
    "type": "object",
    "allOf": [{"$ref": "https://ns.adobe.com/xdm/context/profile"}],
}


@pytest.fixture
def calls(client: Any) -> Calls:
    return Calls(client.emulator.listening, client.session)


async def tutorial(calls: Calls) -> dict[str, Any]:
    """The body of the tutorial's fourth call, with a schema that is there."""
    schema = await calls.post("/data/foundation/schemaregistry/tenant/schemas", SCHEMA)
    return {
        "schemaRef": {
            "id": schema.body["$id"],
            "contentType": "application/vnd.adobe.xed-full-notext+json; version=1",
        },
        "fileDescription": {"format": "parquet"},
        "tags": {"identity": ["enabled:true"], "profile": ["enabled:true"]},
        "name": "Test streaming dataset",
    }


async def make(calls: Calls, **body: Any) -> str:
    answer = await calls.post(f"{ROOT}/dataSets?requestDataSource=true", {"name": "d", **body})
    assert answer.status == 201, answer.body
    return str(answer.body[0]).removeprefix("@/dataSets/")


async def listed(calls: Calls, query: str = "") -> Any:
    answer = await calls.get(f"{ROOT}/dataSets?{query}")
    assert answer.status == 200, answer.body
    return answer.body


async def test_the_tutorials_dataset_is_made_and_answered_as_it_says(calls: Calls) -> None:
    body = await tutorial(calls)

    answer = await calls.post(f"{ROOT}/dataSets?requestDataSource=true", body)
    (ref,) = answer.body
    found = await calls.get(f"{ROOT}/dataSets/{ref.removeprefix('@/dataSets/')}")

    assert answer.status == 201
    assert re.fullmatch("@/dataSets/[0-9a-f]{24}", ref)
    assert answer.headers["Location"].endswith(ref[1:])
    ((id_, dataset),) = found.body.items()
    assert ref.endswith(id_)
    assert dataset["schemaRef"] == body["schemaRef"]
    assert dataset["tags"] == body["tags"]
    assert dataset["imsOrg"].endswith("@AdobeOrg")
    assert dataset["createdClient"] == "some-client"
    assert dataset["created"] == dataset["updated"]


async def test_tags_of_today_are_kept_as_they_came(calls: Calls) -> None:
    tags = {
        "unifiedProfile": ["enabled:true", "isUpsert:true"],
        "unifiedIdentity": ["enabled:true"],
    }

    id_ = await make(calls, tags=tags)

    assert (await listed(calls))[id_]["tags"] == tags


async def test_a_list_is_an_object_keyed_by_id_without_pages(calls: Calls) -> None:
    ids = [await make(calls, name=f"dataset {letter}") for letter in "bca"]

    assert list(await listed(calls, "orderBy=asc:name")) == [ids[2], ids[0], ids[1]]
    assert list(await listed(calls, "orderBy=desc:name&limit=1&start=1")) == [ids[0]]
    assert await listed(calls, f"start={len(ids)}") == {}
    assert await listed(calls, "properties=name&name=dataset%20c") == {
        ids[1]: {"name": "dataset c"}
    }


async def test_a_list_has_twenty_datasets_unless_more_are_asked_for(calls: Calls) -> None:
    for number in range(101):
        await make(calls, name=f"dataset {number}")

    assert len(await listed(calls)) == 20
    assert len(await listed(calls, "limit=1000")) == 100


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("property=name==one", "1"),
        ('property=name=="one"', "1"),
        ("property=name=one", "1"),
        ("property=name~^t", "2"),
        ("property=name!=one", "2"),
        ("property=name==one,name==two", "12"),
        ("property=name==one&property=name==two", ""),
        ("property=description", "2"),
        ("property=created>1", "12"),
        ("property=created<=1", ""),
        ("property=created>x", ""),
        ("property=name>=two", "2"),
        ("property=tags.colour==red", "2"),
        ("property=tags.colour!=blue", "12"),
        ("property=tags.colour!=red", "1"),
        ("property=fileDescription.persisted==true", "12"),
        ("property=name.none", ""),
        ("tags=colour:red", "2"),
        ("tags=colour", "2"),
        ("tags=colour:blue", ""),
        ("createdAfter=1", "12"),
        ("createdBefore=1", ""),
    ],
)
async def test_datasets_are_found_by_what_they_hold(calls: Calls, query: str, found: str) -> None:
    await make(calls, name="one")
    await make(calls, name="two", description="the second", tags={"colour": ["red", "green"]})

    names = {each["name"] for each in (await listed(calls, query.replace('"', "%22"))).values()}

    assert names == {{"1": "one", "2": "two"}[number] for number in found}


@pytest.mark.parametrize("query", ["limit=x", "orderBy=name", "property=name~(", "property==x"])
async def test_a_query_that_makes_no_sense_is_refused(calls: Calls, query: str) -> None:
    await make(calls)

    answer = await calls.get(f"{ROOT}/dataSets?{query}")

    assert (answer.status, answer.body["title"]) == (400, "BadRequestError")


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": ""}, "name"),
        ({"tags": ["a"]}, "tags"),
        ({"tags": {"unifiedProfile": "enabled:true"}}, "tags.unifiedProfile"),
        ({"schemaRef": {"contentType": "x"}}, "schemaRef"),
        ({"schemaRef": {"id": "https://ns.adobe.com/emulated/schemas/none"}}, "schemas/none"),
        ({"fileDescription": {"format": "xml"}}, "fileDescription.format"),
    ],
)
async def test_a_dataset_that_makes_no_sense_is_refused(
    calls: Calls, changed: dict[str, Any], said: str
) -> None:
    body = await tutorial(calls)

    answer = await calls.post(f"{ROOT}/dataSets", body | changed)

    assert (answer.status, answer.body["title"]) == (400, "BadRequestError")
    assert said in answer.body["detail"]


async def test_a_patch_merges_an_object_or_carries_out_operations(calls: Calls) -> None:
    id_ = await make(calls, tags={"kept": ["a"]})
    one = f"{ROOT}/dataSets/{id_}"

    merged = await calls.patch(one, {"tags": {"unifiedProfile": ["enabled:true"]}})
    operations = [{"op": "replace", "path": "/name", "value": "renamed"}]
    replaced = await calls.patch(
        one, operations, headers={"Content-Type": "application/json-patch+json"}
    )
    dataset = (await listed(calls))[id_]

    assert (merged.status, merged.body) == (200, [f"@/dataSets/{id_}"])
    assert replaced.body == merged.body
    assert dataset["tags"] == {"kept": ["a"], "unifiedProfile": ["enabled:true"]}
    assert dataset["name"] == "renamed"
    assert dataset["updated"] >= dataset["created"]


@pytest.mark.parametrize(
    "body",
    ["text", [{"op": "move", "path": "/a"}], [{"op": "remove", "path": "/name"}], {"name": 7}],
)
async def test_a_patch_that_cannot_be_carried_out_changes_nothing(calls: Calls, body: Any) -> None:
    id_ = await make(calls)
    before = await listed(calls)

    answer = await calls.patch(f"{ROOT}/dataSets/{id_}", body)

    assert answer.status == 400
    assert await listed(calls) == before


async def test_a_put_forgets_what_was_said_before(calls: Calls) -> None:
    id_ = await make(calls, description="gone")

    answer = await calls.put(f"{ROOT}/dataSets/{id_}", {"name": "new"})

    assert answer.body == [f"@/dataSets/{id_}"]
    dataset = (await listed(calls))[id_]
    assert "description" not in dataset
    assert dataset["imsOrg"]


async def test_v2_takes_a_patch_of_what_is_there_now_only(calls: Calls) -> None:
    id_ = await make(calls)
    path = f"{ROOT}/v2/dataSets/{id_}"
    etag = (await calls.get(f"{ROOT}/dataSets/{id_}")).headers["ETag"]

    async def patch(etag: str) -> Answered:
        return await calls.patch(path, {"description": "x"}, headers={"If-Match": etag})

    assert (await patch(etag)).body == [f"@/dataSets/{id_}"]
    outdated = await patch(etag)
    assert (outdated.status, outdated.body["title"]) == (412, "PreconditionFailedError")
    assert etag.startswith('"')


async def test_a_removed_dataset_is_gone(calls: Calls) -> None:
    id_ = await make(calls)
    one = f"{ROOT}/dataSets/{id_}"

    removed = await calls.delete(one)

    assert (removed.status, removed.body) == (200, [f"@/dataSets/{id_}"])
    again = await calls.get(one)
    assert (again.status, again.body["title"]) == (404, "NotFoundError")
    assert (await calls.patch(one, {})).status == 404


async def test_datasets_lie_in_their_own_sandbox(calls: Calls) -> None:
    body = {"name": "dev", "title": "Dev", "type": "development"}
    await calls.post("/data/foundation/sandbox-management/sandboxes", body)
    id_ = await make(calls)
    there = {"x-sandbox-name": "dev"}

    assert (await calls.get(f"{ROOT}/dataSets", headers=there)).body == {}
    assert (await calls.get(f"{ROOT}/dataSets/{id_}", headers=there)).status == 404
