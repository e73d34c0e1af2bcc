"""Manifests written to a file and read back."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.provision.manifest.loading import Written, load

ENVIRON = {
    "AEP_ORG_ID": "0123@AdobeOrg",
    "AEP_CLIENT_ID": "client-1",
    "AEP_CLIENT_SECRET": "p8e-geheim",
    "HOME": "/home/someone",
}
PLATFORM = """\
platform:
  url: http://127.0.0.1:9
  token_url: http://127.0.0.1:9/ims/token/v3
  org_id: ${AEP_ORG_ID}
  client_id: ${AEP_CLIENT_ID}
  client_secret: ${AEP_CLIENT_SECRET}
"""
ORDERS = f"""\
{PLATFORM}
source: {{type: http}}
schema:
  title: Orders
  field_groups: [profile-person-details]
  fields:
    - {{path: order.id, type: string}}
mapping:
  - {{to: person.name.firstName, attribute: firstName}}
  - {{to: _tenant.order.id, expression: 'concat(shop, ":", id)'}}
flow: {{name: Orders}}
"""


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a manifest and returns its path."""

    def write(text: str) -> Path:
        path = tmp_path / "orders.yaml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def loaded(written: Callable[[str], Path]) -> Callable[..., Written]:
    """Loads the text of a manifest."""

    def load_text(text: str, environ: Mapping[str, str] = ENVIRON) -> Written:
        return load(written(text), environ)

    return load_text


@pytest.fixture
def report(written: Callable[[str], Path]) -> Callable[..., list[str]]:
    """The lines of the report about a wrong manifest, without the directory of the file."""

    def refuse(text: str, environ: Mapping[str, str] = ENVIRON) -> list[str]:
        path = written(text)
        with pytest.raises(ConfigError) as caught:
            load(path, environ)
        return str(caught.value).replace(f"{path.parent}/", "").splitlines()

    return refuse
