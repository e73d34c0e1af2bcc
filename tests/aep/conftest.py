"""What is said while tokens are asked for; secrets of one test are no secrets in the next."""

import io
import logging
from collections.abc import Iterator

import pytest

from agent.telemetry import logs, redaction


@pytest.fixture(autouse=True)
def log() -> Iterator[io.StringIO]:
    """Everything that is logged."""
    root = logging.getLogger()
    before = root.level, root.handlers.copy()
    known = set(redaction._registered._spellings)
    stream = io.StringIO()
    logs.configure("debug", "json", 0.0, stream)
    yield stream
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logs._voice.settle_on("info", "auto", 30.0, "auto", None)
    for secret in set(redaction._registered._spellings) - known:
        redaction.forget(secret)
