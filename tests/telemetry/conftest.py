import io
import logging
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from agent.telemetry import logs

Said = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """Puts logging back as it was found."""
    root = logging.getLogger()
    before = root.level, root.handlers.copy()
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logs._voice.settle_on("info", "auto", 30.0, "auto", None)


@pytest.fixture
def stream(quiet_again: None) -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def said(stream: io.StringIO) -> Said:
    """Every line written as JSON so far; logging is set up when a test asks for this."""
    logs.configure("debug", "json", 30.0, stream)

    def lines() -> list[dict[str, Any]]:
        return [orjson.loads(line) for line in stream.getvalue().splitlines()]

    return lines
