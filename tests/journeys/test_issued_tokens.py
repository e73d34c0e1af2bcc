"""Tokens that expire, are refused or cannot be had pause the destination and blame no record."""

import json
import signal
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.emulator.options import CLIENT_ID, CLIENT_SECRET
from support.accounts import accounted_for
from support.agent import Finished, Running, aep_agent, eventually, send_arguments
from support.emulator import RunningEmulator
from support.records import lines, orders

Inlet = Callable[..., RunningEmulator]
Send = Callable[..., Finished]
Start = Callable[..., Running]

ENDING = 5.0  # seconds to close a store and a process on a machine that is very busy
TOKEN = {"when": {"path": "token"}}


@pytest.fixture
def ims(inlet: Inlet) -> Inlet:
    """Starts emulators whose inlet asks for tokens that they issue."""
    return lambda *args, **options: inlet(*args, client_id=CLIENT_ID, **options)


def credentials(emulator: RunningEmulator, **settings: object) -> dict[str, object]:
    """The settings of an agent that asks for tokens there."""
    return {
        "inlet__credentials__token_url": emulator.token_url,
        "inlet__credentials__client_id": CLIENT_ID,
        "inlet__credentials__client_secret": CLIENT_SECRET,
        "inlet__credentials__refresh_interval": "100ms",
        **settings,
    }


def accepted(emulator: RunningEmulator) -> int:
    return int(emulator.stats()["records_accepted"])


def outcome(emulator: RunningEmulator, status: str) -> int:
    return int(emulator.stats()["tokens"]["requests_by_status"].get(status, 0))


def test_an_agent_with_a_credential_delivers_to_an_inlet_that_asks_for_tokens(
    ims: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(1000)
    emulator = ims()
    done = send(emulator, "-", stdin=lines(records), **credentials(emulator))

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert emulator.stats()["tokens"]["requests"] == 1
    assert emulator.stats()["requests_by_status"].keys() == {"207"}
    assert not done.logged("no usable answer")


def trickled(agent: Running, records: list[bytes], seconds: float) -> None:
    """Write the records one after the other, over some seconds."""
    for start in range(0, len(records), 50):
        agent.write(lines(records[start : start + 50]))
        time.sleep(seconds * 50 / len(records))


@pytest.mark.parametrize(
    "faults",
    [
        [],
        [{"when": {"path": "token", "after": 1, "every": 2}, "status": 500}],
        [{"when": {"path": "token", "after": 1, "every": 2}, "status": 200, "body": "html"}],
    ],
    ids=["good", "500", "html"],
)
def test_tokens_that_live_for_a_second_cost_no_record(
    faults: list[dict[str, Any]], ims: Inlet, start: Start, data_dir: Path
) -> None:
    records = orders(2000)
    emulator = ims(faults, token_life=1.0)
    agent = start(*send_arguments(emulator, data_dir, "-", **credentials(emulator)))
    trickled(agent, records, 3.0)
    done = agent.finished()

    assert done.code == 0, done.stderr
    assert not accounted_for({"stdin": records}, emulator, data_dir).dead_letters
    assert outcome(emulator, "200") >= 3


def test_records_flow_while_the_token_endpoint_hangs_and_wait_once_the_token_is_over(
    ims: Inlet, start: Start, data_dir: Path
) -> None:
    records = orders(1000)
    emulator = ims([{"when": {"path": "token", "after": 1}, "hang": True}], token_life=2.0)
    settings = credentials(emulator, inlet__timeouts__answer="500ms")
    agent = start(*send_arguments(emulator, data_dir, "-", **settings))
    agent.write(lines(records[:100]))
    eventually(lambda: outcome(emulator, "none") > 0)
    before = accepted(emulator)
    agent.write(lines(records[100:200]))
    eventually(lambda: accepted(emulator) == before + 100)
    eventually(lambda: emulator.stats()["tokens"]["good"] == 0)
    agent.write(lines(records[200:]))
    eventually(lambda: emulator.stats()["requests_by_status"].get("401"))
    emulator.set_faults()
    done = agent.finished()

    assert done.code == 0, done.stderr
    assert not accounted_for({"stdin": records}, emulator, data_dir).dead_letters


def test_without_a_token_at_the_start_records_are_held_and_the_state_says_why(
    ims: Inlet, start: Start, data_dir: Path
) -> None:
    records = orders(500)
    emulator = ims([{**TOKEN, "status": 503}])
    agent = start(*send_arguments(emulator, data_dir, "-", **credentials(emulator)))
    agent.write(lines(records))
    eventually(lambda: outcome(emulator, "503") > 3)
    assert emulator.stats()["requests"] == 0
    emulator.set_faults()
    done = agent.finished()

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    warning = done.logged("no usable answer")[0]
    assert warning["reason"].startswith("no token yet: status 503")
    assert "auth_blocked" in [line.get("state") for line in done.log]
    assert done.logged("no token could be had")[0]["next_step"]


@pytest.mark.parametrize("grace", ["0s", "1s"])
def test_sigterm_while_the_token_endpoint_hangs_ends_within_the_grace(
    grace: str, ims: Inlet, start: Start, data_dir: Path
) -> None:
    emulator = ims([{**TOKEN, "hang": True}])
    settings = credentials(emulator, shutdown__grace=grace)
    agent = start(*send_arguments(emulator, data_dir, "-", **settings))
    agent.write(lines(orders(100)))
    assert any(b"no token yet" in agent.process.stderr.readline() for _ in range(2))
    asked = time.monotonic()
    agent.signal(signal.SIGTERM)
    done = agent.finished()

    assert time.monotonic() - asked < int(grace[0]) + ENDING
    assert done.code == 1
    assert (done.summary["held"], done.summary["dead_lettered"]) == (100, 0)


def test_revoked_tokens_under_load_are_replaced_by_a_few_requests(
    ims: Inlet, start: Start, data_dir: Path
) -> None:
    records = orders(4000)
    emulator = ims(latency=0.02)
    settings = credentials(emulator, delivery__max_in_flight=32, batch__max_records=20)
    agent = start(*send_arguments(emulator, data_dir, "-", **settings))
    revoking = threading.Thread(target=_revoke_thrice, args=(emulator,))
    revoking.start()
    trickled(agent, records, 2.0)
    revoking.join()
    done = agent.finished()

    assert done.code == 0, done.stderr
    assert not accounted_for({"stdin": records}, emulator, data_dir).dead_letters
    assert emulator.stats()["requests_by_status"]["401"] >= 3
    assert emulator.stats()["tokens"]["requests"] == 4


def _revoke_thrice(emulator: RunningEmulator) -> None:
    for _ in range(3):
        at = accepted(emulator)
        eventually(lambda at=at: accepted(emulator) >= at + 500)
        emulator.revoke_tokens()


def test_a_wrong_secret_is_told_and_the_right_one_is_taken_from_the_file_without_a_restart(
    ims: Inlet, start: Start, data_dir: Path, tmp_path: Path
) -> None:
    records = orders(300)
    emulator = ims()
    secret = tmp_path / "client"
    secret.write_text("planted-wrong-secret")
    settings = credentials(emulator, inlet__credentials__client_secret_file=secret)
    del settings["inlet__credentials__client_secret"]
    settings["delivery__retry__max"] = "60s"
    settings["delivery__retry__initial"] = "30s"
    agent = start(*send_arguments(emulator, data_dir, "-", **settings))
    agent.write(lines(records))
    eventually(lambda: outcome(emulator, "400") > 0)
    secret.write_text(CLIENT_SECRET)
    done = agent.finished()

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    told = done.logged("no token could be had")[0]
    assert "invalid client_secret parameter" in told["reason"]
    assert "inlet.credentials.client_id and client_secret" in told["next_step"]
    assert b"planted" not in done.stdout + done.stderr


def test_secrets_are_in_no_log_metric_status_dead_letter_receipt_or_store(
    ims: Inlet, start: Start, data_dir: Path, tmp_path: Path
) -> None:
    planted = "p8e-planted+secret/7"
    issued = "planted.access-token.0001"
    answer = {"access_token": issued, "expires_in": 86_399}
    echo = {"error": "invalid_client", "error_description": f"{planted} is not {planted}"}
    refusing = [
        {"when": {"path": "token", "requests": 1}, "status": 400, "body": echo},
        {**TOKEN, "status": 200, "body": answer},
        {"when": {"matching": '"order": 7,'}, "reject": 400},
        {"when": {"after": 3, "requests": 3}, "status": 401, "body": {"error": issued}},
    ]
    emulator = ims(refusing, token=issued, client_secret=planted)
    config = tmp_path / "agent.json"
    inlet = {"url": emulator.inlet_url, "flow_id": emulator.flow_id}
    inlet["credentials"] = {
        "client_id": CLIENT_ID,
        "client_secret": planted,
        "token_url": emulator.token_url,
        "refresh_interval": "100ms",
    }
    settings = {
        "data_dir": str(data_dir),
        "inlet": inlet,
        "batch": {"max_wait": "20ms", "max_records": 50},
        "delivery": {"retry": {"initial": "10ms", "max": "100ms"}},
        "admin": {"listen": "127.0.0.1:0"},
        "log": {"level": "debug", "format": "json", "repeat": "0s"},
    }
    config.write_text(json.dumps(settings))
    agent = start("run", config)
    assert agent.process.stderr
    said = [agent.process.stderr.readline()]
    while b"admin listens" not in said[-1]:
        said.append(agent.process.stderr.readline())
    address = json.loads(said[-1])["address"]
    agent.write(lines(orders(500)))
    eventually(lambda: accepted(emulator) == 499)
    shown = [_read(f"http://{address}/{path}") for path in ("metrics", "status")]
    done = agent.finished()
    shown += [*said, done.stdout, done.stderr]
    for command in (["dead-letters", "export"], ["dead-letters", "list"], ["receipts", "export"]):
        shown.append(aep_agent(*command, "--data-dir", data_dir).stdout)
    shown.append(aep_agent("check", config).stdout)
    shown.append(aep_agent("check", config, "--json").stdout)
    shown += [path.read_bytes() for path in data_dir.iterdir() if path.is_file()]

    assert done.code in (0, 3), done.stderr
    assert b'outcome="refused"} 1.0' in shown[0]
    assert b'outcome="issued"} ' in shown[0]
    assert all(shown[:2])
    assert [text for text in shown if b"planted" in text] == []


def _read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return bytes(answer.read())
