"""An inlet that stalls makes the reader wait; memory stays bounded and nothing is lost."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

from support.accounts import accounted_for
from support.agent import Running, eventually, send_arguments
from support.emulator import RunningEmulator
from support.records import lines

BUDGET = 8_000_000


def _incompressible(count: int) -> list[bytes]:
    dice = random.Random(4)
    return [
        b'{"n":%d,"noise":"%s"}' % (n, dice.randbytes(500).hex().encode()) for n in range(count)
    ]


def test_a_firehose_waits_for_a_stalled_inlet_and_then_all_of_it_arrives(
    inlet: Callable[..., RunningEmulator], start: Callable[..., Running], data_dir: Path
) -> None:
    records = _incompressible(50_000)
    emulator = inlet([{"hang": True}])
    settings = {
        "buffer__max_bytes": BUDGET,
        "batch__max_bytes": "500KB",
        "inlet__timeouts__answer": "4s",
    }
    agent = start(*send_arguments(emulator, data_dir, "-", **settings))
    written = 0

    def pour() -> None:
        nonlocal written
        for at in range(0, len(records), 500):
            block = lines(records[at : at + 500])
            agent.write(block)
            written += len(block)

    firehose = threading.Thread(target=pour)
    firehose.start()
    eventually(lambda: emulator.stats()["requests_in_flight"] >= 4)
    eventually(lambda: written > BUDGET)
    time.sleep(1)
    stalled_at = written
    time.sleep(0.5)
    assert written == stalled_at < 3 * BUDGET, "the writer is made to wait"
    emulator.set_faults()
    firehose.join()
    eventually(lambda: emulator.stats()["records_accepted"] > 49_000)
    peak = agent.peak_bytes()
    done = agent.finished()

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert peak < BUDGET + 80_000_000
