"""What may still be changed of components that are used, and where do Adobe's own come from?"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from agent.emulator.options import EmulatorOptions
from agent.emulator.server import Emulator
from agent.errors import SchemaError
from emulator.registry import (
    ID,
    LOYALTY,
    PROFILE,
    ROOT,
    TUTORIAL,
    XED,
    accepting,
    code,
    describe,
    made,
    with_loyalty,
)
from support.platform import Calls


async def test_what_is_used_can_grow_but_loses_no_field(calls: Calls) -> None:
    schema = await with_loyalty(calls)
    group = schema["refs"][1]
    path = f"{ROOT}/tenant/fieldgroups/{quote(group, safe='')}"
    own = "/definitions/own/properties/_emulated/properties"
    grow = [{"op": "add", "path": f"{own}/tier", "value": {"type": "string"}}]
    retype = [{"op": "replace", "path": f"{own}/points/type", "value": "string"}]
    shrink = [{"op": "remove", "path": f"{own}/points"}]

    assert (await calls.patch(path, shrink)).status == 200
    assert (await calls.put(path, LOYALTY)).status == 200
    dataset = {"name": "d", "schemaRef": {"id": schema["$id"], "contentType": XED}}
    assert (await calls.post("/data/foundation/catalog/dataSets", dataset)).status == 201

    grown = await calls.patch(path, grow)
    shrunk, retyped = await calls.patch(path, shrink), await calls.patch(path, retype)

    assert grown.body["version"] == "1.3"
    assert (code(shrunk), code(retyped)) == ("XDM-1413-400", "XDM-1413-400")
    assert "_emulated.points" in shrunk.body["detail"]


async def test_what_something_relies_on_is_not_deleted(calls: Calls) -> None:
    schema = await with_loyalty(calls)
    await describe(calls, schema)
    schema_path = f"{ROOT}/tenant/schemas/{schema['meta:altId']}"
    group_path = f"{ROOT}/tenant/fieldgroups/{quote(schema['refs'][1], safe='')}"
    dataset = {"name": "d", "schemaRef": {"id": schema["$id"], "contentType": XED}}
    (ref,) = (await calls.post("/data/foundation/catalog/dataSets", dataset)).body

    part = await calls.delete(group_path)
    used = await calls.delete(schema_path)
    await calls.delete(f"/data/foundation/catalog{ref[1:]}")
    free = await calls.delete(schema_path)

    assert schema["$id"] in part.body["detail"]
    assert "dataset" in used.body["detail"]
    assert free.status == 204
    assert (await calls.delete(schema_path)).status == 404
    descriptors = await calls.get(
        f"{ROOT}/tenant/descriptors", headers=accepting("application/vnd.adobe.xdm-id+json")
    )
    assert descriptors.body == {}
    assert (await calls.delete(group_path)).status == 204


@pytest.mark.parametrize("body", [[{"op": "move", "path": "/title"}], {"title": "x"}])
async def test_a_patch_that_cannot_be_carried_out_is_refused(calls: Calls, body: Any) -> None:
    schema = await made(calls, "schemas", TUTORIAL)

    answer = await calls.patch(f"{ROOT}/tenant/schemas/{schema['meta:altId']}", body)

    assert answer.status == 400


async def test_component_files_of_adobe_take_the_place_of_ours(start: Any, tmp_path: Path) -> None:
    component = {
        "$id": "https://ns.adobe.com/xdm/context/own-details",
        "title": "Own details",
        "type": "object",
        "meta:intendedToExtend": [PROFILE],
        "definitions": {"own": {"properties": {"xdm:shoeSize": {"type": "integer"}}}},
        "allOf": [{"$ref": "#/definitions/own"}],
    }
    folder = tmp_path / "fieldgroups"
    folder.mkdir()
    (folder / "own.schema.json").write_text(json.dumps(component))
    client = await start(components=tmp_path)
    calls = Calls(client.emulator.listening, client.session)

    schema = await made(
        calls, "schemas", TUTORIAL, allOf=[{"$ref": PROFILE}, {"$ref": component["$id"]}]
    )
    full = await calls.get(
        f"{ROOT}/tenant/schemas/{schema['meta:altId']}",
        headers=accepting("application/vnd.adobe.xed-full+json;version=1"),
    )

    assert full.body["properties"]["shoeSize"]["type"] == "integer"


async def test_a_directory_without_components_is_told_of_at_the_start(
    start: Any, tmp_path: Path
) -> None:
    kept = tmp_path / "kept"
    with pytest.raises(SchemaError, match=r"holds no \*\.schema\.json"):
        await start(components=tmp_path, directory=kept)

    await start(directory=kept)  # which was left free


async def test_components_outlive_a_restart(tmp_path: Path) -> None:
    async def titles(body: dict[str, Any] | None) -> list[str]:
        async with (
            aiohttp.ClientSession() as session,
            Emulator(EmulatorOptions(directory=tmp_path)) as emulator,
        ):
            calls = Calls(emulator.listening, session)
            if body is not None:
                await made(calls, "schemas", body)
            listed = await calls.get(f"{ROOT}/tenant/schemas", headers=accepting(ID))
            return [each["title"] for each in listed.body["results"]]

    await titles(TUTORIAL)

    assert await titles(None) == [TUTORIAL["title"]]
