"""From a sample of records to records in their dataset, by the commands alone."""

import asyncio
import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.emulator.options import CLIENT_ID
from provision.stage import ONE_OF_EACH, ORDERS, XDM, Stage, environment
from support.agent import LIMIT, Finished
from support.emulator import RunningEmulator

QUICK = """\
agent:
  settings:
    data_dir: DIRECTORY/data
    admin: {listen: null}
    batch: {max_wait: 20ms}
    sources: [{type: stdin}]
"""


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    """A platform that issues tokens."""
    with RunningEmulator(client_id=CLIENT_ID) as running:
        yield running


def _stage(emulator: RunningEmulator, directory: Path, text: str) -> Stage:
    emulated: Any = emulator
    emulated.listening = f"http://127.0.0.1:{emulator.port}"
    return Stage(emulated, directory, text)


def _run(stage: Stage, *words: str, stdin: bytes = b"") -> Finished:
    done = subprocess.run(
        [sys.executable, "-m", "agent", *words],
        input=stdin,
        capture_output=True,
        timeout=LIMIT,
        check=False,
        cwd=stage.path.parent,
        env=environment(stage.environ),
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def _set_trap(emulator: RunningEmulator, **traps: float) -> None:
    url = f"http://127.0.0.1:{emulator.port}/_emulator/traps"
    body = json.dumps(traps).encode()
    with urllib.request.urlopen(urllib.request.Request(url, body, method="PUT"), timeout=30):
        pass


def _landed(emulator: RunningEmulator, stage: Stage) -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{emulator.port}/_emulator/datasets/{stage.noted('dataset')}?wait=20"
    with urllib.request.urlopen(url, timeout=30) as answer:
        found = json.load(answer)
    return [row["entity"] for row in found["rows"]]


def test_a_record_lands_mapped_after_one_apply_though_new_flows_lose_what_comes_at_once(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    _set_trap(emulator, warm_up=2)
    text = ORDERS.replace("From the shop}", "From the shop, warm_up: 5s}") + QUICK
    stage = _stage(emulator, tmp_path, text.replace("DIRECTORY", str(tmp_path)))

    planned = _run(stage, "provision", "plan", "orders.yaml")
    applied = _run(stage, "provision", "apply", "orders.yaml")
    record = b'{"shop": "s", "id": 7, "firstName": "Ada", "total": "12.5"}\n'
    ran = _run(stage, "run", "orders.agent.yaml", stdin=record)
    rows = _landed(emulator, stage)
    again = _run(stage, "provision", "apply", "orders.yaml")
    shown = _run(stage, "provision", "show", "orders.yaml", "--json")
    told = _run(stage, "provision", "show", "orders.yaml").stdout.decode()
    destroyed = _run(stage, "provision", "destroy", "orders.yaml", "--yes")

    assert (planned.code, applied.code, ran.code) == (0, 0, 0), (applied.stderr, ran.stderr)
    assert b"9 to create" in planned.stdout
    assert b"next: aep-agent run orders.agent.yaml" in applied.stdout
    assert [row["person"] for row in rows] == [{"name": {"firstName": "Ada"}}]
    assert {"order": {"id": "s:7", "total": 12.5}} in rows[0].values()
    assert b"everything was as it should be" in again.stdout
    assert len(json.loads(shown.stdout)["objects"]) == 9
    assert set(re.findall(r"^  [+] create   (.*?)  ", planned.stdout.decode(), re.M)) == set(
        re.findall(r"^  (\w.*?)  ", told, re.M)
    )  # an object has one name
    assert destroyed.code == 0
    assert asyncio.run(stage.objects()) == {"mappingSets": 1}


def test_a_record_that_is_xdm_lands_as_it_is(emulator: RunningEmulator, tmp_path: Path) -> None:
    text = XDM.replace("From the shop}", "From the shop, warm_up: 0s}") + QUICK
    stage = _stage(emulator, tmp_path, text.replace("DIRECTORY", str(tmp_path)))
    record = {"_emulated": {"order": {"id": "7", "total": 1.5}}}

    applied = _run(stage, "provision", "apply", "orders.yaml")
    ran = _run(stage, "run", "orders.agent.yaml", stdin=json.dumps(record).encode() + b"\n")

    assert (applied.code, ran.code) == (0, 0), (applied.stderr, ran.stderr)
    assert _landed(emulator, stage) == [record]


def test_an_inferred_manifest_takes_the_records_it_was_inferred_from(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    stage = _stage(emulator, tmp_path, "")
    records = [
        {"id": n, "at": {"time": "2026-01-02T03:04:05Z"}, "lines": [{"sku": f"s{n}", "n": n}]}
        for n in range(20)
    ]
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
    (tmp_path / "orders.ndjson").write_bytes(lines)
    stage.path.unlink()

    began = _run(stage, "provision", "init", "--from", "orders.ndjson", "-o", "orders.yaml")
    stage.edit("flow:\n  name: orders", "flow:\n  name: orders\n  warm_up: 0s")
    stage.edit("  settings:", f"  settings:\n    data_dir: {tmp_path}/data")
    applied = _run(stage, "provision", "apply", "orders.yaml")
    ran = _run(stage, "run", "orders.agent.yaml", stdin=lines)
    rows = _landed(emulator, stage)

    assert (began.code, applied.code, ran.code) == (0, 0, 0), (applied.stderr, ran.stderr)
    assert len(rows) == len(records)
    own = [next(value for value in row.values() if "lines" in value) for row in rows]
    assert sorted(each["lines"][0]["sku"] for each in own) == sorted(f"s{n}" for n in range(20))


def test_an_apply_that_is_killed_and_killed_again_makes_one_of_each(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    emulator.set_faults({"name": "slow", "delay": 0.02, "when": {"path": "platform"}})
    stage = _stage(emulator, tmp_path, ORDERS)
    command = [sys.executable, "-m", "agent", "provision", "apply", "orders.yaml"]
    killed = 0
    for objects in range(1, 8):
        with subprocess.Popen(
            command, cwd=tmp_path, env=environment(stage.environ), stdout=subprocess.PIPE
        ) as process:
            assert process.stdout
            for _ in range(objects):  # it is killed while it makes the next one
                process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            process.wait(LIMIT)
        killed += process.returncode == -signal.SIGKILL
    emulator.set_faults()
    done = _run(stage, "provision", "apply", "orders.yaml")

    assert killed > 3
    assert done.code == 0, done.stderr
    assert asyncio.run(stage.objects()) == ONE_OF_EACH
    assert all(each.made for each in stage.state.objects)


def test_an_apply_that_is_interrupted_says_how_it_goes_on(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    emulator.set_faults({"name": "slow", "delay": 0.05, "when": {"path": "platform"}})
    stage = _stage(emulator, tmp_path, ORDERS)
    command = [sys.executable, "-m", "agent", "provision", "apply", "orders.yaml"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment(stage.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 130
    assert said == b"aep-agent: interrupted; the same command goes on from there\n"
    assert _run(stage, "provision", "apply", "orders.yaml").code == 0
    assert asyncio.run(stage.objects()) == ONE_OF_EACH


def test_two_applies_at_once_are_one_apply_and_one_that_is_told(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    emulator.set_faults({"name": "slow", "delay": 0.05, "when": {"path": "platform"}})
    stage = _stage(emulator, tmp_path, ORDERS)
    command = [sys.executable, "-m", "agent", "provision", "apply", "orders.yaml"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(stage.environ), stdout=subprocess.PIPE
    ) as first:
        assert first.stdout
        first.stdout.readline()
        first.send_signal(signal.SIGSTOP)  # however slow the second one is to start
        try:
            second = _run(stage, "provision", "apply", "orders.yaml")
        finally:
            first.send_signal(signal.SIGCONT)
        first.communicate(timeout=LIMIT)

    assert first.returncode == 0
    assert second.code == 78
    assert b"works on this manifest" in second.stderr
    assert asyncio.run(stage.objects()) == ONE_OF_EACH


def test_destroying_asks_first(emulator: RunningEmulator, tmp_path: Path) -> None:
    stage = _stage(emulator, tmp_path, ORDERS)
    asyncio.run(stage.apply())

    refused = _run(stage, "provision", "destroy", "orders.yaml", stdin=b"yes\n")

    assert refused.code == 2
    assert b"--yes" in refused.stderr
    assert asyncio.run(stage.objects()) == ONE_OF_EACH


def test_mistakes_and_refusals_have_their_exit_codes(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    stage = _stage(emulator, tmp_path, ORDERS)
    emulator.set_faults({"name": "no", "status": 403, "when": {"path": "platform"}})
    forbidden = _run(stage, "provision", "apply", "orders.yaml")
    planned = _run(stage, "provision", "plan", "orders.yaml", "--json")
    emulator.set_faults()
    machine = _run(stage, "provision", "plan", "orders.yaml", "--json")
    stage.edit("title: Orders", "titel: Orders")
    wrong = _run(stage, "provision", "apply", "orders.yaml")
    usage = _run(stage, "provision", "make")
    nothing = _run(stage, "provision", "show", "orders.yaml")

    assert (forbidden.code, planned.code, machine.code) == (1, 1, 0)
    assert (wrong.code, usage.code, nothing.code) == (78, 2, 0)
    assert b"Schema Registry: GET /data/foundation/schemaregistry/stats: 403" in forbidden.stderr
    assert json.loads(machine.stdout)["changes"] == 9
    assert b"orders.yaml:11: schema.title: missing" in wrong.stderr or b"titel" in wrong.stderr
    assert b"secret" not in forbidden.stderr + wrong.stderr + machine.stdout
