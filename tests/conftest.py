"""No test depends on whose shell it was started from."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from support.contracts import ARE_THERE

if TYPE_CHECKING:
    from support.browser import Browser


def pytest_report_header() -> str:
    """Say whether answers and requests are held against Adobe's OpenAPI files."""
    if ARE_THERE:
        return "contracts: against ../shared/openapi"
    return "contracts: left out, for ../shared/openapi is not there"


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_the_shell() -> None:
    for name in list(os.environ):
        if name.startswith("AEP_") or name.lower().endswith("_proxy"):
            del os.environ[name]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Browser]":
    """The one Chromium there is, for all tests of pages."""
    from support.browser import Browser

    with Browser(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def browser(chromium: "Browser") -> "Iterator[Browser]":
    """It, at a desk by day; nothing it loads may fail."""
    chromium.look_like(1280, 900)
    chromium.complaints()
    yield chromium
    assert chromium.complaints() == []
    chromium.driver.get("about:blank")
