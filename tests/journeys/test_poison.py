"""A record that the inlet refuses is found and dead-lettered; a stream that it refuses is held."""

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


@pytest.mark.parametrize(
    "rule",
    [{"status": 400}, {"reject": {"status": 400, "message": "no such schema"}}],
    ids=["whole requests", "record by record"],
)
def test_when_everything_is_refused_send_holds_it_and_says_so(
    rule: dict[str, object], inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(3000)
    emulator = inlet([rule])
    settings = {"delivery__retry__initial": "1ms", "buffer__type": "disk"}
    done = send(emulator, "-", stdin=lines(records), **settings)

    assert done.code == 1
    assert done.summary["destination"] == "schema_changed"
    assert done.summary["accepted"] == 0
    assert done.summary["dead_lettered"] < 140
    assert done.summary["held"] == 3000 - done.summary["dead_lettered"]
    assert "flow_id" in done.logged("most records are refused, holding")[0]["next_step"]
    assert done.logged("giving up")
    emulator.set_faults()
    again = send(emulator, "-", **settings)

    assert sorted(emulator.records()) == sorted(
        set(records) - {letter.record for letter in kept_in(data_dir).dead_letters}
    )
    assert again.summary["dead_lettered"] == 0


def test_everything_may_be_dead_lettered_where_that_is_wanted(
    inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(3000)
    emulator = inlet([{"reject": {"status": 400, "message": "no such schema"}}])
    done = send(emulator, "-", stdin=lines(records), delivery__poison__share=1)

    assert done.code == 3
    assert len(kept_in(data_dir).dead_letters) == 3000
