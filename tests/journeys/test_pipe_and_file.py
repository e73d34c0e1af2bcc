"""A hundred thousand records arrive exactly once, byte for byte, and each can be traced."""

import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.accounts import kept_in
from support.agent import aep_agent
from support.emulator import Remote
from support.records import lines, orders

COUNT = 100_000


@pytest.fixture(scope="module")
def records() -> list[bytes]:
    return orders(COUNT)


@pytest.fixture(scope="module")
def file(records: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("input") / "orders.ndjson"
    path.write_bytes(lines(records))
    return path


@pytest.fixture
def emulate() -> Iterator[Remote]:
    """The command, as a user starts it."""
    command = [sys.executable, "-m", "agent", "emulate", "--listen", "127.0.0.1:0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        port = int(said["listening"].rpartition(":")[2])
        yield Remote(port, said["inlet_url"], said["flow_id"])
        process.terminate()
        assert process.wait(10) == 0


def test_what_is_piped_in_arrives_exactly_once_and_every_line_has_its_receipt(
    emulate: Remote, records: list[bytes], file: Path, data_dir: Path
) -> None:
    target = ["--inlet-url", emulate.inlet_url, "--flow-id", emulate.flow_id]
    cat = subprocess.Popen(["cat", str(file)], stdout=subprocess.PIPE)
    done = aep_agent("send", *target, "--data-dir", data_dir, "--json", "-", stdin=cat.stdout)
    assert cat.stdout
    cat.stdout.close()

    assert cat.wait(10) == 0
    assert (done.code, done.stderr) == (0, b"")
    assert done.summary["accepted"] == done.summary["read"] == COUNT
    assert Counter(emulate.records()) == Counter(records)
    by_id = emulate.records_by_id()
    receipts = kept_in(data_dir).receipts
    assert sorted(receipt.line for receipt in receipts) == list(range(1, COUNT + 1))
    assert all(by_id[each.xaction_id or ""] == records[each.line - 1] for each in receipts)


def test_a_file_arrives_exactly_once_and_an_id_leads_back_to_its_line(
    emulate: Remote, records: list[bytes], file: Path, data_dir: Path
) -> None:
    target = ["--inlet-url", emulate.inlet_url, "--flow-id", emulate.flow_id]
    done = aep_agent("send", *target, "--data-dir", data_dir, file)

    assert done.code == 0, done.stderr
    assert b"100,000 records read, 100,000 accepted, 0 dead-lettered, 0 without" in done.stdout
    assert Counter(emulate.records()) == Counter(records)
    xaction_id, record = random.Random(2).choice(list(emulate.records_by_id().items()))
    found = aep_agent("receipts", "find", xaction_id, "--json", "--data-dir", data_dir)
    assert found.code == 0, found.stderr
    receipt = json.loads(found.stdout)
    assert receipt["source"] == str(file)
    assert records[receipt["line"] - 1] == record
    back = aep_agent("receipts", "find", f"orders.ndjson:{receipt['line']}", "--data-dir", data_dir)
    assert xaction_id.encode() in back.stdout
