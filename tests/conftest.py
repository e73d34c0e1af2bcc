"""No test depends on whose shell it was started from."""

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _no_settings_from_the_shell() -> None:
    for name in list(os.environ):
        if name.startswith("AEP_") or name.lower().endswith("_proxy"):
            del os.environ[name]
