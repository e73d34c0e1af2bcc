"""Answers whose items are too few, too many, out of order or without ids settle no wrong record."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import accounted_for
from support.agent import Finished
from support.emulator import RunningEmulator, in_turn
from support.records import lines, orders

Send = Callable[..., Finished]
Inlet = Callable[..., RunningEmulator]

REFUSED = {"when": {"matching": '"order": [0-9]*[37],'}, "reject": "not today"}

# Every id has an index, or every record its item in the right place: no verdict is in doubt.
HARMLESS = {
    "strings for numbers": {"received_time_ms": "string", "inlet_id_spelling": "inletID"},
    "both dialects in one answer": {"dialect": "mixed"},
    "disorder with ids": {"dialect": "observed", "shuffle_items": True},
    "no ids on refusals": {"dialect": "observed", "strip_ids": "rejected"},
    "ids that say nothing": {"ids": "opaque"},
    "a double and one of no record": {"dialect": "observed", "add_items": 2},
}

# Some verdicts are lost with the items or ids: those records are sent again, so they may double.
LOSSY = {
    "items dropped": {"drop_items": 0.2},
    "items dropped in disorder": {"dialect": "mixed", "drop_items": 3, "shuffle_items": True},
    "a failure that is nobody's": {"add_items": 3},
    "no ids on what was accepted": {"strip_ids": "accepted"},
    "no ids at all": {"strip_ids": "all"},
    "nothing but the head": {"drop_items": 1.0},
    # but for added items: a refusal of no record in the place of a dropped item is like a real one
    "everything at once": {
        "dialect": "mixed",
        "drop_items": 0.3,
        "shuffle_items": True,
        "strip_ids": "rejected",
        "received_time_ms": "string",
    },
}


@pytest.mark.parametrize("dialect", ["documented", "observed"])
def test_where_every_verdict_is_certain_each_record_is_sent_once(
    dialect: str, inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(1500)
    rules = [REFUSED, *in_turn(HARMLESS)]
    emulator = inlet({"seed": 11, "rules": rules}, dialect=dialect)
    done = send(emulator, "-", stdin=lines(records), batch__max_records=40)

    assert done.code == 3
    letters = accounted_for({"stdin": records}, emulator, data_dir).dead_letters
    assert {letter.record for letter in letters} == set(emulator.refusals())
    assert all(len(said) == 1 for said in emulator.refusals().values())
    assert len(letters) == 300
    stats = emulator.stats()
    assert stats["duplicates"] == 0
    assert min(stats["faults"][name] for name in HARMLESS) > 2


@pytest.mark.parametrize("dialect", ["documented", "observed"])
def test_where_verdicts_are_missing_nothing_is_lost_or_blamed(
    dialect: str, inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(1500)
    rules = [REFUSED, *in_turn(LOSSY, requests=4)]
    emulator = inlet({"seed": 12, "rules": rules}, dialect=dialect)
    done = send(emulator, "-", stdin=lines(records), batch__max_records=40)

    assert done.code == 3
    kept = accounted_for({"stdin": records}, emulator, data_dir, answers_were_lost=True)
    assert {letter.record for letter in kept.dead_letters} == set(emulator.refusals())
    assert len(kept.dead_letters) == 300
    assert min(emulator.stats()["faults"][name] for name in LOSSY) == 4
