"""Do the example configurations load, and does the long one show every key with its default?"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.config import load
from agent.config.keys import all_keys

EXAMPLES = Path(__file__).parents[2] / "config"
ENVIRON = {
    "AEP_INLET_URL": "https://dcs.adobedc.net/collection/0123",
    "AEP_FLOW_ID": "f",
    "AEP_SCHEMA_ID": "https://ns.adobe.com/tenant/schemas/1",
    "AEP_DATASET_ID": "5f3c9e27a1b2c3d4e5f60718",
    "HOME": "/home/someone",
}


CONFIGURATIONS = sorted(
    path
    for path in EXAMPLES.rglob("*.yaml")
    if re.search("^inlet:", path.read_text(), re.MULTILINE)
)


def _environ(tmp_path: Path) -> dict[str, str]:
    """What the examples take from the environment."""
    secret = tmp_path / "secret"
    secret.write_text("p8e-0123456789\n")
    flow_ids = {"AEP_ORDERS_FLOW_ID": "o", "AEP_CLICKS_FLOW_ID": "c"}
    credential = {"AEP_CLIENT_ID": "id", "AEP_CLIENT_SECRET_FILE": str(secret)}
    admin = {"AEP_ADMIN_TOKEN_FILE": str(secret)}
    return {**ENVIRON, **flow_ids, **credential, **admin}


@pytest.mark.parametrize("path", CONFIGURATIONS, ids=lambda path: path.stem)
def test_an_example_loads_and_nothing_in_it_is_doubtful(path: Path, tmp_path: Path) -> None:
    environ = _environ(tmp_path)
    if "\nflows:" in path.read_text():
        del environ["AEP_FLOW_ID"]
    config = load(path, environ=environ)
    urls = {flow.inlet.url for flow in config.each_flow().values()}
    assert urls == {ENVIRON["AEP_INLET_URL"]}
    assert config.warnings == ()


def test_the_example_of_flows_gives_each_what_they_share_and_what_is_its_own(
    tmp_path: Path,
) -> None:
    environ = _environ(tmp_path)
    del environ["AEP_FLOW_ID"]
    config = load(EXAMPLES / "flows.yaml", environ=environ)
    assert {name: flow.inlet.flow_id for name, flow in config.flows.items()} == {
        "orders": "o",
        "clicks": "c",
    }
    assert {flow.inlet.url for flow in config.flows.values()} == {ENVIRON["AEP_INLET_URL"]}
    assert {flow.inlet.credentials.client_id for flow in config.flows.values()} == {"id"}
    assert {flow.batch.max_wait for flow in config.flows.values()} == {0.5}
    assert [flow.buffer.when_full for flow in config.flows.values()] == ["block", "drop_oldest"]
    assert config.warnings == ()


def test_the_long_example_is_the_default_configuration() -> None:
    written = load(EXAMPLES / "aep-agent.yaml", environ=ENVIRON)
    assert written == load(None, environ=ENVIRON)


_SET = "sources.filters.set."


def _keys(tree: Any, prefix: str = "") -> Iterator[str]:
    if isinstance(tree, list):
        for item in tree:
            yield from _keys(item, prefix)
    elif isinstance(tree, dict) and prefix not in ("inlet.headers.", "flows.", _SET):
        for name, value in tree.items():
            yield f"{prefix}{name}"
            yield from _keys(value, f"{prefix}{name}.")


def test_the_long_example_shows_every_key() -> None:
    text = (EXAMPLES / "aep-agent.yaml").read_text()
    switched_on = re.sub(r"^( *)#(?=(- | {2,4})?\w+:( |$))", r"\1", text, flags=re.MULTILINE)
    assert set(_keys(yaml.safe_load(switched_on))) == set(all_keys())
