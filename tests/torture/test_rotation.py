"""Files rotated in every way, by logrotate too, lose no line while the agent is killed and starved.

`make torture-rotation` writes a million lines, and kills twenty times.
"""

import os
import sys
from pathlib import Path

import pytest

from torture.rotation import Rotation, told

pytestmark = pytest.mark.alone

SEED = int(os.environ.get("TORTURE_SEED") or 2)


def test_no_line_of_files_that_are_rotated_is_missing(tmp_path: Path) -> None:
    sys.stdout.write(f"TORTURE_SEED={SEED} repeats this\n")  # shown where the test fails
    account = Rotation(tmp_path / "rotation", SEED, lines=30_000, kills=4).play()

    sys.stdout.write(told(account) + "\n")
    assert account.findings == []
    assert account.written >= 30_000
    assert len(account.operations) >= 7
