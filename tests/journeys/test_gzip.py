"""Compression is tried, proven or given up for good, without losing or doubling a record."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import accounted_for
from support.agent import Finished
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]
Inlet = Callable[..., RunningEmulator]

GIVEN_UP = "does not take gzip"


@pytest.mark.parametrize("status", [415, 400, 500])
def test_an_inlet_that_refuses_gzip_gets_everything_without_and_is_asked_no_more(
    status: int, inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(3000)
    emulator = inlet([{"when": {"encoding": "gzip"}, "status": status}])
    done = send(emulator, "-", stdin=lines(records), delivery__max_in_flight=4)

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert len(done.logged(GIVEN_UP)) == 1
    assert done.logged(GIVEN_UP)[0]["status"] == status
    assert 1 <= emulator.stats()["requests_gzip"] <= 4, "at most what was in flight at first"


def test_gzip_that_was_taken_once_is_not_given_up_for_a_later_error(
    inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(3000)
    emulator = inlet(
        [
            {"when": {"after": 2, "requests": 4}, "status": 500},
            {"when": {"after": 2, "requests": 2}, "status": 415},
            {"when": {"after": 4, "requests": 2}, "status": 400},
        ]
    )
    done = send(emulator, "-", stdin=lines(records), delivery__max_in_flight=1)

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert not done.logged(GIVEN_UP)
    stats = emulator.stats()
    assert stats["requests_gzip"] == stats["requests"]


def test_gzip_proven_while_a_refusal_is_looked_into_is_kept(
    inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(3000)
    emulator = inlet(
        [
            {"when": {"encoding": "gzip", "requests": 1}, "status": 500},
            {"when": {"encoding": "identity", "requests": 1}, "delay": 0.5},
        ]
    )
    done = send(emulator, "-", stdin=lines(records), delivery__max_in_flight=2)

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert not done.logged(GIVEN_UP)
    stats = emulator.stats()
    assert stats["requests_gzip"] == stats["requests"] - 1


def test_an_outage_at_the_start_does_not_cost_the_compression(
    inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(1000)
    emulator = inlet([{"when": {"requests": 6}, "status": 502}])
    done = send(emulator, "-", stdin=lines(records), delivery__max_in_flight=1)

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert not done.logged(GIVEN_UP)


def test_compression_can_be_switched_off(inlet: Inlet, send: Send, data_dir: Path) -> None:
    records = orders(300)
    emulator = inlet(gzip=False)
    done = send(emulator, "-", stdin=lines(records), inlet__compression="none")

    assert (done.code, done.stderr) == (0, b"")
    accounted_for({"stdin": records}, emulator, data_dir)
    assert emulator.stats()["requests_gzip"] == 0
