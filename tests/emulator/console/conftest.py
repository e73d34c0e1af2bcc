"""A browser for all tests of the page, and an emulator for each."""

from collections.abc import Iterator

import pytest

from support.browser import Browser
from support.emulator import RunningEmulator
from support.visiting import Visit


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The one Chromium there is."""
    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: Browser) -> Iterator[Browser]:
    """It, at a desk by day; nothing it loads may fail."""
    chromium.look_like(1280, 900)
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []
    chromium.driver.get("about:blank")


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """The page of an emulator without faults."""
    with RunningEmulator() as emulator:
        yield Visit(browser, emulator)
        browser.driver.get("about:blank")  # before the emulator ends, which it would be told of
