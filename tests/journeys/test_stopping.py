"""A signal stops it in order: nothing that was read is forgotten, and it says where to go on."""

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import accounted_for, kept_in
from support.agent import Running, eventually, send_arguments
from support.emulator import RunningEmulator
from support.records import lines, orders

pytestmark = pytest.mark.alone

Inlet = Callable[..., RunningEmulator]
Start = Callable[..., Running]

ENDING = 5.0  # seconds to close a store and a process on a machine that is very busy


def test_sigterm_while_the_inlet_hangs_ends_within_the_grace_and_tells_the_safe_position(
    inlet: Inlet, start: Start, data_dir: Path, tmp_path: Path
) -> None:
    records = orders(3000)
    (tmp_path / "a").write_bytes(lines(records))
    emulator = inlet([{"when": {"matching": '"order": 1000,'}, "hang": True}])
    settings = {"shutdown__grace": "1s", "batch__max_records": 100, "delivery__max_in_flight": 2}
    agent = start(*send_arguments(emulator, data_dir, tmp_path / "a", **settings))
    eventually(lambda: emulator.stats()["records_accepted"] == 2900)
    asked = time.monotonic()
    agent.signal(signal.SIGTERM)
    done = agent.finished()

    assert time.monotonic() - asked < 1 + ENDING
    assert done.code == 1
    assert (done.summary["held"], done.summary["interrupted"]) == (100, True)
    safe = done.summary["safe_positions"][str(tmp_path / "a")]
    settled = {receipt.line for receipt in kept_in(data_dir).receipts}
    assert set(range(1, safe["line"])) <= settled
    assert 1 <= safe["line"] <= 901
    assert lines(records)[safe["offset"] :].startswith(records[safe["line"] - 1])


def test_what_is_sent_on_from_the_safe_position_completes_the_file(
    inlet: Inlet, start: Start, data_dir: Path, tmp_path: Path
) -> None:
    records = orders(2000)
    (tmp_path / "a").write_bytes(lines(records))
    emulator = inlet([{"when": {"after": 8}, "hang": True}])
    settings = {"shutdown__grace": "100ms", "batch__max_records": 50, "buffer__max_bytes": "40KB"}
    settings["batch__max_bytes"] = "4KB"
    agent = start(*send_arguments(emulator, data_dir, tmp_path / "a", **settings))
    eventually(lambda: emulator.stats()["requests_in_flight"] == 8)
    agent.signal(signal.SIGTERM)
    done = agent.finished()
    assert done.code == 1
    safe = done.summary["safe_positions"][str(tmp_path / "a")]["offset"]
    assert 0 < safe < len(lines(records))

    emulator.set_faults()
    rest = start(*send_arguments(emulator, tmp_path / "more", "-"))
    assert rest.finished(lines(records)[safe:]).code == 0
    assert set(emulator.records()) == set(records)


def test_a_second_sigterm_ends_it_at_once(inlet: Inlet, start: Start, data_dir: Path) -> None:
    emulator = inlet([{"hang": True}])
    agent = start(*send_arguments(emulator, data_dir, "-", shutdown__grace="50s"))
    agent.write(lines(orders(100)))
    eventually(lambda: emulator.stats()["requests_in_flight"] > 0)
    agent.signal(signal.SIGTERM)
    time.sleep(0.3)
    assert agent.process.poll() is None, "it still waits for answers"
    asked = time.monotonic()
    agent.signal(signal.SIGTERM)
    done = agent.finished()

    assert time.monotonic() - asked < ENDING
    assert done.code == 1
    assert done.summary["held"] == 100


def test_a_signal_in_the_middle_of_a_stream_delivers_what_was_read_and_waited_for_company(
    inlet: Inlet, start: Start, data_dir: Path
) -> None:
    records = orders(2900)
    emulator = inlet(latency=0.02)
    settings = {"batch__max_wait": "50s", "batch__max_bytes": "500KB", "batch__max_records": 1000}
    agent = start(*send_arguments(emulator, data_dir, "-", **settings))
    agent.write(lines(records) + b'{"torn":')
    eventually(lambda: emulator.stats()["records_accepted"] == 2000)
    time.sleep(0.5)
    agent.signal(signal.SIGINT)
    done = agent.finished()

    assert done.code == 3, "half a line of a pipe can be read nowhere again: it is kept"
    assert (done.summary["read"], done.summary["held"]) == (2901, 0)
    accounted_for({"stdin": [*records, b'{"torn":']}, emulator, data_dir)


def test_a_signal_during_an_outage_does_not_wait_for_the_next_attempt(
    inlet: Inlet, start: Start, data_dir: Path
) -> None:
    emulator = inlet([{"status": 503, "retry_after": 30}])
    agent = start(*send_arguments(emulator, data_dir, "-", shutdown__grace="20s"))
    agent.write(lines(orders(500)))
    eventually(lambda: emulator.stats()["requests"] > 0)
    time.sleep(0.3)
    asked = time.monotonic()
    agent.signal(signal.SIGTERM)
    done = agent.finished()

    assert time.monotonic() - asked < ENDING
    assert (done.code, done.summary["held"]) == (1, 500)


def test_the_exit_leaves_a_store_that_another_run_goes_on_with(
    inlet: Inlet, start: Start, data_dir: Path
) -> None:
    emulator = inlet()
    records = orders(2000)
    agent = start(*send_arguments(emulator, data_dir, "-"))
    agent.write(lines(records[:1000]))
    eventually(lambda: emulator.stats()["records_accepted"] == 1000)
    time.sleep(0.3)
    agent.signal(signal.SIGKILL)
    assert agent.finished().code == -signal.SIGKILL
    assert len(kept_in(data_dir).receipts) == 1000, "receipts are durable soon after the answer"

    again = start(*send_arguments(emulator, data_dir, "-"))
    assert again.finished(lines(records[1000:])).code == 0
    assert len(kept_in(data_dir).receipts) == 2000


def test_a_terminal_that_is_closed_stops_it_in_order_however_often_that_is_told(
    inlet: Inlet, start: Start, data_dir: Path
) -> None:
    emulator = inlet(latency=1.0)
    agent = start(*send_arguments(emulator, data_dir, "-", batch__max_wait="20ms"))
    agent.write(lines(orders(10)))
    eventually(lambda: emulator.stats()["requests"] == 1)
    agent.signal(signal.SIGHUP)
    time.sleep(0.1)
    agent.signal(signal.SIGHUP)
    done = agent.finished()

    assert (done.code, done.summary["accepted"], done.summary["interrupted"]) == (0, 10, True)


def test_under_nohup_a_terminal_may_be_closed(inlet: Inlet, start: Start, data_dir: Path) -> None:
    emulator = inlet()
    arguments = send_arguments(emulator, data_dir, "-", batch__max_wait="20ms")
    agent = start(*arguments, before=["nohup"])
    agent.write(lines(orders(10)))
    eventually(lambda: emulator.stats()["records_accepted"] == 10)
    agent.signal(signal.SIGHUP)
    time.sleep(0.1)
    agent.write(lines(orders(10, first=10)))
    eventually(lambda: emulator.stats()["records_accepted"] == 20)
    done = agent.finished()

    assert (done.code, done.summary["interrupted"]) == (0, False)
