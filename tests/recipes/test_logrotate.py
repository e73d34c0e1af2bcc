"""logrotate at work on the files the agent follows, in both of its ways."""

import os
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from recipes.stage import Stage, program
from support.records import lines, orders

Arrive = Callable[[Sequence[bytes]], None]


class Writer:
    """A program that appends to its log; told to, it opens the file anew."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = self._opened()

    def write(self, records: Sequence[bytes]) -> None:
        """A record a line."""
        os.write(self._descriptor, lines(records))

    def reopen(self) -> None:
        """What a signal has most programs do after a rotation."""
        os.close(self._descriptor)
        self._descriptor = self._opened()

    def _opened(self) -> int:
        return os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)


def rotate(stage: Stage, recipe: str) -> None:
    """Rotate now, whatever the size."""
    placed = stage.place(recipe)
    state = str(stage.root / "logrotate.state")
    command = [program("logrotate"), "--force", "--state", state, str(placed)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("recipe", ["logrotate-create.conf", "logrotate-copytruncate.conf"])
def test_nothing_is_lost_or_doubled_while_logs_are_rotated(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None], recipe: str
) -> None:
    records = orders(4000)
    writer = Writer(stage.logs / "orders.json")
    running = stage.agent("files.yaml")
    for start in range(0, 4000, 500):
        writer.write(records[start : start + 250])
        if not start:
            all_arrive(records[:250])  # it is there before the first file is compressed away
        rotate(stage, recipe)
        if recipe == "logrotate-create.conf":
            writer.write(records[start + 250 : start + 300])  # before it hears of the rotation
            writer.reopen()
            writer.write(records[start + 300 : start + 500])
        else:
            writer.write(records[start + 250 : start + 500])
        time.sleep(0.6)
    all_arrive(records)
    assert stage.stop(running) == 0
    books_balance()


def test_what_was_rotated_while_the_agent_was_away_is_read_all_the_same(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None]
) -> None:
    records = orders(900)
    writer = Writer(stage.logs / "orders.json")
    running = stage.agent("files.yaml")
    writer.write(records[:300])
    all_arrive(records[:300])
    assert stage.stop(running) == 0
    writer.write(records[300:600])
    rotate(stage, "logrotate-create.conf")
    writer.reopen()
    writer.write(records[600:])
    running = stage.agent("files.yaml")
    all_arrive(records)
    assert stage.stop(running) == 0
    books_balance()
