"""Data Prep: mapping sets in both vocabularies and all their versions, tried and listed."""

import re
from typing import Any

import pytest

from support.platform import Answered, Calls

ROOT = "/data/foundation/conversion"
SCHEMA = {
    "title": "Sample schema",
    "type": "object",
    "allOf": [
        {"$ref": "https://ns.adobe.com/xdm/context/profile"},
        {"$ref": "https://ns.adobe.com/xdm/context/profile-person-details"},
        {"$ref": "https://ns.adobe.com/xdm/context/profile-personal-details"},
    ],
}
FIRST = {"sourceType": "ATTRIBUTE", "source": "firstName", "destination": "person.name.firstName"}
LAST = {
    "sourceType": "EXPRESSION",
    "source": "upper(lastName)",
    "destination": "person.name.lastName",
    "description": "as it is printed",
}


@pytest.fixture
async def schema(calls: Calls) -> Any:
    return (await calls.post("/data/foundation/schemaregistry/tenant/schemas", SCHEMA)).body


def tutorial(schema: Any) -> dict[str, Any]:
    """The body of the tutorial's sixth call."""
    return {
        "version": 0,
        "xdmSchema": schema["meta:altId"],
        "xdmVersion": "1.0",
        "mappings": [
            {
                "destinationXdmPath": f"person.name.{name}",
                "sourceAttribute": name,
                "identity": False,
                "version": 0,
            }
            for name in ("firstName", "lastName")
        ],
    }


def today(schema: Any, *mappings: Any) -> dict[str, Any]:
    content_type = "application/vnd.adobe.xed-full+json;version=1"
    return {
        "name": "People",
        "outputSchema": {"schemaRef": {"id": schema["$id"], "contentType": content_type}},
        "mappings": list(mappings or (FIRST, LAST)),
    }


async def make(calls: Calls, body: Any) -> str:
    answer = await calls.post(f"{ROOT}/mappingSets", body)
    assert answer.status == 200, answer.body
    return str(answer.body["id"])


async def test_the_tutorials_mapping_set_is_made_and_answered_as_it_says(
    calls: Calls, schema: Any
) -> None:
    answer = await calls.post(f"{ROOT}/mappingSets", tutorial(schema))

    assert answer.status == 200
    assert set(answer.body) == {
        "id",
        "version",
        "createdDate",
        "modifiedDate",
        "createdBy",
        "modifiedBy",
    }
    assert re.fullmatch("[0-9a-f]{32}", answer.body["id"])
    assert answer.body["version"] == 0
    assert isinstance(answer.body["createdDate"], int)


@pytest.mark.parametrize("form", [tutorial, today])
async def test_a_mapping_set_is_kept_in_both_vocabularies_whichever_it_came_in(
    calls: Calls, schema: Any, form: Any
) -> None:
    id_ = await make(calls, form(schema))

    kept = (await calls.get(f"{ROOT}/mappingSets/{id_}")).body

    assert kept["outputSchema"]["schemaRef"]["id"] == schema["$id"]
    assert kept["xdmSchema"] in (schema["$id"], schema["meta:altId"])
    assert kept["xdmVersion"] == "1.0"
    assert kept["supportVersion"] == "1.1"
    first = kept["mappings"][0]
    assert first["source"] == first["sourceAttribute"] == "firstName"
    assert first["destination"] == first["destinationXdmPath"] == "person.name.firstName"
    assert first["sourceType"] == "text/x.schema-path"
    assert (first["identity"], first["primaryIdentity"], first["matchScore"]) == (False, False, 0.0)
    assert first["functionVersion"] == 1


async def test_every_put_makes_a_version_and_all_of_them_can_be_had(
    calls: Calls, schema: Any
) -> None:
    id_ = await make(calls, today(schema, FIRST))
    path = f"{ROOT}/mappingSets/{id_}"

    for number in (1, 2):
        source = {**FIRST, "source": f"name{number}"}
        answer = await calls.put(path, today(schema, source))
        assert (answer.status, answer.body["version"]) == (200, number)

    async def source_of(query: str) -> Any:
        return (await calls.get(f"{path}{query}")).body["mappings"][0]["source"]

    assert await source_of("") == await source_of("?version=2") == "name2"
    assert await source_of("?version=0") == "firstName"
    assert await source_of("?version=1") == "name1"
    assert (await calls.get(f"{path}?version=3")).status == 404
    assert (await calls.get(f"{path}?version=x")).status == 400
    assert "earlier" not in (await calls.get(path)).body


async def test_mappings_can_be_had_one_by_one(calls: Calls, schema: Any) -> None:
    path = f"{ROOT}/mappingSets/{await make(calls, today(schema))}/mappings"

    first, last = (await calls.get(path)).body
    one = (await calls.get(f"{path}/{last['id']}")).body

    assert first["source"] == "firstName"
    assert one == last
    assert one["description"] == "as it is printed"
    assert (await calls.get(f"{path}/none")).status == 404


async def test_the_schema_is_shown_where_that_is_asked_for(calls: Calls, schema: Any) -> None:
    path = f"{ROOT}/mappingSets/{await make(calls, today(schema))}"

    expanded = (await calls.get(f"{path}?expandSchema=true")).body

    assert expanded["outputSchema"]["jsonSchema"]["properties"]["person"]
    assert "jsonSchema" not in (await calls.get(path)).body["outputSchema"]


async def test_a_list_needs_both_limit_and_start(calls: Calls, schema: Any) -> None:
    path = f"{ROOT}/mappingSets"
    for name in "ab":
        await make(calls, {**today(schema), "name": name})

    async def names(query: str) -> Any:
        return [each["name"] for each in (await calls.get(f"{path}?{query}")).body["data"]]

    first = (await calls.get(f"{path}?limit=1&start=0&orderBy=-name")).body
    assert [each["name"] for each in first["data"]] == ["b"]
    assert first["_page"] == {"count": 1, "limit": 1}
    assert first["_links"]["next"]["href"].endswith("?limit=1&start=1")
    assert await names("limit=5&start=1") == ["b"]
    assert await names("limit=5&start=0&name=a") == ["a"]
    for query, missing in (
        ("limit=5", "start"),
        ("start=0", "limit"),
        ("limit=x&start=0", "limit"),
    ):
        answer = await calls.get(f"{path}?{query}")
        assert answer.status == 400
        assert missing in answer.body["detail"]


async def test_a_mapping_set_goes_when_no_flow_uses_it(
    client: Any, calls: Calls, schema: Any
) -> None:
    id_ = await make(calls, today(schema))
    params = {"mappingId": id_, "mappingVersion": 0}
    flow = client.emulator.platform.flows.add(
        {"transformations": [{"name": "Mapping", "params": params}]}
    )
    path = f"{ROOT}/mappingSets/{id_}"

    used = await calls.delete(path)
    client.emulator.platform.flows.remove(flow.id)

    assert used.status == 400
    assert flow.id in used.body["detail"]
    assert (await calls.delete(path)).status == 204
    assert (await calls.get(path)).status == 404


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mappings": []}, "list of mappings"),
        ({"outputSchema": None}, "name the schema"),
        ({"outputSchema": {"schemaRef": {"id": "https://ns.adobe.com/none"}}}, "cannot be used"),
        (
            {"mappings": [FIRST, {**FIRST, "destination": "person.nickname"}]},
            "mappings[1]: Sample schema has no field person.nickname",
        ),
        ({"mappings": [{**LAST, "source": "upper(lastName"}]}, "mappings[0]: "),
        ({"mappings": [{**FIRST, "sourceType": "GUESS"}]}, "GUESS"),
    ],
)
async def test_a_mapping_set_that_makes_no_sense_is_refused_with_every_reason(
    calls: Calls, schema: Any, changed: Any, said: str
) -> None:
    answer = await calls.post(f"{ROOT}/mappingSets", today(schema) | changed)

    assert answer.status == 400
    assert said in answer.body["detail"]
    assert answer.body["type"].endswith("MAPPER-1000-400")


async def test_each_mapping_is_validated_by_itself(calls: Calls, schema: Any) -> None:
    wrong = {**FIRST, "destination": "person.nickname"}
    broken = {**LAST, "source": "upper("}

    answer = await calls.post(f"{ROOT}/mappingSets/validate", today(schema, FIRST, wrong, broken))

    good, unknown, unparsed = answer.body["validationResponse"]
    assert good == {"status": "SUCCESS", "errors": None}
    assert unknown["status"] == unparsed["status"] == "FAILED"
    (error,) = unknown["errors"]
    assert error["destination"] == "person.nickname"
    assert error["sourceType"] == "ATTRIBUTE"
    assert error["exception"] == "Sample schema has no field person.nickname"
    assert (await calls.post(f"{ROOT}/mappingSets/validate", {"mappings": 7})).status == 400


async def preview(calls: Calls, mapping_set: Any, *records: Any) -> Answered:
    body = {"data": list(records), "mappingSet": mapping_set}
    return await calls.post(f"{ROOT}/mappingSets/preview", body)


async def test_a_preview_shows_what_becomes_of_records_coerced_to_their_fields(
    calls: Calls, schema: Any
) -> None:
    number = {"source": "id", "destination": "personID"}
    failing = {**LAST, "source": "substr(lastName, lastName, 1)"}

    answer = await preview(
        calls,
        today(schema, FIRST, number, failing),
        {"firstName": "Jane", "id": 1234, "lastName": "Doe"},
        {"firstName": "John"},
    )

    first, second = answer.body
    assert first["data"] == {"person": {"name": {"firstName": "Jane"}}, "personID": "1234"}
    (error,) = first["errors"]
    assert error["destination"] == "person.name.lastName"
    assert error["source"] == failing["source"]
    assert second["data"] == {"person": {"name": {"firstName": "John"}}}


async def test_a_preview_needs_no_schema(calls: Calls) -> None:
    answer = await preview(calls, {"mappings": [FIRST]}, {"firstName": "Jane"})

    assert answer.body == [{"data": {"person": {"name": {"firstName": "Jane"}}}, "errors": None}]


@pytest.mark.parametrize(
    "body",
    [
        {"data": {}, "mappingSet": {"mappings": [FIRST]}},
        {"data": [{}] * 1001, "mappingSet": {"mappings": [FIRST]}},
        {"data": [{}], "mappingSet": None},
        {"data": [{}], "mappingSet": {"mappings": [{}]}},
    ],
)
async def test_a_preview_that_makes_no_sense_is_refused(calls: Calls, body: Any) -> None:
    assert (await calls.post(f"{ROOT}/mappingSets/preview", body)).status == 400


@pytest.mark.parametrize(
    ("expression", "is_one"),
    [("upper(name)", True), ("upper(", False), ("nofunction(1)", False), ("1 + 2", True)],
)
async def test_an_expression_is_told_to_be_one_or_not(
    calls: Calls, expression: str, is_one: bool
) -> None:
    answer = await calls.post(f"{ROOT}/languages/el/validate", {"expression": expression})

    assert (answer.status, answer.body) == (200, is_one)


async def test_the_language_tells_its_functions_and_operators(calls: Calls) -> None:
    functions = (await calls.get(f"{ROOT}/languages/el/functions")).body
    operators = (await calls.get(f"{ROOT}/languages/el/operators")).body

    named = {each["function"]: each for each in functions}
    assert {"concat", "iif", "sha256", "map_get_values"} <= set(named)
    assert set(named["concat"]) >= {"category", "syntax", "returnType", "params", "since"}
    assert {"+", "/", "~", "!"} <= {each["operatorSymbol"] for each in operators}
    assert (await calls.post(f"{ROOT}/languages/el/validate", {})).status == 400
