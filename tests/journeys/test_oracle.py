"""Under faults by chance every record has one verdict, and none is sent again once it was told."""

import json
import os
import random
import sys
from pathlib import Path

import pytest

from support.accounts import kept_in
from support.agent import aep_agent, send_arguments
from support.emulator import Remote
from support.records import lines
from support.witness import Witness

COUNT = 4000
FRESH = int(os.environ.get("JOURNEY_SEED") or random.randrange(10**9))


def _records(dice: random.Random) -> list[str]:
    return [
        json.dumps({"n": n, "bad": dice.random() < 0.05, "é": "x" * dice.randrange(60)})
        for n in range(COUNT)
    ]


@pytest.mark.parametrize("seed", [1, FRESH], ids=["1", "fresh"])
def test_every_record_is_answered_for_and_no_verdict_is_asked_for_twice(
    seed: int, data_dir: Path
) -> None:
    sys.stdout.write(f"JOURNEY_SEED={seed} repeats this\n")  # shown where the test fails
    records = _records(random.Random(seed))
    with Witness(seed) as witness:
        remote = Remote(witness.port, f"http://127.0.0.1:{witness.port}/collection/x", "flow")
        text = lines([record.encode() for record in records])
        arguments = send_arguments(remote, data_dir, "-", batch__max_records=25)
        done = aep_agent(*arguments, stdin=text)
        memory = witness.memory

    assert done.code == 3, done.stderr
    assert done.summary["read"] == COUNT
    assert done.summary["held"] == 0
    assert memory.asked_again == []
    kept = kept_in(data_dir)
    bad = {record for record in records if '"bad": true' in record}
    assert sorted(letter.record.decode() for letter in kept.dead_letters) == sorted(bad)
    assert {letter.message for letter in kept.dead_letters} == {"no, not this"}
    assert memory.taken.keys() == set(records) - bad
    assert sorted(receipt.line for receipt in kept.receipts) == [
        number for number, record in enumerate(records, 1) if record not in bad
    ]
    for receipt in kept.receipts:
        record = records[receipt.line - 1]
        assert receipt.xaction_id in memory.ids[record]
    for record, times in memory.taken.items():
        assert times <= 1 + memory.untold[record], f"{record} was sent {times} times"
    assert len(memory.events) == 9, "every fault was met"
