"""An inlet with a smaller limit teaches it; only a record that fits nowhere is a dead letter."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import accounted_for, kept_in
from support.agent import Finished, Running, eventually, send_arguments
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]
Inlet = Callable[..., RunningEmulator]


@pytest.mark.parametrize("compression", ["auto", "none"])
def test_requests_are_split_until_they_fit_and_later_ones_are_made_to_fit(
    compression: str,
    inlet: Inlet,
    start: Callable[..., Running],
    data_dir: Path,
) -> None:
    records = orders(12_000)
    emulator = inlet(max_request_bytes=50_000)
    settings = {"batch__max_bytes": "200KB", "inlet__compression": compression}
    agent = start(*send_arguments(emulator, data_dir, "-", **settings))
    agent.write(lines(records[:6000]))
    eventually(lambda: emulator.stats()["records_accepted"] == 6000)
    refused = emulator.stats()["requests_by_status"]["413"]
    done = agent.finished(lines(records[6000:]))

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert emulator.stats()["requests_by_status"]["413"] == refused > 0


def test_a_record_beyond_the_limit_of_the_inlet_is_the_only_dead_letter(
    inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(1000)
    records[500] = b'{"pad":"' + b"x" * 60_000 + b'"}'
    emulator = inlet(max_request_bytes=50_000)
    done = send(emulator, "-", stdin=lines(records), batch__max_bytes="100KB")

    assert done.code == 3
    by_line = {number: record for number, record in enumerate(records, 1) if number != 501}
    assert sorted(emulator.records()) == sorted(by_line.values())
    (letter,) = kept_in(data_dir).dead_letters
    assert (letter.record, letter.reason, letter.status) == (records[500], "too_large", 413)
    assert letter.position.line == 501


def test_a_request_never_exceeds_a_million_bytes(
    emulator: RunningEmulator, send: Send, data_dir: Path
) -> None:
    overhead = len(b'{"messages":[]}')
    fits = b'{"pad":"' + b"x" * (1_000_000 - overhead - len(b'{"pad":""}')) + b'"}'
    too_long = fits[:-2] + b'x"}'
    records = [*orders(100), fits, too_long, *orders(100, first=1000)]
    done = send(emulator, "-", stdin=lines(records), batch__max_bytes="1MB")

    assert done.code == 3
    (letter,) = accounted_for({"stdin": records}, emulator, data_dir).dead_letters
    assert (letter.length, letter.stage, letter.reason) == (len(too_long), "validate", "too_large")
    assert emulator.stats()["requests_by_status"].keys() == {"207"}
