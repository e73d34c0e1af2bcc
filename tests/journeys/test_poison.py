"""One record for which the inlet refuses whole requests is found, and only it is dead-lettered."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import kept_in
from support.agent import Finished
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]
Inlet = Callable[..., RunningEmulator]


@pytest.mark.parametrize("status", [400, 422])
def test_exactly_the_poisonous_records_are_dead_letters(
    status: int, inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(2000)
    poison = [records[at] for at in (0, 777, 778, 1999)]
    matching = '"order": (1|778|779|2000),'
    emulator = inlet([{"when": {"matching": matching}, "status": status}])
    done = send(emulator, "-", stdin=lines(records), batch__max_bytes="100KB")

    assert done.code == 3
    kept = kept_in(data_dir)
    assert sorted(letter.record for letter in kept.dead_letters) == sorted(poison)
    for letter in kept.dead_letters:
        assert (letter.reason, letter.stage, letter.status) == ("rejected", "platform", status)
        assert letter.attempts > 1
        assert letter.message
    assert sorted(emulator.records()) == sorted(set(records) - set(poison))
    assert emulator.stats()["duplicates"] == 0
    assert len(kept.receipts) == 1996
