"""What a service manager is told: that input is taken, how things stand, and signs of life."""

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.agent import eventually
from support.emulator import RunningEmulator
from support.listening import configured, listening
from support.records import lines, orders

SOURCE = {"type": "tcp", "listen": "127.0.0.1:0", "name": "tcp"}


class Manager:
    """A socket in the place of systemd's: what was told to it, datagram by datagram."""

    def __init__(self, path: Path) -> None:
        self.environ = {"NOTIFY_SOCKET": str(path)}
        self.told: list[dict[str, str]] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(path))

    def words(self) -> list[dict[str, str]]:
        """Everything that was told until now."""
        try:
            while True:
                rows = self._socket.recv(4096).decode().split("\n")
                self.told.append(dict(row.split("=", 1) for row in rows))
        except BlockingIOError:
            return self.told

    def said(self, name: str) -> list[dict[str, str]]:
        """The datagrams with that word in them."""
        return [words for words in self.words() if name in words]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    there = Manager(tmp_path / "notify")
    for name, value in there.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("WATCHDOG_USEC", "600000")
    yield there
    there.close()


def test_it_is_ready_when_it_takes_input_gives_signs_of_life_and_says_how_it_stands(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, manager: Manager
) -> None:
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, SOURCE)
    with listening(["run", config]) as agent:
        eventually(lambda: manager.said("READY"))
        assert manager.words()[0]["READY"] == "1"
        agent.send(lines(orders(100)))
        eventually(lambda: agent.status()["accepted"] == 100)
        signs = len(manager.said("WATCHDOG"))
        eventually(lambda: len(manager.said("WATCHDOG")) >= signs + 3)
        assert "0 held, 0 dead letters; destination ready" in manager.words()[-1]["STATUS"]
        assert not manager.said("STOPPING")
        agent.agent.signal(signal.SIGTERM)
        agent.finished()
        stopping = manager.said("STOPPING")
    assert len(stopping) == 1
    assert "draining" in stopping[0]["STATUS"]
    rates = [words["STATUS"].split()[1] for words in manager.said("WATCHDOG")]
    assert any(rate != "0" for rate in rates), "the hundred records are in some rate"


def test_who_is_slow_to_stop_asks_for_more_time_as_long_as_it_is_alive(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, manager: Manager
) -> None:
    emulator.set_faults({"hang": True})
    config = configured(
        tmp_path / "agent.yaml", emulator, data_dir, SOURCE, shutdown={"grace": "2s"}
    )
    with listening(["run", config]) as agent:
        agent.send(lines(orders(10)))
        eventually(lambda: emulator.stats()["requests_in_flight"])
        agent.agent.signal(signal.SIGTERM)
        agent.finished()
        asked = manager.said("EXTEND_TIMEOUT_USEC")
    assert len(asked) >= 3
    assert "STOPPING" in asked[0]
    assert all("10 held" in words["STATUS"] for words in asked[:3])


def test_a_loop_that_stands_still_gives_no_sign_of_life(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, manager: Manager
) -> None:
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, SOURCE)
    with listening(["run", config]) as agent:
        eventually(lambda: manager.said("WATCHDOG"))
        agent.agent.signal(signal.SIGSTOP)
        time.sleep(0.1)
        told = len(manager.words())
        time.sleep(1.0)
        assert len(manager.words()) == told
        agent.agent.signal(signal.SIGCONT)
        eventually(lambda: len(manager.words()) > told)


def test_the_watchdogs_abort_writes_down_where_every_thread_stands(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, manager: Manager
) -> None:
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, SOURCE)
    with listening(["run", config]) as agent:
        eventually(lambda: manager.said("READY"))
        agent.agent.signal(signal.SIGABRT)
        assert agent.finished().code == -signal.SIGABRT
    assert any(b"most recent call first" in row for row in agent.besides)


def test_a_manager_that_is_gone_stops_nothing(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, manager: Manager
) -> None:
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, SOURCE)
    with listening(["run", config]) as agent:
        eventually(lambda: manager.said("READY"))
        Path(manager.environ["NOTIFY_SOCKET"]).unlink()
        time.sleep(0.5)
        agent.send(lines(orders(100)))
        eventually(lambda: agent.status()["accepted"] == 100)
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0
