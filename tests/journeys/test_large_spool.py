"""However much waits in the spool, a start is soon done, sends it first, and stays small."""

import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import kept_in
from support.agent import Finished, Running, eventually
from support.emulator import RunningEmulator
from support.records import lines, orders
from support.spools import fill, spooled

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

Inlet = Callable[..., RunningEmulator]
Fill = Callable[..., tuple[RunningEmulator, Path]]

DOWN = [{"status": 503}]


@pytest.fixture
def filled(
    inlet: Inlet, configured: Callable[..., Path], start: Callable[..., Running], data_dir: Path
) -> Fill:
    """Fills a spool behind the first order; the inlet, which is well now, and a configuration."""

    def fill_up(batches: list[list[bytes]], **settings: object) -> tuple[RunningEmulator, Path]:
        emulator = inlet(faults=DOWN)
        config = configured(emulator, shutdown={"grace": "0s"}, **settings)
        agent = start("run", config)
        agent.write(lines(orders(1)))
        eventually(lambda: spooled(data_dir) == 1)
        agent.signal(signal.SIGTERM)
        agent.finished()
        fill(data_dir, batches)
        emulator.set_faults()
        return emulator, config

    return fill_up


def _stopped(agent: Running) -> Finished:
    agent.signal(signal.SIGTERM)
    return agent.finished()


def test_with_a_million_records_spooled_sending_begins_at_once_and_with_those(
    filled: Fill, start: Callable[..., Running], data_dir: Path
) -> None:
    old = [b'{"old":%d}' % number for number in range(10)]
    emulator, config = filled([old] * 100_000)
    agent = start("run", config)
    agent.write(b'{"new":1}\n')
    eventually(lambda: emulator.stats()["records_accepted"], 60)
    took = agent.cpu_seconds()
    eventually(lambda: len(emulator.records()) > 1000, 60)
    done = _stopped(agent)

    assert took < 3, f"the first request came after {took:.1f} s of work"  # 0.5 s in a small one
    assert done.code == 0, done.stderr
    assert done.logged("records wait in the spool")[0]["records"] == 1_000_001
    assert emulator.records()[0] == orders(1)[0]
    assert b'{"new":1}' not in emulator.records()
    kept_in(data_dir)
    assert done.log[-1]["held_on_disk"] == spooled(data_dir) > 900_000


def test_a_large_spool_needs_few_descriptors_and_little_memory(
    filled: Fill, data_dir: Path, tmp_path: Path, start: Callable[..., Running]
) -> None:
    """Thirty thousand rows, three hundred megabytes, with 256 descriptors."""
    padding = b"x" * 1000
    batch = [b'{"n":%d,"padding":"%s"}' % (number, padding) for number in range(10)]
    emulator, config = filled([batch] * 30_000, delivery={"max_in_flight": 64})
    agent = start("run", config, limits={resource.RLIMIT_NOFILE: 256, resource.RLIMIT_AS: 1 << 30})
    eventually(lambda: emulator.stats()["requests"] > 2000, 60)
    peak = agent.peak_bytes()
    done = _stopped(agent)

    assert done.code == 0, done.stderr
    assert peak < 200e6
    assert not done.logged("the store takes nothing")
    kept_in(data_dir)
