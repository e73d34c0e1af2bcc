"""What only the platform knows is asked before anything is made, and told by its line."""

import re
from pathlib import Path

import pytest

from agent.emulator.options import CLIENT_ID, EmulatorOptions
from agent.emulator.server import Emulator
from agent.errors import ConfigError
from agent.provision.checks import doubts
from provision.stage import ORDERS, Stage, staged

OWN_GROUP = """\
{"$id": "https://ns.adobe.com/xdm/mixins/acme", "$schema": "http://json-schema.org/draft-06/schema#",
 "title": "Acme", "type": "object", "meta:intendedToExtend": ["https://ns.adobe.com/xdm/context/profile"],
 "definitions": {"acme": {"properties": {"xdm:colour": {"type": "string"}}}},
 "allOf": [{"$ref": "#/definitions/acme"}]}
"""


async def _doubts(stage: Stage) -> list[str]:
    async with stage.platform() as platform:
        return await doubts(stage.written(), platform, await platform.schemas.tenant())


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "field_groups: [profile-person-details]",
            "field_groups: [profile-person-details, profile-persn]",
            ": schema.field_groups[1]: the platform has no field group https://ns.adobe.com/xdm/",
        ),
        (
            "title: Orders\n",
            "title: Orders\n  class: https://ns.adobe.com/acme/classes/1\n",
            ": schema.class: the platform has no class https://ns.adobe.com/acme/classes/1; write",
        ),
        (
            ORDERS[ORDERS.index("  title:") : ORDERS.index("dataset:")],
            "  id: https://ns.adobe.com/acme/schemas/1\n",
            ": schema.id: the platform has no schema https://ns.adobe.com/acme/schemas/1; write",
        ),
        (
            "{name: Orders, description: All of them}",
            "{id: 5f3c9e27a1b2c3d4e5f60718}",
            ": dataset.id: the platform has no dataset 5f3c9e27a1b2c3d4e5f60718; write one that",
        ),
    ],
)
async def test_what_is_not_there_is_told_by_its_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    async with staged(tmp_path) as stage:
        stage.edit(old, new)
        with pytest.raises(ConfigError) as refused:
            await _doubts(stage)

    assert re.search(rf"orders\.yaml:[0-9]+{re.escape(expected)}", str(refused.value))


async def test_a_mapping_is_held_against_components_that_only_the_platform_has(
    tmp_path: Path,
) -> None:
    (tmp_path / "acme.schema.json").write_text(OWN_GROUP)
    options = EmulatorOptions(client_id=CLIENT_ID, components=tmp_path)
    async with Emulator(options) as emulator:
        stage = Stage(emulator, tmp_path, ORDERS)
        stage.edit("[profile-person-details]", "[https://ns.adobe.com/xdm/mixins/acme]")
        stage.edit("person.name.firstName", "colour")
        assert await _doubts(stage) == []
        stage.edit("to: colour", "to: color")
        with pytest.raises(ConfigError, match=r"mapping\[0\].to: Orders has no field color"):
            await _doubts(stage)
