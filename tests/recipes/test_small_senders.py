"""The senders that need no configuration: socat, curl, Python's logging, journalctl."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from recipes.stage import Stage, program
from support.agent import eventually
from support.records import lines, orders

Arrive = Callable[[Sequence[bytes]], None]


def test_what_is_piped_into_socat_arrives(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None]
) -> None:
    program("socat")
    records = orders(1000)
    running = stage.listening("unix.yaml")
    subprocess.run([stage.place("socat.sh")], input=lines(records), check=True, timeout=30)
    all_arrive(records)
    assert stage.stop(running) == 0
    books_balance()


def test_a_file_posted_with_curl_arrives_and_curl_is_told_so(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None]
) -> None:
    program("curl")
    records = orders(1000)
    posted = stage.logs / "orders.json"
    posted.write_bytes(lines(records))
    running = stage.listening("http.yaml")
    done = subprocess.run(
        [stage.place("curl.sh"), posted], capture_output=True, check=True, timeout=30
    )
    assert b"1000" in done.stdout, done.stdout
    all_arrive(records)
    assert stage.stop(running) == 0
    books_balance()


def test_what_python_logs_arrives_with_its_fields(
    stage: Stage, books_balance: Callable[[], None]
) -> None:
    running = stage.listening("tcp.yaml")
    subprocess.run([sys.executable, stage.place("python-logging.py")], check=True, timeout=30)
    eventually(lambda: len(stage.emulator.records()) == 100)
    records = [json.loads(record) for record in stage.emulator.records()]
    assert sorted(record["order"] for record in records) == list(range(100))
    assert {record["city"] for record in records} == {"Zürich"}
    assert {record["logger"] for record in records} == {"shop"}
    assert stage.stop(running) == 0
    books_balance()


def test_what_services_print_comes_from_the_journal_and_a_restart_goes_on_there(
    stage: Stage, all_arrive: Arrive, books_balance: Callable[[], None]
) -> None:
    stage.data.mkdir()
    stage.place("program.yaml")
    records = orders(400)
    journal = stage.root / "shop.journal"
    reading = {"PATH": f"{_journalctl_reading(stage.root, journal)}:{os.environ['PATH']}"}
    for half in (records[:250], records[250:]):
        _write_journal(stage.root, journal, half)
        expected = len(stage.emulator.records()) + len(half)
        shipping = stage.start([str(stage.place("journald.sh"))], **reading)
        stage.receives(expected)
        stage.stop(shipping)
        eventually(stage.has_drained)
    all_arrive(records)
    books_balance()


def _journalctl_reading(folder: Path, journal: Path) -> Path:
    """A folder with a `journalctl` that reads this file, for there is no system that is booted."""
    real, ours = program("journalctl"), folder / "bin"
    ours.mkdir()
    script = ours / "journalctl"
    script.write_text(f'#!/bin/sh\nexec {real} --file={journal} "$@"\n')
    script.chmod(0o755)
    return ours


def _write_journal(folder: Path, journal: Path, records: Sequence[bytes]) -> None:
    """Add entries to a journal file, as a service that prints these lines would."""
    boot = (
        b"_BOOT_ID=0123456789abcdef0123456789abcdef\n_MACHINE_ID=0123456789abcdef0123456789abcdef"
    )
    begun = 1_700_000_000_000_000
    entries = []
    for record in records:
        number = json.loads(record)["order"]
        clocks = f"__REALTIME_TIMESTAMP={begun + number}\n__MONOTONIC_TIMESTAMP={number}\n".encode()
        entries.append(clocks + boot + b"\n_SYSTEMD_UNIT=shop.service\nMESSAGE=" + record + b"\n\n")
    export = folder / "entries.export"
    export.write_bytes(b"".join(entries))
    command = [program("systemd-journal-remote"), f"--output={journal}", str(export)]
    done = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
