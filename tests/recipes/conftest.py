"""What a recipe needs to be tried."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from recipes.stage import Stage
from support.accounts import kept_in
from support.agent import eventually
from support.emulator import RunningEmulator

Arrive = Callable[[Sequence[bytes]], None]


@pytest.fixture
def stage() -> Iterator[Stage]:
    """A stage with an emulator that takes everything."""
    root = Path(tempfile.mkdtemp(prefix="aep"))
    root.chmod(0o755)
    try:
        with RunningEmulator() as emulator, Stage(root, emulator) as stage:
            yield stage
    finally:
        shutil.rmtree(root)


@pytest.fixture
def all_arrive(stage: Stage) -> Arrive:
    """Waits until each of these records is in the inlet, once and byte for byte."""

    def wait(records: Sequence[bytes]) -> None:
        try:
            eventually(lambda: len(stage.emulator.records()) >= len(records), within=40)
        except AssertionError as error:
            come = len(stage.emulator.records())
            raise AssertionError(f"{come} of {len(records)} came; {stage.said()}") from error
        assert sorted(stage.emulator.records()) == sorted(records), stage.said()

    return wait


@pytest.fixture
def books_balance(stage: Stage) -> Callable[[], None]:
    """Fails unless the agent's store knows what became of every record; it must have ended."""

    def look() -> None:
        assert kept_in(stage.data).dead_letters == []

    return look
