"""What was accepted is compared with what landed, and what failed comes back, once."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.store import audit
from agent.store.database import open_for_reading
from preflight.flows import made
from support.agent import Finished, aep_agent
from support.emulator import RunningEmulator
from support.flows_made import ACCOUNT

GOOD = b'{"region":"FR","id":%d}'
CALLS = 14  # that a pull of one failed batch makes
BAD = b'{ "region":"FR", "total":-1, "id":%d}'  # as it was read, blanks included


@pytest.fixture
def config(emulator: RunningEmulator, data_dir: Path, tmp_path: Path) -> Path:
    """A configuration in which the flow `orders` is looked up."""
    whole = {
        "data_dir": str(data_dir),
        "platform": {"url": f"http://127.0.0.1:{emulator.port}", "warm_up": "0s", **ACCOUNT},
        "inlet": {"flow": "orders"},
        "batch": {"max_wait": "20ms", "max_bytes": "2KB"},
    }
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(whole))
    return path


def _sent(config: Path, file: Path, lines: list[bytes]) -> Finished:
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    return aep_agent("send", "--config", config, file)


def _reconcile(config: Path, *words: str) -> Finished:
    return aep_agent("reconcile", "--config", config, *words)


def _letters(config: Path) -> list[dict[str, Any]]:
    shown = aep_agent("dead-letters", "export", "--data-dir", config.parent / "data")
    return [json.loads(line) for line in shown.stdout.splitlines()]


def _books(data_dir: Path) -> audit.Audit:
    connection = open_for_reading(data_dir)
    assert connection is not None
    with closing(connection):
        books = audit.take(connection)
        assert [check for check in audit.checks(books) if not check.holds] == []
        return books


def test_what_failed_becomes_a_dead_letter_once_with_its_bytes_and_the_platforms_words(
    emulator: RunningEmulator, config: Path, data_dir: Path, tmp_path: Path
) -> None:
    made(emulator)
    lines = [(BAD if n % 10 == 0 else GOOD) % n for n in range(200)]
    sent = _sent(config, tmp_path / "orders.ndjson", lines)
    emulator.settle()

    told = _reconcile(config, "--json")
    pulled = _reconcile(config, "--pull", "--json")
    again = _reconcile(config, "--pull", "--json")
    words = _reconcile(config)
    letters = _letters(config)

    assert sent.code == 0
    assert (told.code, pulled.code, again.code, words.code) == (3, 3, 3, 3), pulled.stderr
    found = told.summary
    assert (found["accepted"], found["landed"], found["failed"]) == (200, 180, 20)
    assert (found["missing"], found["of_others"]) == (0, 0)
    assert found["platform"]["inlet_messages"] == 200
    assert found["platform"]["dataset_records"] == 180
    assert found["reasons"] == {"-1 is not greater or equal to 0": 20}
    assert "pulled" not in found
    assert pulled.summary["pulled"]["new"] == pulled.summary["pulled"]["as_read"] == 20
    assert (again.summary["pulled"]["new"], again.summary["pulled"]["before"]) == (0, 20)
    assert len(letters) == 20
    for letter in letters:
        assert letter["record"].encode() == lines[letter["position"]["line"] - 1]
        assert (letter["reason"], letter["stage"]) == ("failed", "landing")
        assert letter["message"] == (
            "minimum #/_emulated/order/total: -1 is not greater or equal to 0"
        )
        assert letter["xaction_id"]
    assert b"--pull keeps them as dead letters" in words.stdout
    books = _books(data_dir)
    assert (books.total("accepted"), books.by_reason("dead_lettered")) == (180, {"failed": 20})


def test_where_everything_has_landed_it_says_so_with_a_zero(
    emulator: RunningEmulator, config: Path, tmp_path: Path
) -> None:
    made(emulator)
    _sent(config, tmp_path / "orders.ndjson", [GOOD % n for n in range(50)])
    emulator.settle()

    told = _reconcile(config, "--pull")

    assert told.code == 0, told.stdout
    assert b"0 new dead letters" in told.stdout


def test_what_landed_nowhere_is_on_its_way_at_first_and_missing_later(
    emulator: RunningEmulator, config: Path, tmp_path: Path
) -> None:
    made(emulator)
    _sent(config, tmp_path / "good.ndjson", [GOOD % n for n in range(10)])
    emulator._asked("PUT", "traps", b'{"warm_up": 300}')
    _sent(config, tmp_path / "lost.ndjson", [GOOD % n for n in range(30)])
    emulator.settle()

    soon = _reconcile(config, "--json")
    late = _reconcile(config, "--lag", "0s", "--json")
    words = _reconcile(config, "--lag", "0s")

    assert soon.code == 0
    assert (soon.summary["on_their_way"], soon.summary["missing"]) == (30, 0)
    assert (late.code, words.code) == (3, 3)
    assert (late.summary["on_their_way"], late.summary["missing"]) == (0, 30)
    assert b"landed nowhere and failed nowhere" in words.stdout


def test_where_the_line_is_gone_the_exported_form_is_kept_and_not_replayed(
    emulator: RunningEmulator, config: Path, data_dir: Path, tmp_path: Path
) -> None:
    made(emulator)
    orders = tmp_path / "orders.ndjson"
    _sent(config, orders, [BAD % 1, BAD % 2, BAD % 3])
    emulator.settle()
    orders.write_bytes(orders.read_bytes().replace(b'"id":2', b'"id":7'))

    pulled = _reconcile(config, "--pull", "--json").summary["pulled"]
    by_line = {letter["position"]["line"]: letter for letter in _letters(config)}
    replayed = aep_agent(
        *("dead-letters", "replay", "--reason", "failed", "--config", config, "--dry-run")
    )

    assert (pulled["as_read"], pulled["as_exported"]) == (2, 1)
    assert by_line[1]["record"].encode() == BAD % 1
    assert (by_line[2]["stage"], by_line[3]["stage"]) == ("export", "landing")
    assert by_line[2]["reason"] == "failed_exported"
    exported = json.loads(by_line[2]["record"])
    assert exported["body"]["xdmEntity"]["_emulated"]["order"]["id"] == "FR-2"
    assert "cannot be read again" in by_line[2]["message"]
    assert b"2 dead letters would be sent again" in replayed.stdout
    _books(data_dir)


def test_a_pulled_record_that_is_put_right_and_replayed_lands_and_the_books_balance(
    emulator: RunningEmulator, config: Path, data_dir: Path, tmp_path: Path
) -> None:
    flow = made(emulator)
    _sent(config, tmp_path / "orders.ndjson", [GOOD % 1, BAD % 2])
    emulator.settle()
    _reconcile(config, "--pull")
    replayed = aep_agent("dead-letters", "replay", "--reason", "failed", "--config", config)
    emulator.settle()
    again = _reconcile(config, "--pull", "--json")

    assert flow
    assert replayed.code == 0, replayed.stderr
    # it is as wrong as it was, and so it fails once more, as another dead letter
    assert (again.summary["accepted"], again.summary["failed"]) == (3, 2)
    assert (again.summary["pulled"]["new"], again.summary["pulled"]["before"]) == (1, 1)
    books = _books(data_dir)
    assert (books.total("read"), books.total("accepted"), books.total("failed")) == (2, 1, 2)


def test_records_of_others_are_told_apart_and_not_pulled(
    emulator: RunningEmulator, config: Path, data_dir: Path, tmp_path: Path
) -> None:
    made(emulator)
    _sent(config, tmp_path / "ours.ndjson", [GOOD % n for n in range(5)])
    others = tmp_path / "others.ndjson"
    others.write_bytes(b"\n".join([GOOD % 1, BAD % 2, BAD % 3]))
    aep_agent("send", "--config", config, "--data-dir", tmp_path / "elsewhere", others)
    emulator.settle()

    told = _reconcile(config, "--pull", "--json")

    assert told.summary["of_others"] == 3
    assert (told.summary["pulled"]["new"], told.summary["pulled"]["of_others"]) == (0, 2)
    assert _letters(config) == []
    assert _books(data_dir).total("accepted") == 5


def test_a_pull_that_is_cut_off_by_the_platform_goes_on_where_it_was(
    emulator: RunningEmulator, config: Path, tmp_path: Path
) -> None:
    made(emulator)
    _sent(config, tmp_path / "orders.ndjson", [BAD % n for n in range(30)])
    emulator.settle()
    fault = {"name": "no", "status": 403, "when": {"path": "platform", "after": CALLS - 1}}
    emulator.set_faults(fault)
    cut = _reconcile(config, "--pull")
    emulator.set_faults()
    done = _reconcile(config, "--pull", "--json")

    assert cut.code == 1
    assert done.summary["pulled"]["new"] + done.summary["pulled"]["before"] == 30
    assert len(_letters(config)) == 30


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--since", "1h", "--until", "2h"], 2, b"later than --since"),
        (["--flow", "ordres"], 78, b"did you mean orders?"),
        (["--data-dir", "nowhere"], 1, b"no store at nowhere"),
        (["--lag", "soon"], 2, b"no duration"),
    ],
)
def test_mistakes_are_told(
    emulator: RunningEmulator,
    config: Path,
    tmp_path: Path,
    words: list[str],
    code: int,
    said: bytes,
) -> None:
    made(emulator)
    _sent(config, tmp_path / "orders.ndjson", [GOOD % 1])

    told = _reconcile(config, *words)

    assert told.code == code
    assert said in told.stderr


def test_of_several_flows_each_has_its_own_receipts(
    emulator: RunningEmulator, data_dir: Path, tmp_path: Path
) -> None:
    flows = {name: made(emulator, name=name) for name in ("orders", "returns")}
    sources = []
    for number, name in enumerate(flows):
        path = tmp_path / f"{name}.ndjson"
        path.write_bytes(b"\n".join([GOOD % n for n in range(10 + number)]))
        sources.append({"type": "file", "paths": [str(path)], "follow": False, "flow": name})
    config = tmp_path / "agent.json"
    whole = {
        "data_dir": str(data_dir),
        "platform": {"url": f"http://127.0.0.1:{emulator.port}", "warm_up": "0s", **ACCOUNT},
        "flows": {name: {"inlet": {"flow": name}} for name in flows},
        "sources": sources,
        "admin": {"listen": None},
    }
    config.write_text(json.dumps(whole))
    ran = aep_agent("run", config)
    emulator.settle()
    found = [_reconcile(config, "--flow", name, "--json").summary for name in flows]
    unnamed = _reconcile(config)

    assert ran.code == 0, ran.stderr
    assert [(each["accepted"], each["landed"]) for each in found] == [(10, 10), (11, 11)]
    assert unnamed.code == 78
    assert b"has the flows orders, returns" in unnamed.stderr


def test_it_reads_while_an_agent_writes(
    emulator: RunningEmulator, config: Path, data_dir: Path, tmp_path: Path
) -> None:
    made(emulator)
    _sent(config, tmp_path / "orders.ndjson", [GOOD % 1, BAD % 2])
    emulator.settle()
    with closing(sqlite3.connect(data_dir / "store.db", isolation_level=None)) as agent:
        agent.execute("BEGIN IMMEDIATE")
        told = _reconcile(config, "--json")
        agent.execute("ROLLBACK")

    assert told.code == 3
    assert told.summary["failed"] == 1
