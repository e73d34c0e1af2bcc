"""Only the name of a flow is written: the agent finds its inlet, and knows it while the platform is
away. Everything is a process: the platform, the agent, and who asks for the objects to be made.
"""

import asyncio
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent import Finished, Running, aep_agent, eventually
from support.emulator import Remote
from support.flows_made import ACCOUNT, Objects, platform, provisioned

RECORDS = [b'{"order":%d}' % number for number in range(3)]
AWAY = {"status": 503, "when": {"path": "platform"}}


@pytest.fixture(scope="module")
def remote() -> Iterator[Remote]:
    running = Running(["emulate", "--listen", "127.0.0.1:0"], None)
    try:
        assert running.process.stdout
        said = json.loads(running.process.stdout.readline())
        port = int(said["listening"].rpartition(":")[2])
        yield Remote(port, said["inlet_url"], said["flow_id"])
    finally:
        running.close()


@pytest.fixture(autouse=True)
def _no_faults(remote: Remote) -> Iterator[None]:
    yield
    remote.set_faults()


def made(remote: Remote, name: str) -> Objects:
    async def make() -> Objects:
        async with platform(f"http://127.0.0.1:{remote.port}") as client:
            return await provisioned(client, name)

    return asyncio.run(make())


def acted(remote: Remote, objects: Objects, op: str) -> None:
    async def act() -> None:
        async with platform(f"http://127.0.0.1:{remote.port}") as client:
            await client.flow.act("flows", objects.flow.id, op)

    asyncio.run(act())


def configuration(tmp_path: Path, remote: Remote, inlet: str, sources: str = "") -> Path:
    file = tmp_path / "agent.yaml"
    account = ", ".join(f"{name}: '{value}'" for name, value in ACCOUNT.items())
    file.write_text(
        f"data_dir: {tmp_path / 'data'}\n"
        f"platform: {{url: 'http://127.0.0.1:{remote.port}', {account}, warm_up: 0s,"
        " retry_initial: 5ms, retry_max: 20ms, refresh: 50ms}\n"
        f"inlet: {inlet}\n{sources}"
        "admin: {listen: null}\nlog: {format: json, repeat: 0s}\nbatch: {max_wait: 20ms}\n"
    )
    return file


def run(file: Path, records: list[bytes]) -> Finished:
    return aep_agent("run", file, stdin=b"".join(record + b"\n" for record in records))


def test_a_flow_by_name_is_sent_to_with_the_platform_there_and_with_it_away(
    tmp_path: Path, remote: Remote
) -> None:
    objects = made(remote, "named orders")
    file = configuration(tmp_path, remote, "{flow: named orders}")
    sent = run(file, RECORDS)
    assert sent.code == 0, sent.stderr
    (found,) = sent.logged("the inlet was looked up")
    assert (found["name"], found["flow_id"]) == ("named orders", objects.flow.id)
    assert records_of(remote, objects) == RECORDS

    remote.set_faults(AWAY)
    again = run(file, RECORDS[:1])
    assert again.code == 0, again.stderr
    (line,) = again.logged("starting with what was found before")
    assert line["flow_id"] == objects.flow.id
    assert "503" in line["reason"]
    assert records_of(remote, objects) == [*RECORDS, RECORDS[0]]
    assert ACCOUNT["token"].encode() not in again.stderr + again.stdout

    checked = aep_agent("check", file)
    assert checked.code == 0
    assert b"of the flow named named orders, looked up at http://127.0.0.1" in checked.stdout
    by_send = aep_agent("send", "--config", file, "--json", "-", stdin=RECORDS[1] + b"\n")
    assert by_send.code == 0, by_send.stderr
    assert by_send.summary["accepted"] == 1


def records_of(remote: Remote, objects: Objects) -> list[bytes]:
    """What was accepted for a flow."""
    return remote._asked("GET", f"records?flow_id={objects.flow.id}").split(b"\n")[:-1]


def test_a_flow_by_id_is_looked_up_again_once_the_platform_is_back(
    tmp_path: Path, remote: Remote
) -> None:
    objects = made(remote, "orders by id")
    logs = tmp_path / "logs"
    logs.mkdir()
    sources = f"sources: [{{type: file, paths: ['{logs}/*.ndjson']}}]\n"
    file = configuration(tmp_path, remote, f"{{flow_id: {objects.flow.id}}}")
    assert run(file, RECORDS[:1]).code == 0
    configuration(tmp_path, remote, f"{{flow_id: {objects.flow.id}}}", sources)
    remote.set_faults(AWAY)
    running = Running(["run", str(file)], None)
    try:
        (logs / "one.ndjson").write_bytes(RECORDS[1] + b"\n")
        eventually(lambda: records_of(remote, objects) == RECORDS[:2])
        remembered = tmp_path / "data" / "inlets.json"
        before = remembered.stat().st_mtime_ns
        remote.set_faults()
        eventually(lambda: remembered.stat().st_mtime_ns != before)
        running.process.terminate()
        done = running.finished()
    finally:
        running.close()
    assert done.code == 0, done.stderr
    assert done.logged("the inlet was looked up, it is the one in use")


def test_a_flow_that_is_added_while_it_runs_is_looked_up_and_the_others_are_not_again(
    tmp_path: Path, remote: Remote
) -> None:
    first, second = made(remote, "first orders"), made(remote, "second orders")
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(RECORDS[0] + b"\n")
    one = f"flow: one, paths: [{tmp_path / 'one'}]"
    two = f"flow: two, paths: [{tmp_path / 'two'}]"
    flows = "{}\nflows: {one: {inlet: {flow: first orders}}, two: {inlet: {flow: second orders}}}"
    both = f"sources: [{{type: file, {one}}}, {{type: file, {two}}}]\n"
    only = "{}\nflows: {one: {inlet: {flow: first orders}}}"
    file = configuration(tmp_path, remote, only, f"sources: [{{type: file, {one}}}]\n")
    running = Running(["run", str(file)], None)
    try:
        eventually(lambda: records_of(remote, first) == RECORDS[:1])
        configuration(tmp_path, remote, flows.replace("second", "third"), both)
        running.signal(signal.SIGHUP)
        said = (json.loads(line) for line in running.process.stderr or ())
        wrong = next(line for line in said if line["level"] == "error")
        assert "third orders" in wrong["reason"]
        configuration(tmp_path, remote, flows, both)
        running.signal(signal.SIGHUP)
        eventually(lambda: records_of(remote, second) == RECORDS[:1])
        running.process.terminate()
        done = running.finished()
    finally:
        running.close()
    assert done.code == 0, done.stderr
    assert [line["name"] for line in done.logged("looked up")] == ["second orders"]


def test_an_agent_that_knows_no_inlet_says_so_and_fails(tmp_path: Path, remote: Remote) -> None:
    made(remote, "unknown orders")
    file = configuration(tmp_path, remote, "{flow: unknown orders}")
    remote.set_faults(AWAY)
    failed = run(file, RECORDS)
    assert failed.code == 1
    assert b"aep-agent: Flow Service: GET /data/foundation/flowservice/flows: 503" in failed.stderr
    assert b"try again later" in failed.stderr


def test_a_flow_that_cannot_be_sent_to_is_a_wrong_configuration(
    tmp_path: Path, remote: Remote
) -> None:
    objects = made(remote, "clicks")
    nowhere = run(configuration(tmp_path, remote, "{flow: clickz}"), RECORDS)
    assert nowhere.code == 78
    assert b"inlet.flow: the platform has no flow named clickz" in nowhere.stderr
    assert b"did you mean clicks?" in nowhere.stderr
    acted(remote, objects, "disable")
    disabled = run(configuration(tmp_path, remote, "{flow: clicks}"), RECORDS)
    assert disabled.code == 78
    assert b"is disabled: what it is sent is lost" in disabled.stderr
    assert records_of(remote, objects) == []


def test_what_waits_in_the_spool_is_sent_to_the_same_inlet_however_it_was_written(
    tmp_path: Path, remote: Remote
) -> None:
    objects = made(remote, "spooled orders")
    by_name = configuration(tmp_path, remote, "{flow: spooled orders}")
    assert run(by_name, RECORDS[:1]).code == 0
    remote.set_faults(AWAY, {"name": "inlet", "status": 503, "when": {"path": "batch"}})
    running = Running(["run", str(by_name), "--set", "shutdown.grace=0s"], subprocess.PIPE)
    try:
        running.write(RECORDS[1] + b"\n")
        eventually(lambda: remote.stats()["faults"].get("inlet"))
        running.process.terminate()
        assert running.finished().code == 0
    finally:
        running.close()
    remote.set_faults(AWAY)
    adopted = aep_agent("spool", "release", "--adopt", "--config", by_name)
    assert adopted.code == 0, adopted.stderr
    assert objects.flow.id.encode() in adopted.stdout
    remote.set_faults()
    url = f"{{url: '{objects.inlet_url}', flow_id: {objects.flow.id}}}"
    assert run(configuration(tmp_path, remote, url), []).code == 0
    assert records_of(remote, objects) == RECORDS[:2]


def test_who_is_stopped_while_the_platform_is_silent_stops_at_once(
    tmp_path: Path, remote: Remote
) -> None:
    silence = {"name": "silence", "hang": True, "when": {"path": "platform"}}
    file = configuration(tmp_path, remote, "{flow: orders}")
    began = time.monotonic()
    for command, code in ((["run", str(file)], 0), (["send", "-c", str(file), str(file)], 1)):
        remote.set_faults(silence)
        running = Running(command, subprocess.DEVNULL)
        try:
            eventually(lambda: remote.stats()["faults"].get("silence"))
            running.signal(signal.SIGTERM)
            done = running.finished()
        finally:
            running.close()
        assert done.code == code, done.stderr
        assert b"stopped by SIGTERM while the inlet was looked up; nothing was read" in done.stderr
    assert time.monotonic() - began < 25  # the request itself would be waited for for 30 s
