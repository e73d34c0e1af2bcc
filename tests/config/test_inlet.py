"""Where do records go, as whom, and do secrets stay secret?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config import load

if TYPE_CHECKING:
    from agent.config.model import Config

URL = "https://dcs.adobedc.net/collection/0123"
SECRET = "hunter2-hunter2"


def test_the_flow_may_be_in_the_url_where_webhooks_have_it() -> None:
    config = load(None, environ={"AEP_INLET_URL": f"{URL}?x-adobe-flow-id=f"})
    assert config.inlet.flow_id is None


def test_an_xdm_envelope_needs_no_flow(configured: Callable[..., "Config"]) -> None:
    text = "inlet: {envelope: {type: xdm, schema_id: s, dataset_id: d}}\n"
    config = configured(text, {"AEP_INLET_URL": URL})
    assert config.inlet.flow_id is None
    assert config.inlet.envelope.model_dump() == {
        "type": "xdm",
        "schema_id": "s",
        "schema_content_type": "application/vnd.adobe.xed-full+json;version=1",
        "ims_org_id": None,
        "dataset_id": "d",
        "source_name": None,
    }


def test_an_empty_variable_leaves_an_optional_key_unset(
    configured: Callable[..., "Config"],
) -> None:
    keys = ("token", "token_file", "sandbox", "proxy")
    text = "inlet:\n" + "".join(f"  {key}: ${{UNSET:-}}\n" for key in keys)
    assert configured(text) == configured("")


def test_secrets_are_neither_in_repr_nor_in_dumps(configured: Callable[..., "Config"]) -> None:
    text = f"""\
inlet:
  token: {SECRET}
  proxy: http://user:{SECRET}@proxy:3128
  headers: {{x-api-key: {SECRET}}}
"""
    config = configured(text)
    assert config.inlet.token.get_secret_value() == SECRET
    assert config.inlet.proxy == f"http://user:{SECRET}@proxy:3128"
    assert config.inlet.headers == {"x-api-key": SECRET}
    shown = f"{config!r} {config} {config.model_dump()} {config.model_dump_json()}"
    assert SECRET not in shown
    assert "x-api-key" in config.model_dump_json()
    assert "@proxy:3128" in config.model_dump_json()


@pytest.mark.parametrize("path", ["~/x", "~root/x"])
def test_a_home_directory_is_written_with_a_tilde(
    configured: Callable[..., "Config"], path: str
) -> None:
    assert configured(f"data_dir: {path}\n").data_dir == Path(path).expanduser()
