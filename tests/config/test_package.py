"""Is the package cheap to import for those who only want a directory?"""

import subprocess
import sys

import pytest

import agent.config
from agent.config.model import Config


def test_the_directory_of_the_store_costs_no_pydantic() -> None:
    script = (
        "import sys; from agent.config import default_data_dir; default_data_dir();"
        "print(sorted({'pydantic', 'yaml', 'aiohttp'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert found.stdout == b"[]\n"


def test_the_models_come_on_first_use() -> None:
    assert agent.config.Config is Config
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = agent.config.nothing
