"""The Schema Registry: what is made, how it is shown, what is refused and in which words."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from emulator.registry import (
    DETAILS,
    EVENT,
    ID,
    LOYALTY,
    PERSONAL,
    PROFILE,
    ROOT,
    TUTORIAL,
    WORK,
    XED,
    accepting,
    code,
    made,
)
from support.platform import Calls


async def test_the_tutorials_schema_is_made_and_answered_as_it_says(calls: Calls) -> None:
    schema = await made(calls, "schemas", TUTORIAL)

    assert re.fullmatch("https://ns.adobe.com/emulated/schemas/[0-9a-f]{48}", schema["$id"])
    assert schema["meta:altId"] == "_emulated.schemas." + schema["$id"][-48:]
    assert schema["meta:resourceType"] == "schemas"
    assert schema["version"] == "1.0"
    assert schema["allOf"][0] == {"$ref": PROFILE, "type": "object", "meta:xdmType": "object"}
    assert set(schema["refs"]) == {PROFILE, DETAILS, PERSONAL}
    assert {PROFILE, DETAILS, "https://ns.adobe.com/xdm/data/record"} <= set(schema["meta:extends"])
    assert schema["meta:class"] == PROFILE
    assert (schema["meta:extensible"], schema["meta:abstract"]) == (False, False)
    assert schema["meta:sandboxType"] == "production"
    assert schema["meta:tenantNamespace"] == "_emulated"
    metadata = schema["meta:registryMetadata"]
    assert metadata["repo:createdDate"] == metadata["repo:lastModifiedDate"]
    assert metadata["xdm:createdClientId"] == "some-client"
    assert re.fullmatch("[0-9a-f]{64}", metadata["eTag"])


async def test_stats_tell_the_tenant_what_there_is_and_which_classes_are_used(
    calls: Calls,
) -> None:
    schema = await made(calls, "schemas", TUTORIAL)
    await made(calls, "fieldgroups", LOYALTY)

    stats = (await calls.get(f"{ROOT}/stats")).body

    assert stats["tenantId"] == "emulated"
    assert stats["counts"] == {"schemas": 1, "mixins": 1, "datatypes": 0, "classes": 0, "unions": 0}
    assert {each["title"] for each in stats["recentlyCreatedResources"]} == {
        "Loyalty",
        TUTORIAL["title"],
    }
    (usage,) = stats["classUsage"]
    assert (usage["$id"], usage["schemas"][0]["$id"]) == (PROFILE, schema["$id"])


@pytest.mark.parametrize("spelling", ["$id", "meta:altId"])
async def test_a_component_is_found_by_its_quoted_id_and_by_its_alternate_id(
    calls: Calls, spelling: str
) -> None:
    schema = await made(calls, "schemas", TUTORIAL)
    ref = quote(schema[spelling], safe="")

    found = await calls.get(f"{ROOT}/tenant/schemas/{ref}", headers=accepting(f"{XED}; version=1"))

    assert found.status == 200
    assert found.body == schema
    assert found.headers["Content-Type"].startswith("application/vnd.adobe.xed+json")


async def test_forms_resolve_what_is_referred_to_and_leave_words_out(calls: Calls) -> None:
    group = await made(calls, "fieldgroups", LOYALTY)
    parts = [*TUTORIAL["allOf"], {"$ref": group["$id"]}]
    schema = await made(calls, "schemas", TUTORIAL, allOf=parts)
    path = f"{ROOT}/tenant/schemas/{schema['meta:altId']}"

    async def shown(form: str) -> Any:
        media_type = f"application/vnd.adobe.{form}+json;version=1"
        return (await calls.get(path, headers=accepting(media_type))).body

    full, brief, quiet = [await shown(f) for f in ("xed-full", "xed", "xed-full-notext")]

    own = full["properties"]["_emulated"]["properties"]
    assert own["loyaltyId"]["title"] == "Loyalty id"
    assert full["properties"]["person"]["properties"]["name"]["properties"]["firstName"]
    assert "allOf" not in full
    assert "allOf" in brief
    assert "title" not in quiet["properties"]["_emulated"]["properties"]["loyaltyId"]
    assert "title" not in quiet
    assert "meta:descriptors" in await shown("xed-full-desc")


@pytest.mark.parametrize(
    ("path", "sent", "wanted"),
    [
        ("tenant/schemas", f"{XED};version=1", "XDM-1006-400"),
        ("tenant/schemas", "application/json", "XDM-1006-400"),
        ("tenant/schemas", "", "XDM-1006-400"),
        ("tenant/schemas/x", XED, "XDM-1007-400"),
        ("tenant/schemas/x", "*/*", "XDM-1007-400"),
        ("tenant/schemas/x", f"{ID};version=1", "XDM-1007-400"),
        ("tenant/descriptors", XED, "XDM-1008-400"),
        ("tenant/descriptors/x", f"{XED};version=1", "XDM-1009-400"),
    ],
)
async def test_a_wrong_accept_header_is_told_of_with_a_right_one(
    calls: Calls, path: str, sent: str, wanted: str
) -> None:
    answer = await calls.get(f"{ROOT}/{path}", headers=accepting(sent or "*/*"))

    assert answer.status == 400
    assert code(answer) == wanted
    assert answer.body["title"] == "Accept header invalid"
    assert "A valid Accept value should look like application/vnd.adobe." in answer.body["detail"]
    assert answer.body["report"]["registryRequestId"] == answer.headers["x-request-id"]
    assert re.fullmatch(r"\d\d-\d\d-\d{4} \d\d:\d\d:\d\d", answer.body["report"]["timestamp"])


async def test_a_component_or_version_that_does_not_exist_is_not_found(calls: Calls) -> None:
    schema = await made(calls, "schemas", TUTORIAL)
    headers = accepting(f"{XED};version=2")

    unknown = await calls.get(f"{ROOT}/tenant/schemas/none", headers=accepting(f"{XED};version=1"))
    later = await calls.get(f"{ROOT}/tenant/schemas/{schema['meta:altId']}", headers=headers)

    assert code(unknown) == code(later) == "XDM-1012-404"
    assert "with version 2 is not found" in later.body["detail"]


async def test_titles_are_unique_in_a_sandbox_whatever_the_kind(calls: Calls) -> None:
    schema = await made(calls, "schemas", TUTORIAL)
    await calls.post(
        "/data/foundation/sandbox-management/sandboxes",
        {"name": "dev", "title": "Dev", "type": "development"},
    )
    again = {**LOYALTY, "title": TUTORIAL["title"]}

    here = await calls.post(f"{ROOT}/tenant/fieldgroups", again)
    elsewhere = await calls.post(
        f"{ROOT}/tenant/schemas", TUTORIAL, headers={"x-sandbox-name": "dev"}
    )

    assert code(here) == "XDM-1521-400"
    assert schema["$id"] in here.body["detail"]
    assert elsewhere.status == 201
    assert elsewhere.body["meta:sandboxType"] == "development"


@pytest.mark.parametrize(
    ("kind", "changed", "wanted", "said"),
    [
        ("schemas", {"title": " "}, "XDM-1500-400", "title"),
        ("schemas", {"allOf": []}, "XDM-1500-400", "allOf"),
        ("schemas", {"allOf": [{"$ref": DETAILS}]}, "XDM-1500-400", "one class; found 0"),
        (
            "schemas",
            {"allOf": [{"$ref": PROFILE}, {"$ref": "https://ns.adobe.com/x/none"}]},
            "XDM-1413-400",
            "https://ns.adobe.com/x/none",
        ),
        ("schemas", {"allOf": [{"$ref": EVENT}, {"$ref": WORK}]}, "XDM-1413-400", EVENT),
        ("fieldgroups", {"meta:intendedToExtend": []}, "XDM-1500-400", "intendedToExtend"),
        ("fieldgroups", {"meta:intendedToExtend": ["none"]}, "XDM-1413-400", "none"),
        (
            "fieldgroups",
            {"definitions": {"own": {"properties": {"points": {"type": "integer"}}}}},
            "XDM-1021-400",
            "_emulated",
        ),
        (
            "fieldgroups",
            {
                "definitions": {
                    "own": {
                        "properties": {
                            "_emulated": {"properties": {"a": {"$ref": "https://none/of/these"}}}
                        }
                    }
                }
            },
            "XDM-1413-400",
            "https://none/of/these",
        ),
    ],
)
async def test_what_makes_no_sense_is_refused_with_what_is_wrong(
    calls: Calls, kind: str, changed: dict[str, Any], wanted: str, said: str
) -> None:
    body = (TUTORIAL if kind == "schemas" else LOYALTY) | changed

    answer = await calls.post(f"{ROOT}/tenant/{kind}", body)

    assert (answer.status, code(answer)) == (400, wanted), answer.body
    assert said in answer.body["detail"]


async def test_field_groups_may_be_called_mixins_as_they_were_once(calls: Calls) -> None:
    group = await made(calls, "mixins", LOYALTY)

    found = await calls.get(
        f"{ROOT}/tenant/fieldgroups/{group['meta:altId']}", headers=accepting(f"{XED};version=1")
    )

    assert "/mixins/" in group["$id"]
    assert found.body["$id"] == group["$id"]
    assert found.body["meta:extensible"] is True


async def test_adobes_components_are_listed_and_cannot_be_changed(calls: Calls) -> None:
    classes = await calls.get(f"{ROOT}/global/classes", headers=accepting(ID))
    behaviors = await calls.get(f"{ROOT}/global/behaviors", headers=accepting(XED))
    full = await calls.get(
        f"{ROOT}/global/classes/{quote(PROFILE, safe='')}",
        headers=accepting("application/vnd.adobe.xed-full+json;version=1"),
    )

    assert {PROFILE, EVENT} <= {each["$id"] for each in classes.body["results"]}
    assert set(classes.body["results"][0]) == {"$id", "meta:altId", "version", "title"}
    assert len(behaviors.body["results"]) >= 2
    assert "_repo" in full.body["properties"]
    assert (await calls.post(f"{ROOT}/global/classes", TUTORIAL)).status == 403
    assert (await calls.delete(f"{ROOT}/global/classes/{quote(PROFILE, safe='')}")).status == 403


async def test_lists_come_in_pages_whose_next_is_the_last_value_seen(calls: Calls) -> None:
    for letter in "dbac":
        await made(calls, "schemas", TUTORIAL, title=f"Schema {letter}")
    path = f"{ROOT}/tenant/schemas"

    first = (await calls.get(f"{path}?orderby=title&limit=3", headers=accepting(ID))).body
    second = (
        await calls.get(
            f"{path}?orderby=title&limit=3&start={quote(first['_page']['next'])}",
            headers=accepting(ID),
        )
    ).body
    down = (await calls.get(f"{path}?orderby=-title&limit=1", headers=accepting(XED))).body
    one = (
        await calls.get(f"{path}?property={quote('title==Schema a')}", headers=accepting(ID))
    ).body

    assert [each["title"][-1] for each in first["results"]] == ["a", "b", "c"]
    assert first["_page"] == {"orderby": "title", "next": "Schema c", "count": 3}
    assert first["_links"]["global_schemas"]["href"].endswith("/global/schemas")
    assert [each["title"][-1] for each in second["results"]] == ["d"]
    assert second["_page"]["next"] is None
    assert down["results"][0]["allOf"]
    assert [each["title"] for each in one["results"]] == ["Schema a"]


@pytest.mark.parametrize(
    "query", ["limit=3", "start=x", "orderby=title&limit=x", "property=title~("]
)
async def test_a_list_asked_for_wrongly_is_refused(calls: Calls, query: str) -> None:
    answer = await calls.get(f"{ROOT}/tenant/schemas?{query}", headers=accepting(ID))

    assert answer.status == 400


async def test_a_page_is_longer_than_its_limit_where_a_value_is_several_components(
    calls: Calls,
) -> None:
    for letter in "abc":
        await made(calls, "schemas", TUTORIAL, title=letter, description="the same")

    page = await calls.get(
        f"{ROOT}/tenant/schemas?orderby=description&limit=1", headers=accepting(ID)
    )

    assert page.body["_page"] == {"orderby": "description", "next": None, "count": 3}
