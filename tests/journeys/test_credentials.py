"""A refused credential or a wrong address pauses the destination and blames no record."""

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import accounted_for
from support.agent import Finished, Running, eventually, send_arguments
from support.emulator import RunningEmulator
from support.records import lines, orders

Send = Callable[..., Finished]
Inlet = Callable[..., RunningEmulator]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_was_refused_for_a_while_arrives_afterwards(
    status: int, inlet: Inlet, send: Send, data_dir: Path
) -> None:
    records = orders(1000)
    emulator = inlet([{"when": {"after": 2, "requests": 6}, "status": status}])
    done = send(emulator, "-", stdin=lines(records), delivery__max_in_flight=2)

    assert done.code == 0, done.stderr
    assert not accounted_for({"stdin": records}, emulator, data_dir).dead_letters
    warning = done.logged("no usable answer")[0]
    assert warning["reason"].startswith(str(status))
    assert "inlet." in warning["next_step"]


def test_an_authenticated_inlet_takes_the_token_and_nobody_else_reads_it(
    inlet: Inlet, send: Send, data_dir: Path, tmp_path: Path
) -> None:
    records = orders(100)
    emulator = inlet(token="open-sesame-4711")
    secret = tmp_path / "token"
    secret.write_text("open-sesame-4711\n")
    done = send(emulator, "-", stdin=lines(records), inlet__token_file=secret, log__level="debug")

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir)
    assert b"sesame" not in done.stdout + done.stderr


def test_a_wrong_token_holds_everything_and_says_where_to_look(
    inlet: Inlet, start: Callable[..., Running], data_dir: Path
) -> None:
    emulator = inlet(token="right")
    settings = {"inlet__token": "wrong-token", "shutdown__grace": "0s"}
    agent = start(*send_arguments(emulator, data_dir, "-", **settings))
    agent.write(lines(orders(100)))
    eventually(lambda: emulator.stats()["requests"] > 2)
    agent.signal(signal.SIGTERM)
    done = agent.finished()

    assert done.code == 1
    assert (done.summary["held"], done.summary["dead_lettered"]) == (100, 0)
    assert "inlet.token" in done.logged("no usable answer")[0]["next_step"]
    assert b"wrong-token" not in done.stdout + done.stderr
