"""An inlet that listens, and a place for the store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from delivery.rig import Inlet


@pytest.fixture
async def inlet() -> AsyncIterator[Inlet]:
    async with Inlet().listening() as inlet:
        yield inlet


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"
