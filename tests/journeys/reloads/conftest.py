"""An agent that can be told to read its configuration again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from journeys.reloads.changing import Changing, Run
from support.emulator import RunningEmulator
from support.listening import configured, listening


@pytest.fixture
def run(emulator: RunningEmulator, data_dir: Path, tmp_path: Path) -> Run:
    @contextmanager
    def started(*sources: dict[str, Any], **settings: Any) -> Iterator[Changing]:
        path = configured(tmp_path / "agent.json", emulator, data_dir, *sources, **settings)
        listen = sum("listen" in source for source in sources)
        with listening(["run", path], listen) as agent:
            yield Changing(agent, path)

    return started
