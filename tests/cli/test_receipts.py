import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.record import Receipt, Span, XactionIds
from agent.store.disk import Store, StoreLimits

BATCH = Receipt(
    accepted_at=1_700_000_000.125,
    received_time_ms=1_565_628_583_792,
    batch_id="1565628583792:1485:153",
    ids=XactionIds("1565628583792:1485:153:", (range(2), range(3, 4))),
    spans=(Span("/var/log/orders.ndjson", 4711, 90_000, 2), Span("stdin", 9, 100, 1)),
    attempts=2,
)

Settle = Callable[[Sequence[Receipt]], None]


@pytest.fixture
def settle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settle:
    """Put receipts into the store that the commands will read."""
    monkeypatch.setenv("AEP_AGENT_DATA_DIR", str(tmp_path))

    def write(receipts: Sequence[Receipt]) -> None:
        async def settled() -> None:
            store = Store.open(tmp_path, limits=StoreLimits(3e9, 10**9, 10**9))
            await store.settle(receipts, [])
            await store.close()

        asyncio.run(settled())

    return write


@pytest.fixture
def command(settle: Settle, capfdbinary: pytest.CaptureFixture[bytes]):
    """Run `aep-agent receipts …`: exit code, stdout, stderr as text."""

    def run(*words: str) -> tuple[int, str, str]:
        code = main(["receipts", *words])
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return code, captured.out.decode(), captured.err.decode()

    return run


@pytest.mark.parametrize("wanted", ["1565628583792:1485:153:1", "orders.ndjson:4712"])
def test_one_record_is_shown_with_all_that_is_known(settle, command, wanted):
    settle([BATCH])
    code, out, err = command("find", wanted)
    assert (code, err) == (0, "")
    for words in (
        "1565628583792:1485:153:1",
        "/var/log/orders.ndjson, line 4712",
        "2023-11-14T22:13:20.125Z, at attempt 2",
        "2019-08-12T16:49:43.792Z by the platform's clock",
        "the lines from 4711 on (byte 90000)",
    ):
        assert words in out


def test_a_batch_is_shown_line_by_line(settle, command):
    settle([BATCH])
    code, out, _ = command("find", "1565628583792:1485:153")
    assert code == 0
    assert out.splitlines() == [
        "2023-11-14T22:13:20.125Z  1565628583792:1485:153:0  /var/log/orders.ndjson:4711",
        "2023-11-14T22:13:20.125Z  1565628583792:1485:153:1  /var/log/orders.ndjson:4712",
        "2023-11-14T22:13:20.125Z  1565628583792:1485:153:3  stdin:9",
    ]


def test_what_is_found_can_be_had_as_json(settle, command):
    settle([BATCH])
    _, out, _ = command("find", "stdin:9", "--json")
    assert json.loads(out) == {
        "xaction_id": "1565628583792:1485:153:3",
        "batch_id": "1565628583792:1485:153",
        "received_time_ms": 1565628583792,
        "accepted_at": "2023-11-14T22:13:20.125Z",
        "source": "stdin",
        "line": 9,
        "attempts": 2,
        "index": 2,
        "span": {"line": 9, "offset": 100},
    }


def test_what_is_not_found_comes_with_what_to_try(settle, command):
    settle([BATCH])
    code, out, err = command("find", "orders.ndjson:4713\x1b")
    assert (code, out) == (1, "")
    assert "dead-letters list" in err
    assert "stdin, /var/log/orders.ndjson" in err
    assert "\x1b" not in err


def test_a_clock_beyond_all_dates_is_shown_as_it_is(settle, command):
    odd = Receipt(1.0, 10**15 - 1, None, XactionIds(listed=("x",)), (Span("s", 1, 0, 1),), 1)
    settle([odd])
    assert "999999999999999 ms" in command("find", "x")[1]


def test_an_export_has_one_line_for_each_record(settle, command, tmp_path):
    settle([BATCH])
    code, out, _ = command("export")
    assert code == 0
    assert [json.loads(line)["line"] for line in out.splitlines()] == [4711, 4712, 9]
    assert json.loads(out.splitlines()[0]) == {
        "xaction_id": "1565628583792:1485:153:0",
        "batch_id": "1565628583792:1485:153",
        "received_time_ms": 1565628583792,
        "accepted_at": "2023-11-14T22:13:20.125Z",
        "source": "/var/log/orders.ndjson",
        "line": 4711,
        "attempts": 2,
    }
    path = tmp_path / "receipts.ndjson"
    assert command("export", "-o", str(path))[1] == ""
    assert path.read_text() == out


def test_an_export_begins_at_a_time(settle, command):
    settle([BATCH])
    assert command("export", "--since", "2023-11-14T22:13:20Z")[1] != ""
    code, out, err = command("export", "--since", "2023-11-14T22:13:21Z")
    assert (code, out) == (0, "")
    assert "nothing was exported" in err


def test_a_missing_store_is_no_failure_but_finds_nothing(command):
    assert command("export")[:2] == (0, "")
    code, out, err = command("find", "x:1")
    assert (code, out) == (1, "")
    assert "no store at" in err
