"""An agent that is killed, starved and misled loses nothing; and were it to, that would be seen.

`make torture` goes on for longer.
"""

import os
import sys
from pathlib import Path

import pytest

from support.proxy import WELL
from torture.disk import can_mount
from torture.rounds import Player
from torture.script import NOTHING, SMALL_DISK, Ending, Life, Round, Settings, round_of

pytestmark = pytest.mark.alone

SEED = int(os.environ.get("TORTURE_SEED") or 11)
KILLS = 4
ANY = Settings(2, 50, 60_000, 1 << 26, 1 << 20, 0, 2, "observed", gzip=True)


def _round(seed: int, ill: str) -> Round:
    return next(
        written for number in range(1, 10) if (written := round_of(seed, number, KILLS)).ill == ill
    )


@pytest.mark.parametrize(("seed", "ill"), [(SEED, NOTHING), (7, SMALL_DISK)])
def test_nothing_is_lost_changed_or_doubled_without_cause(
    seed: int, ill: str, tmp_path: Path
) -> None:
    if ill == SMALL_DISK and not can_mount():
        pytest.skip("ONLY ROOT MAY MOUNT THE SMALL DISK that this needs")
    sys.stdout.write(f"TORTURE_SEED={seed} repeats this\n")  # shown where the test fails
    result = Player(_round(seed, ill), tmp_path / "round", print).play()

    assert result.verdict.findings == ()
    assert result.verdict.lost == 0
    assert result.verdict.accepted + result.verdict.dead_lettered >= result.verdict.minted > 500
    assert result.verdict.duplicates <= result.verdict.doubles.total


def test_an_agent_that_forgets_a_batch_is_found_out(tmp_path: Path) -> None:
    life = Life(
        file_lines=300,
        file_kind="new",
        stream_lines=(0, 0, 0, 0),
        rules=({"status": 503},),
        fates={WELL: 1.0},
        ending=Ending("kill", 4.0),
        restart_emulator=None,
        skips=(("batches join the transaction", 1, 1000),),
    )
    result = Player(Round(1, 1, NOTHING, ANY, (life,)), tmp_path / "round", patience=5.0).play()

    assert result.verdict.lost > 0
    assert any(" lost: torture-1-1-" in finding for finding in result.verdict.findings)
    assert any("the ledger is not balanced" in finding for finding in result.verdict.findings)
