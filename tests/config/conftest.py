"""Configurations written to a file and read back."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent.config import load
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

ENVIRON = {
    "HOME": "/home/someone",
    "AEP_INLET_URL": "https://dcs.adobedc.net/collection/0123",
    "AEP_FLOW_ID": "the-flow",
}


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Path]:
    """Writes a configuration file and returns its path."""

    def write(content: str | bytes) -> Path:
        path = tmp_path / "config.yaml"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def configured(written: Callable[[str | bytes], Path]) -> Callable[..., "Config"]:
    """Loads a configuration text; inlet and flow come from the environment."""

    def load_text(text: str | bytes, environ: Mapping[str, str] = ENVIRON) -> "Config":
        return load(written(text), environ=environ)

    return load_text


@pytest.fixture
def report(written: Callable[[str | bytes], Path]) -> Callable[..., list[str]]:
    """The lines of the report about a wrong configuration, without the directory of the file."""

    def refuse(
        content: str | bytes | None,
        environ: Mapping[str, str] = ENVIRON,
        overrides: Mapping[str, object] | None = None,
    ) -> list[str]:
        path = None if content is None else written(content)
        with pytest.raises(ConfigError) as caught:
            load(path, environ=environ, overrides=overrides or {})
        text = str(caught.value)
        return (text.replace(f"{path.parent}/", "") if path else text).splitlines()

    return refuse
