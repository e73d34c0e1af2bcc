"""Where do records go, as whom, and do secrets stay secret?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config import load
from agent.config.showing import shown

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
    assert shown(config.inlet.envelope) == {
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
    assert config.inlet.token.reveal() == SECRET
    assert config.inlet.proxy == f"http://user:{SECRET}@proxy:3128"
    assert config.inlet.headers == {"x-api-key": SECRET}
    dumped = json.dumps(shown(config))
    assert SECRET not in f"{config!r} {config} {dumped}"
    assert "x-api-key" in dumped
    assert "@proxy:3128" in dumped


@pytest.mark.parametrize("path", ["~/x", "~root/x"])
def test_a_home_directory_is_written_with_a_tilde(
    configured: Callable[..., "Config"], path: str
) -> None:
    assert configured(f"data_dir: {path}\n").data_dir == Path(path).expanduser()


# What stands in the stores of those who run the agent: another text would be another destination.
@pytest.mark.parametrize(
    ("settings", "destination"),
    [
        ({"inlet.flow_id": "f"}, f'{URL}\nf\nbatch\n{{"type":"raw"}}'),
        ({"inlet.flow_id": "f", "inlet.mode": "single"}, f'{URL}\nf\nsingle\n{{"type":"raw"}}'),
        (
            {
                "inlet.envelope.type": "xdm",
                "inlet.envelope.schema_id": "https://ns/s",
                "inlet.envelope.dataset_id": "d",
            },
            f'{URL}\nNone\nbatch\n{{"type":"xdm","schema_id":"https://ns/s","schema_content_type":'
            '"application/vnd.adobe.xed-full+json;version=1","ims_org_id":null,"dataset_id":"d",'
            '"source_name":null}',
        ),
        (
            {
                "inlet.envelope.type": "xdm",
                "inlet.envelope.schema_id": 'https://ns/"sü\\/',
                "inlet.envelope.schema_content_type": "x/y;version=1",
                "inlet.envelope.ims_org_id": "o@AdobeOrg",
                "inlet.envelope.dataset_id": "d",
                "inlet.envelope.source_name": "wéb <shop> & 😀",
            },
            f'{URL}\nNone\nbatch\n{{"type":"xdm","schema_id":"https://ns/\\"sü\\\\/",'
            '"schema_content_type":"x/y;version=1","ims_org_id":"o@AdobeOrg","dataset_id":"d",'
            '"source_name":"wéb <shop> & 😀"}',
        ),
        (
            {
                "inlet.url": None,
                "inlet.flow": "orders",
                "platform.org_id": "o",
                "platform.token": "t",
                "platform.api_key": "k",
            },
            'orders\nNone\nbatch\n{"type":"raw"}',
        ),
    ],
)
def test_a_destination_keeps_its_name(settings: dict[str, object], destination: str) -> None:
    config = load(None, environ={}, overrides={"inlet.url": URL, **settings})
    assert config.inlet.destination == destination
