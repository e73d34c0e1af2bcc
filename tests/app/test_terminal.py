"""SIGHUP of a terminal that was closed is told from the one that asks for a reload."""

import os
from pathlib import Path

from agent.app.terminal import Terminal


def test_one_that_was_there_and_is_gone_was_closed() -> None:
    ours, theirs = os.openpty()
    terminal = Terminal(os.ttyname(theirs))
    assert not terminal.was_closed()
    os.close(ours)
    os.close(theirs)
    assert terminal.was_closed()


def test_one_that_never_was_there_cannot_be_closed(tmp_path: Path) -> None:
    assert not Terminal(str(tmp_path / "none")).was_closed()
