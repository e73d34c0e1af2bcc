"""Records that the platform refuses become dead letters in its own words; the others arrive."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import accounted_for
from support.agent import Finished
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]
Inlet = Callable[..., RunningEmulator]


@pytest.mark.parametrize("dialect", ["documented", "observed"])
def test_exactly_the_refused_records_are_dead_letters(
    dialect: str, inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(3000)
    emulator = inlet(
        {
            "seed": 5,
            "rules": [
                {
                    "when": {"probability": 0.1},
                    "reject": {"status": 422, "message": "no such schéma"},
                },
                {"when": {"matching": '"order": 9\\d*0,'}, "reject": "ends in naught"},
            ],
        },
        dialect=dialect,
    )
    done = send(emulator, "-", stdin=lines(records))

    assert done.code == 3
    letters = accounted_for({"stdin": records}, emulator, data_dir).dead_letters
    refusals = emulator.refusals()
    assert {letter.record for letter in letters} == set(refusals)
    assert all(len(said) == 1 for said in refusals.values()), "none was sent again"
    assert {letter.status for letter in letters} == {422, 400}
    assert all((letter.xaction_id is None) == (dialect == "documented") for letter in letters)
    assert all(letter.reason == "rejected" and letter.attempts == 1 for letter in letters)
    assert done.summary["dead_lettered"] == len(letters) > 250


def test_a_batch_of_which_nothing_is_accepted_is_settled_all_the_same(
    inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(50)
    emulator = inlet([{"reject": "all of you"}])
    done = send(emulator, "-", stdin=lines(records))

    assert done.code == 3
    assert len(accounted_for({"stdin": records}, emulator, data_dir).dead_letters) == 50
    assert emulator.stats()["requests"] == 1
