"""Does the benchmark of pushed records push what it says?"""

from pathlib import Path

import pytest

from benchmarks import events
from benchmarks.pipeline import Agent
from benchmarks.pushes import push


@pytest.mark.parametrize("buffer", ["memory", "disk"])
def test_every_record_of_the_file_is_pushed_once(buffer: str, tmp_path: Path) -> None:
    file = events.write(tmp_path / "events.ndjson", 3)
    sent = push(Agent(), file, buffer)

    assert sent.requests >= 3
    assert sent.cpu_seconds > 0
