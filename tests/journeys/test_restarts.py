"""Stopped and started again and again, at any instant, under load: exactly once all the same."""

import random
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from support.accounts import accounted_for
from support.agent import Running, aep_agent, eventually
from support.emulator import RunningEmulator
from support.records import lines, orders

STOPS, A_TURN = 30, 2000
RECORDS = orders(STOPS * A_TURN)


def _asked_more(emulator: RunningEmulator, before: int) -> bool:
    return emulator.stats()["requests"] > before


def test_thirty_stops_at_random_instants_lose_and_double_nothing(
    inlet: Callable[..., RunningEmulator],
    configured: Callable[..., Path],
    start: Callable[..., Running],
    data_dir: Path,
    tmp_path: Path,
) -> None:
    dice = random.Random(2011)
    path = tmp_path / "app.ndjson"
    emulator = inlet(faults=[{"delay": 0.02}, {"when": {"probability": 0.1}, "status": 503}])
    config = configured(emulator, path, shutdown={"grace": "10s"})
    codes = []
    for turn in range(STOPS):
        with path.open("ab") as file:
            file.write(lines(RECORDS[turn * A_TURN : (turn + 1) * A_TURN]))
        agent, before = start("run", config), emulator.stats()["requests"]
        if turn % 3:  # while it works; or even while it starts
            eventually(partial(_asked_more, emulator, before))
        time.sleep(dice.uniform(0.0, 0.5))
        agent.signal(signal.SIGTERM)
        codes.append(agent.finished().code)
    emulator.set_faults()
    done = aep_agent("run", config)

    assert {*codes} <= {0, -signal.SIGTERM}, codes  # it did not listen to signals yet
    assert codes.count(0) > STOPS / 3
    assert done.code == 0, done.stderr[-2000:]
    assert not accounted_for({str(path): RECORDS}, emulator, data_dir).dead_letters
