"""Does `aep-agent health` say of a running agent what that says of itself?"""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent import aep_agent, eventually
from support.emulator import RunningEmulator
from support.listening import Listening, configured, listening


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Listening]:
    source = {"type": "tcp", "listen": "127.0.0.1:0"}
    settings = {"shutdown": {"grace": "20s", "quiet": "8s"}}
    with RunningEmulator() as emulator:
        file = configured(tmp_path / "agent.json", emulator, tmp_path / "data", source, **settings)
        with listening(["run", file]) as agent:
            yield agent


def _address(agent: Listening) -> str:
    return str(agent.said("admin listens")[0]["address"])


def test_an_agent_that_is_well_says_so(agent: Listening) -> None:
    lives = aep_agent("health", "--url", _address(agent))
    assert (lives.code, lives.stdout, lives.stderr) == (0, b"alive\n", b"")
    takes = aep_agent("health", "--ready", "--url", _address(agent))
    assert (takes.code, takes.stdout) == (0, b"ready\n")


def test_where_it_listens_is_taken_from_the_environment(
    agent: Listening, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = _address(agent).rpartition(":")[2]
    monkeypatch.setenv("AEP_AGENT_ADMIN__LISTEN", f"0.0.0.0:{port}")
    assert aep_agent("health").stdout == b"alive\n"


def test_an_agent_that_ends_is_alive_and_takes_nothing_more(agent: Listening) -> None:
    agent.agent.signal(signal.SIGTERM)
    eventually(lambda: aep_agent("health", "--ready", "--url", _address(agent)).code == 1)
    ending = aep_agent("health", "--ready", "--url", _address(agent))
    assert (ending.code, ending.stdout) == (1, b"")
    assert b"draining: no new input is taken" in ending.stderr
    assert aep_agent("health", "--url", _address(agent)).code == 0


def test_where_nobody_answers_it_says_what_to_look_at() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    asked = aep_agent("health", "--url", f"127.0.0.1:{port}")
    assert asked.code == 1
    assert f"no agent answers at http://127.0.0.1:{port}".encode() in asked.stderr
