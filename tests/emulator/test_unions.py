"""Which schemas are in a union, and what do descriptors say of their fields?"""

import re
from typing import Any

import pytest

from emulator.registry import (
    ID,
    IDENTITY,
    PROFILE,
    ROOT,
    accepting,
    code,
    describe,
    with_loyalty,
)
from support.platform import Calls


async def test_a_schema_joins_the_union_with_an_identity_only_and_stays(calls: Calls) -> None:
    schema = await with_loyalty(calls)
    path = f"{ROOT}/tenant/schemas/{schema['meta:altId']}"
    tag = [{"op": "add", "path": "/meta:immutableTags", "value": ["union"]}]

    without = await calls.patch(path, tag)
    described = await describe(calls, schema)
    joined = await calls.patch(path, tag)
    left = await calls.patch(path, [{"op": "remove", "path": "/meta:immutableTags"}])
    removed = await calls.delete(path)
    forgotten = await calls.delete(f"{ROOT}/tenant/descriptors/{described.body['@id']}")

    assert code(without) == "XDM-1528-400"
    assert joined.status == 200
    assert joined.body["meta:immutableTags"] == ["union"]
    assert joined.body["version"] == "1.1"
    assert left.status == removed.status == forgotten.status == 400


async def test_a_union_holds_the_fields_of_every_schema_in_it(calls: Calls) -> None:
    schema = await with_loyalty(calls)
    await describe(calls, schema)
    tag = [{"op": "add", "path": "/meta:immutableTags", "value": ["union"]}]
    await calls.patch(f"{ROOT}/tenant/schemas/{schema['meta:altId']}", tag)

    listed = await calls.get(f"{ROOT}/tenant/unions", headers=accepting(ID))
    union = await calls.get(
        f"{ROOT}/tenant/unions/_xdm.context.profile__union",
        headers=accepting("application/vnd.adobe.xed-full+json;version=1"),
    )

    assert [each["$id"] for each in listed.body["results"]] == [PROFILE + "__union"]
    assert union.body["properties"]["_emulated"]["properties"]["points"]
    assert (await calls.get(f"{ROOT}/stats")).body["counts"]["unions"] == 1


async def test_descriptors_are_made_listed_replaced_and_removed(calls: Calls) -> None:
    schema = await with_loyalty(calls)
    made_ = await describe(calls, schema)
    one = f"{ROOT}/tenant/descriptors/{made_.body['@id']}"

    async def listed(form: str) -> Any:
        return (
            await calls.get(
                f"{ROOT}/tenant/descriptors",
                headers=accepting(f"application/vnd.adobe.{form}+json"),
            )
        ).body

    assert made_.status == 201
    assert re.fullmatch("[0-9a-f]{40}", made_.body["@id"])
    assert await listed("xdm") == {"xdm:descriptorIdentity": [made_.body]}
    assert await listed("xdm-id") == {"xdm:descriptorIdentity": [made_.body["@id"]]}
    assert await listed("xdm-link") == {"xdm:descriptorIdentity": [one]}
    assert (await listed("xdm-v2"))["results"] == [made_.body]

    xdm = accepting("application/vnd.adobe.xdm+json")
    changed = {**IDENTITY, "xdm:sourceSchema": schema["$id"], "xdm:namespace": "CRMID"}
    replaced = await calls.put(one, changed)
    assert replaced.body["xdm:namespace"] == "CRMID"
    assert (await calls.get(one, headers=xdm)).body == replaced.body
    assert (await calls.delete(one)).status == 204
    assert code(await calls.get(one, headers=xdm)) == "XDM-1016-404"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"@type": "xdm:other"}, "@type"),
        ({"xdm:namespace": ""}, "xdm:namespace"),
        ({"xdm:sourceProperty": "/_emulated/none"}, "has no field /_emulated/none"),
        ({"xdm:sourceProperty": "_emulated/loyaltyId"}, "has no field"),
        ({"xdm:sourceSchema": "https://ns.adobe.com/none"}, "no schema"),
    ],
)
async def test_a_descriptor_of_what_does_not_exist_is_refused(
    calls: Calls, changed: dict[str, Any], said: str
) -> None:
    answer = await describe(calls, await with_loyalty(calls), **changed)

    assert answer.status == 400
    assert said in answer.body["detail"]


async def test_a_schema_has_one_primary_identity_and_a_field_one_of_each_kind(
    calls: Calls,
) -> None:
    schema = await with_loyalty(calls)
    await describe(calls, schema)

    again = await describe(calls, schema, **{"xdm:isPrimary": False})
    second = await describe(calls, schema, **{"xdm:sourceProperty": "/_emulated/points"})

    assert "describes /_emulated/loyaltyId already" in again.body["detail"]
    assert "is the primary identity already" in second.body["detail"]
