"""Podman with the image built, once, and an inlet for what runs in it."""

from collections.abc import Iterator

import pytest

from containers.podman import Podman, skip_unless_possible
from support.emulator import RunningEmulator


@pytest.fixture(scope="session")
def podman_with_image() -> Iterator[Podman]:
    skip_unless_possible()
    podman = Podman()
    try:
        podman.build()
        yield podman
    finally:
        podman.close()


@pytest.fixture
def podman(podman_with_image: Podman) -> Iterator[Podman]:
    """Podman, with the image and nothing else in it."""
    yield podman_with_image
    podman_with_image.clear()


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with RunningEmulator() as emulator:
        yield emulator
