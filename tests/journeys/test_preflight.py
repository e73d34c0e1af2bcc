"""What would become of records is known before they are sent; then they are sent, and it does."""

import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.emulator.options import CLIENT_ID
from preflight.flows import EVENT, MAPPINGS, ORDER, PROFILE, made
from preflight.orders import lines_of
from provision.stage import ORDERS
from support.agent import LIMIT, Finished, aep_agent
from support.emulator import RunningEmulator
from support.flows_made import ACCOUNT


@pytest.fixture
def config(emulator: RunningEmulator, data_dir: Path, tmp_path: Path) -> Path:
    """A configuration in which the flow `orders` is looked up."""
    whole = {
        "data_dir": str(data_dir),
        "platform": {"url": f"http://127.0.0.1:{emulator.port}", "warm_up": "0s", **ACCOUNT},
        "inlet": {"flow": "orders"},
    }
    path = tmp_path / "agent.json"
    path.write_text(json.dumps(whole))
    return path


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """Two thousand orders, some of them wrong."""
    path = tmp_path / "orders.ndjson"
    path.write_bytes(b"".join(line + b"\n" for line in lines_of(11, 2000)))
    return path


def _preflight(*words: str | Path, stdin: Any = b"") -> Finished:
    return aep_agent("preflight", *words, stdin=stdin)


def test_as_many_records_fail_as_preflight_has_said_and_for_these_reasons(
    emulator: RunningEmulator, config: Path, orders: Path
) -> None:
    made(emulator)

    told = _preflight("--config", config, "--json", orders)
    sent = aep_agent("send", "--config", config, "--json", orders)
    emulator.settle()
    failed = json.loads(emulator._asked("GET", "failed?limit=5000"))["failed"]

    assert (told.code, sent.code) == (3, 3), told.stderr
    found = told.summary
    assert found["records"] == 2000
    assert found["rejected"] == len(failed) + sent.summary["dead_lettered"] > 500
    assert found["would_land"] == 2000 - found["rejected"]
    kinds = {(each["keyword"], each["pointer"]): each for each in found["errors"]}
    missing = kinds["required", "#/_emulated/order/lines/*"]
    assert missing["message"] == "required key [sku] not found"
    line = missing["places"][0]["line"]
    assert missing["sample"].encode() == orders.read_bytes().splitlines()[line - 1]
    (warning,) = (each for each in found["warnings"] if each["pointer"] == "person.birthYear")
    assert warning["count"] > 10
    assert kinds["invalid_json", ""]["count"] > 0


def test_what_will_land_all_of_it_is_told_with_a_zero(
    emulator: RunningEmulator, config: Path
) -> None:
    made(emulator)
    good = b'{"region":"FR","id":1}\n\n{"region":"DE","id":"2","name":"Ada"}'

    told = _preflight("--config", config, "--flow", "orders", "-", stdin=good)

    assert told.code == 0
    assert b"2 records examined, 2 would land, 0 would be rejected" in told.stdout
    assert emulator.records() == []


def test_what_is_too_long_for_profile_is_a_warning_and_no_rejection(
    emulator: RunningEmulator, config: Path
) -> None:
    made(emulator, tags={"unifiedProfile": ["enabled:true"]})
    long = json.dumps({"region": "FR", "id": 1, "name": "x" * 100_000}).encode()

    told = _preflight("--config", config, "--json", "-", stdin=long)

    assert told.code == 0
    (warning,) = told.summary["warnings"]
    assert warning["keyword"] == "profile_size"
    assert "Profile leaves out what has over 100000" in warning["message"]
    assert told.summary["with_warnings"] == 1


def test_an_id_that_the_agent_adds_is_there_when_a_record_is_judged(
    emulator: RunningEmulator, config: Path
) -> None:
    made(emulator, mapped=False, parts=(EVENT,), identity=None)
    event = b'{"timestamp":"2026-01-02T03:04:05Z"}\n'
    by_content = ("--set", "record_id.add=content")

    without = _preflight("--config", config, "--json", "-", stdin=event)
    added = _preflight("--config", config, *by_content, "--sync", "1", "--json", "-", stdin=event)

    assert [each["message"] for each in without.summary["errors"]] == [
        "required key [_id] not found"
    ]
    assert (without.code, added.code) == (3, 0)
    assert added.summary["sync"]["agreed"] == 1
    assert b'"xdmEntity":{"_id":"' in emulator.records()[0]


def test_the_platform_says_the_same_of_a_sample(
    emulator: RunningEmulator, config: Path, orders: Path
) -> None:
    made(emulator)

    told = _preflight("--config", config, "--sync", "40", "--json", orders)

    assert told.summary["sync"] == {"sent": 40, "agreed": 40, "different": []}
    passed = emulator.records()
    assert 0 < len(passed) < 40
    assert set(passed) <= set(orders.read_bytes().splitlines())


def test_where_the_platform_says_otherwise_it_is_shown(
    emulator: RunningEmulator, config: Path
) -> None:
    made(emulator)
    emulator.set_faults({"name": "no", "reject": {"status": 400, "message": "not today"}})

    told = _preflight("--config", config, "--sync", "3", "-", stdin=b'{"region":"FR","id":1}\n')

    assert told.code == 3
    assert b"1 record sent, of 0 the platform says the same" in told.stdout
    assert b"here:      would land" in told.stdout
    assert b"not today" in told.stdout


def test_a_manifest_judges_before_there_is_anything_on_the_platform(tmp_path: Path) -> None:
    manifest = tmp_path / "orders.yaml"
    variables = dict.fromkeys(("AEP_PLATFORM_URL", "AEP_TOKEN_URL"), "http://127.0.0.1:9")
    variables |= dict.fromkeys(("AEP_ORG_ID", "AEP_CLIENT_ID", "AEP_CLIENT_SECRET"), CLIENT_ID)
    manifest.write_text(ORDERS)
    lines = b'{"shop":"s","id":7,"total":1}\n{"shop":"s","total":-1}\n{"total":"much"}\n'

    done = subprocess.run(
        [*(sys.executable, "-m", "agent", "preflight", "--json", "-"), "--manifest", str(manifest)],
        input=lines,
        capture_output=True,
        timeout=LIMIT,
        check=False,
        env={**os.environ, **variables},
    )

    found = json.loads(done.stdout)
    assert done.returncode == 3, done.stderr
    assert (found["records"], found["rejected"]) == (3, 2)
    assert {each["pointer"] for each in found["errors"]} == {"#/_tenant/order/total"}


def test_files_judge_without_any_platform_gzip_too_and_by_several_processes(
    tmp_path: Path, orders: Path
) -> None:
    own = {"type": "object", "properties": {"order": ORDER}}
    parts = [{"$ref": PROFILE}, {"type": "object", "properties": {"_emulated": own}}]
    parts.append({"$ref": f"{PROFILE}-person-details"})
    schema = {"title": "x", "type": "object", "meta:class": PROFILE, "allOf": parts}
    (tmp_path / "schema.json").write_text(json.dumps(schema))
    (tmp_path / "mapping.json").write_text(json.dumps({"mappings": MAPPINGS}))
    many = tmp_path / "many.ndjson.gz"
    many.write_bytes(gzip.compress(orders.read_bytes() * 4))
    rules = ("--schema", tmp_path / "schema.json", "--mapping", tmp_path / "mapping.json", "--json")

    one = _preflight(*rules, orders).summary
    several = _preflight(*rules, "--processes", "2", many).summary
    some = _preflight(*rules, "--limit", "7", many).summary

    assert several["records"] == 4 * one["records"] == 8000
    assert several["rejected"] == 4 * one["rejected"]
    assert [each["count"] for each in several["errors"]] == [
        4 * each["count"] for each in one["errors"]
    ]
    assert several["errors"][0]["places"] == [
        {**place, "source": str(many)} for place in one["errors"][0]["places"]
    ]
    assert some["records"] == 7


def test_somebody_at_a_terminal_sees_how_far_it_is(tmp_path: Path) -> None:
    (tmp_path / "schema.json").write_text(json.dumps({"type": "object", "allOf": []}))
    (tmp_path / "many.ndjson").write_bytes(b'{"a":1}\n' * 20_000)
    leader, follower = pty.openpty()
    words = ("--schema", "schema.json", "--processes", "1", "many.ndjson")
    with subprocess.Popen(
        [sys.executable, "-m", "agent", "preflight", *words],
        cwd=tmp_path,
        stderr=follower,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "TERM": "xterm", "COLUMNS": "120"},
    ) as process:
        os.close(follower)
        seen = b""
        while part := _read(leader):
            seen += part
        assert process.stdout
        told = process.stdout.read()
    os.close(leader)

    assert b"examined" in seen
    assert b"rejected" in seen
    assert told.startswith(b"20,000 records examined")


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # how Linux says that nobody writes any more
        return b""


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-"], 2, b"say by which rules"),
        (["--schema", "s", "--manifest", "m", "-"], 2, b"do not go together"),
        (["--schema", "s", "--flow", "f", "-"], 2, b"do not go with --flow"),
        (["--mapping", "m", "--flow", "f", "-"], 2, b"--mapping needs --schema"),
        (["--schema", "nowhere.json", "-"], 78, b"nowhere.json: No such file"),
        (["--schema", "s", "--sync", "1", "-"], 2, b"--sync needs a flow"),
        (["--flow", "f", "-"], 78, b"write section platform"),
        (["--config", "nowhere.yaml", "-"], 78, b"nowhere.yaml"),
    ],
)
def test_mistakes_on_the_command_line_are_told(words: list[str], code: int, said: bytes) -> None:
    told = _preflight(*words)

    assert told.code == code
    assert said in told.stderr


def test_what_cannot_be_had_from_the_platform_is_told_with_what_to_do(
    emulator: RunningEmulator, config: Path, tmp_path: Path
) -> None:
    made(emulator)
    unknown = _preflight("--config", config, "--flow", "ordres", "-")
    no_file = _preflight("--config", config, tmp_path / "nothing.ndjson")
    emulator.set_faults({"name": "away", "status": 403, "when": {"path": "platform"}})
    forbidden = _preflight("--config", config, "-")

    assert (unknown.code, no_file.code, forbidden.code) == (78, 1, 1)
    assert b"did you mean orders?" in unknown.stderr
    assert b"nothing.ndjson: No such file" in no_file.stderr
    assert b"Flow Service" in forbidden.stderr


def test_a_damaged_archive_is_told_and_not_half_believed(
    config: Path, emulator: RunningEmulator, tmp_path: Path, orders: Path
) -> None:
    made(emulator)
    whole = gzip.compress(orders.read_bytes())
    (tmp_path / "cut.gz").write_bytes(whole[: len(whole) // 2])

    told = _preflight("--config", config, tmp_path / "cut.gz")

    assert told.code == 1
    assert b"cut.gz: damaged" in told.stderr


def test_an_inlet_that_has_no_synchronous_validation_is_told(
    inlet: Callable[..., RunningEmulator], config: Path, emulator: RunningEmulator
) -> None:
    made(emulator)
    emulator._asked("PUT", "traps", b'{"sync_validation_here": false}')

    told = _preflight("--config", config, "--sync", "1", "-", stdin=b'{"region":"FR","id":1}\n')

    assert told.code == 78
    assert b"has no synchronous validation; leave --sync out" in told.stderr
