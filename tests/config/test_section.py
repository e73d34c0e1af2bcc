"""Is a configuration nothing but what it says: cheap to have, to copy and to pass on?"""

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config.model import Config
from agent.config.section import names
from agent.config.validating import Invalid, validated

if TYPE_CHECKING:
    Configured = Callable[..., Config]

EVERYTHING = """\
data_dir: {data_dir}
platform: {{org_id: acme, client_id: c, client_secret: s3cret, jwt: {{technical_account: t,
  private_key_file: {file}}}}}
flows:
  orders:
    inlet: {{url: "https://dcs.adobedc.net/collection/0", flow_id: f, token: t0ken,
      headers: {{x-key: k}}, ready_at: 2026-03-01T12:05:00Z}}
    batch: {{max_wait: 2s}}
  clicks:
    inlet: {{flow: clicks, envelope: {{type: xdm, schema_id: s, dataset_id: d}},
      credentials: {{client_id: c, client_secret: s3cret}}}}
sources:
- {{type: stdin, flow: orders}}
- {{type: file, paths: [/tmp/*.json], flow: orders, filters: [{{set: {{a: 1}}}}, {{hash: b}}]}}
- {{type: tcp, listen: "127.0.0.1:1", flow: orders, allow: [10.0.0.0/8],
  tls: {{cert_file: {file}}}}}
- {{type: udp, listen: "0.0.0.0:2", flow: clicks}}
- {{type: unix, listen: /tmp/a.sock, flow: clicks, mode: "0600"}}
- {{type: unix_datagram, listen: /tmp/b.sock, flow: clicks}}
- {{type: http, listen: "0.0.0.0:3", flow: clicks}}
admin: {{token: hush}}
shutdown: {{grace: 40s}}
"""


def everything(configured: "Configured", tmp_path: Path) -> Config:
    file = tmp_path / "file.pem"
    file.touch()
    return configured(EVERYTHING.format(data_dir=tmp_path, file=file))


def test_a_process_that_has_a_configuration_loads_nothing_that_reads_one() -> None:
    script = (
        "import sys, agent.config.model, agent.app.lifecycle, agent.cli.pipeline;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'pydantic', 'yaml'}))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert found.stdout == b"[]\n"


def test_a_configuration_is_the_same_in_another_process(
    configured: "Configured", tmp_path: Path
) -> None:
    config = everything(configured, tmp_path)
    script = (
        "import pickle, sys; config = pickle.load(sys.stdin.buffer);"
        "assert 'pydantic' not in sys.modules; pickle.dump(config, sys.stdout.buffer)"
    )
    passed_on = subprocess.run(
        [sys.executable, "-c", script], input=pickle.dumps(config), capture_output=True, check=True
    )
    back = pickle.loads(passed_on.stdout)
    assert back == config
    assert back.flows["orders"].inlet.token.reveal() == "t0ken"
    assert back.warnings == config.warnings != ()
    assert _said(back) == _said(config)


def test_a_section_knows_which_of_its_keys_were_said(
    configured: "Configured", tmp_path: Path
) -> None:
    config = everything(configured, tmp_path)
    orders = config.flows["orders"]
    assert [name for name in names(Config) if config.says(name)] == [
        *("data_dir", "platform", "flows", "sources", "shutdown", "admin")
    ]
    assert (orders.batch.says("max_wait"), orders.batch.says("max_bytes")) == (True, False)
    assert not orders.says("buffer")
    assert not orders.buffer.says("memory_bytes")
    assert config.sources[3].says("listen")
    assert not config.sources[3].says("reuse_port")


def test_what_is_replaced_is_said_and_the_rest_stays(
    configured: "Configured", tmp_path: Path
) -> None:
    config = everything(configured, tmp_path)
    shorter = config.shutdown.replaced(quiet=1.0)
    other = config.replaced(shutdown=shorter)
    assert (shorter.grace, shorter.quiet) == (40.0, 1.0)
    assert shorter.says("grace")
    assert shorter.says("quiet")
    assert not config.shutdown.says("quiet")
    assert config.shutdown.quiet == 0.0
    assert other.warnings == config.warnings
    assert other.replaced(shutdown=config.shutdown) == config


def test_what_was_found_wrong_is_not_shown_with_the_error() -> None:
    with pytest.raises(Invalid) as raised:
        validated(Config, {"platform": {"org_id": "a", "token": ["s3cret"]}, "in": "s3cret"})
    assert "platform.token: " in str(raised.value)
    assert "s3cret" not in str(raised.value)


def _said(section: object) -> object:
    """Which keys were said, of every section in it."""
    if isinstance(section, tuple):
        return [_said(each) for each in section]
    if isinstance(section, dict):
        return {name: _said(each) for name, each in section.items()}
    if not hasattr(section, "says"):
        return None
    return {name: (section.says(name), _said(value)) for name, value in section}
