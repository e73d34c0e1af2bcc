"""Where do records go, as whom, and do secrets stay secret?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config import load
from agent.config.inlet import InletSettings
from agent.errors import ConfigError

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


def test_a_token_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    inlet = InletSettings(url=URL, flow_id="f", token_file=file)
    file.write_text("first\n")
    assert inlet.read_token() == "first"
    file.write_text("second")
    assert inlet.read_token() == "second"


def test_an_inlet_without_token_has_none() -> None:
    assert InletSettings(url=URL, flow_id="f").read_token() is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"", "it does not hold one token"),
        (b"two words", "it does not hold one token"),
        (b"two\nlines", "it does not hold one token"),
        (b"\xff", "it is not ASCII text"),
    ],
)
def test_a_token_file_without_a_token_is_said(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^inlet\.token_file /.*/token: {reason}$"):
        InletSettings(url=URL, flow_id="f", token_file=file).read_token()


def test_secrets_are_neither_in_repr_nor_in_dumps(configured: Callable[..., "Config"]) -> None:
    text = f"""\
inlet:
  token: {SECRET}
  proxy: http://user:{SECRET}@proxy:3128
  headers: {{x-api-key: {SECRET}}}
"""
    config = configured(text)
    assert config.inlet.read_token() == SECRET
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
