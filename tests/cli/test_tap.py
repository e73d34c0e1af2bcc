import json
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.agent import Running, aep_agent
from support.emulator import RunningEmulator
from support.listening import Listening
from support.terminal import Terminal
from support.watched import address_of, watched

TOKEN = "the-token-of-the-admin-port"
PERSON = {"name": "Ada", "email": "ada@example.com", "phone": "+41 79 555 12 12"}
EVIL = b'{"x":"\\u001b[2J\\u0007\\u202eevil"}\n'
NOTE = "call ada@example.com, or +41 79 555 12 12"


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    directory = tmp_path_factory.mktemp("tapped")
    sources = [
        {"type": "tcp", "listen": "127.0.0.1:0", "name": "shop", "filters": [{"remove": "gone"}]},
        {"type": "tcp", "listen": "127.0.0.1:0", "name": "other"},
    ]
    admin = {"listen": "127.0.0.1:0", "token": TOKEN}
    with (
        RunningEmulator() as emulator,
        watched(emulator, directory, sources=sources, admin=admin) as running,
    ):
        yield running


@pytest.fixture
def token(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    return path


@contextmanager
def records(agent: Listening, which: int = 0) -> Iterator[None]:
    """Records come in all the time."""
    over = threading.Event()

    def send() -> None:
        with agent.connect(which) as peer:
            number = 0
            while not over.is_set():
                record = {"order": number, "person": PERSON, "note": NOTE, "gone": "filtered out"}
                peer.sendall(json.dumps(record).encode() + b"\n")
                number += 1
                time.sleep(0.002)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        yield
    finally:
        over.set()
        sending.join()


def tap(agent: Listening, *words: str | Path) -> list[str]:
    return ["tap", "--url", address_of(agent), *map(str, words)]


def test_records_are_shown_as_they_are_sent_but_for_what_is_personal(
    agent: Listening, token: Path
) -> None:
    with records(agent):
        done = aep_agent(*tap(agent, "--token-file", token, "--count", "5", "--json"))
    assert done.code == 0, done.stderr
    shown = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(shown) == 5
    for each in shown:
        assert each["source"].startswith("shop")
        assert set(each["record"]) == {"order", "person", "note"}  # behind the filters
        assert each["record"]["person"] == dict.fromkeys(PERSON, "[redacted]")
        assert each["record"]["note"] == "call [redacted], or [redacted]"
        assert isinstance(each["record"]["order"], int)
        assert (
            each["line"] == each["record"]["order"] + shown[0]["line"] - shown[0]["record"]["order"]
        )
    assert b"5 shown of " in done.stderr


def test_keys_of_ones_own_are_redacted_too_and_nothing_where_that_is_wanted(
    agent: Listening, token: Path
) -> None:
    with records(agent):
        more = aep_agent(*tap(agent, "--token-file", token, "-n", "1", "--redact", "ORDER"))
        all_of_it = aep_agent(*tap(agent, "--token-file", token, "-n", "1", "--show-all"))
    assert b'"order": "[redacted]"' in more.stdout
    assert NOTE.encode() in all_of_it.stdout


def test_no_more_are_shown_in_a_second_than_were_asked_for(agent: Listening, token: Path) -> None:
    words = ("--token-file", token, "--rate", "3", "--seconds", "2", "--json")
    with records(agent):
        done = aep_agent(*tap(agent, *words))
    assert done.code == 0
    assert 2 <= len(done.stdout.splitlines()) <= 3 * 4
    words_said = done.stderr.decode().replace(",", "").split()  # 6 shown of 812 that passed
    shown, passed = int(words_said[0]), int(words_said[3])
    assert passed > 10 * shown


def test_one_source_can_be_chosen(agent: Listening, token: Path) -> None:
    words = ("--token-file", token, "--count", "3", "--json", "--source", "other")
    with records(agent), records(agent, 1):
        done = aep_agent(*tap(agent, *words))
    sources = {
        json.loads(line)["source"].split()[0].split("#")[0] for line in done.stdout.splitlines()
    }
    assert {each.startswith("other") for each in sources} == {True}


@pytest.mark.parametrize("given", [None, "not-the-token", ""])
def test_without_the_token_nobody_sees_a_record(
    agent: Listening, given: str | None, tmp_path: Path
) -> None:
    words: list[str | Path] = []
    if given is not None:
        (tmp_path / "wrong").write_text(given)
        words = ["--token-file", tmp_path / "wrong"]
    done = aep_agent(*tap(agent, *words, "--count", "1"))
    assert (done.code, done.stdout) == (1, b"")
    assert b"--token-file" in done.stderr


def test_where_no_token_is_set_nobody_may_look_at_all(tmp_path: Path, token: Path) -> None:
    with RunningEmulator() as emulator, watched(emulator, tmp_path) as agent:
        done = aep_agent(*tap(agent, "--token-file", token, "--count", "1"))
    assert done.code == 1
    assert b"admin.token" in done.stderr


def test_what_is_there_is_told_where_a_flow_is_not(agent: Listening, token: Path) -> None:
    done = aep_agent(*tap(agent, "--token-file", token, "--flow", "orders"))
    assert done.code == 1
    assert b"flow: there is only one" in done.stderr


def test_who_looks_does_not_keep_the_agent_from_stopping(tmp_path: Path, token: Path) -> None:
    admin = {"listen": "127.0.0.1:0", "token": TOKEN}
    with RunningEmulator() as emulator, watched(emulator, tmp_path, admin=admin) as agent:
        looking = Running(tap(agent, "--token-file", token), stdin=None)
        try:
            with records(agent):
                assert looking.process.stdout
                assert b"[redacted]" in looking.process.stdout.readline()
            begun = time.monotonic()
            agent.agent.signal(signal.SIGTERM)
            assert agent.finished().code == 0
            assert time.monotonic() - begun < 8
            assert looking.finished().code in (0, 1)  # the answer ended, or the connection did
        finally:
            looking.close()


def test_ctrl_c_ends_it_and_says_how_many_there_were(agent: Listening, token: Path) -> None:
    command = [sys.executable, "-m", "agent", *tap(agent, "--token-file", token)]
    with records(agent), Terminal(command) as terminal:
        terminal.until("[redacted]")
        terminal.interrupt()
        terminal.until("that passed")
        assert terminal.ended() == 0


def test_nothing_that_is_in_a_record_can_play_tricks_on_the_terminal(
    agent: Listening, token: Path
) -> None:
    command = [sys.executable, "-m", "agent", *tap(agent, "--token-file", token, "--show-all")]
    with Terminal([*command, "--count", "1"]) as terminal:
        time.sleep(1.5)
        for _ in range(200):
            agent.send(EVIL)
            if terminal.process.poll() is not None:
                break
        shown = terminal.until("that passed")
    assert "evil" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
