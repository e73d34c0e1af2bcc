"""The page of an emulator for each test."""

from collections.abc import Iterator

import pytest

from support.browser import Browser
from support.emulator import RunningEmulator
from support.visiting import Visit


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """The page of an emulator without faults."""
    with RunningEmulator() as emulator:
        yield Visit(browser, emulator)
        browser.driver.get("about:blank")  # before the emulator ends, which it would be told of
