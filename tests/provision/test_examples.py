"""Do the example manifests load, make what they say, and explain every key?"""

import json
import re
from pathlib import Path

import pytest

from agent.config import load
from agent.config.keys import all_keys
from agent.provision.manifest.model import Manifest
from provision.stage import Stage, staged

DIRECTORY = Path(__file__).parents[2] / "config" / "provision"
EXAMPLES = {path.stem: path.read_text() for path in sorted(DIRECTORY.glob("*.yaml"))}
MAKES_ITS_OWN = [name for name in EXAMPLES if name != "http-xdm"]


def _prepared(stage: Stage, tmp_path: Path) -> None:
    key = tmp_path / "google.json"
    key.write_text(json.dumps({"type": "service_account", "private_key": "geheim"}))
    stage.environ |= {
        "AWS_ACCESS_KEY_ID": "AKIA-geheim",
        "AWS_SECRET_ACCESS_KEY": "geheim",
        "AZURE_SAS_KEY": "geheim",
        "GOOGLE_KEY_FILE": str(key),
    }


def test_there_is_an_example_of_every_source() -> None:
    assert EXAMPLES.keys() >= {"http", "kinesis", "eventhubs", "pubsub"}


@pytest.mark.parametrize("name", MAKES_ITS_OWN)
async def test_an_example_makes_what_it_says(name: str, tmp_path: Path) -> None:
    async with staged(tmp_path, EXAMPLES[name]) as stage:
        _prepared(stage, tmp_path)
        done = await stage.apply()

        assert await stage.actions() == {}
        if done.config:
            assert load(done.config.path, environ=stage.environ).warnings == ()


async def test_an_example_uses_what_exists(tmp_path: Path) -> None:
    async with staged(tmp_path, EXAMPLES["http"]) as stage:
        await stage.apply()
        ids = stage.noted("schema"), stage.noted("dataset")
        (tmp_path / "more").mkdir()
        second = Stage(stage.emulator, tmp_path / "more", EXAMPLES["http-xdm"])
        second.environ |= {"AEP_SCHEMA_ID": ids[0], "AEP_DATASET_ID": ids[1]}
        await second.apply()

        assert await second.actions() == {}
        assert (await stage.objects())["dataSets"] == 1


def test_every_key_of_a_manifest_is_in_an_example() -> None:
    text = "\n".join(EXAMPLES.values())
    # how the platform is reached is explained in the agent's own long example
    keys = [key for key in all_keys(Manifest) if not key.startswith("platform.")]
    missing = [key for key in keys if not re.search(rf"\b{key.split('.')[-1]}:", text)]

    assert missing == []
