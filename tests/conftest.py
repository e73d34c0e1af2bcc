"""No test depends on whose shell it was started from."""

import os

import pytest

from support.contracts import ARE_THERE


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
