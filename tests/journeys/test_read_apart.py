"""The configuration is read by a process of its own, which outlives nothing and holds nothing."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.agent import LIMIT, Running, eventually
from support.emulator import RunningEmulator
from support.listening import Listening, configured, listening
from support.records import lines, orders

TCP = {"type": "tcp", "listen": "127.0.0.1:0"}


@pytest.fixture
def slow(tmp_path: Path) -> Path:
    """A configuration file that is a pipe: whoever reads it waits."""
    path = tmp_path / "slow.json"
    os.mkfifo(path)
    return path


@contextmanager
def held(path: Path) -> Iterator[int]:
    """The other end of that pipe, once somebody reads it."""
    found: list[int] = []

    def is_read() -> bool:
        try:
            found.append(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
        except OSError:  # by nobody yet
            return False
        return True

    eventually(is_read)
    try:
        yield found[0]
    finally:
        os.close(found[0])


def child_of(pid: int) -> Path:
    """The only child of that process, in /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(stat.parent)
        except (FileNotFoundError, ProcessLookupError):
            continue
    assert len(found) == 1
    return found[0]


def started(path: Path) -> subprocess.Popen[bytes]:
    return Running(["run", str(path)], subprocess.DEVNULL).process


@pytest.mark.parametrize(
    ("number", "code"), [("SIGTERM", -15), ("SIGKILL", -9), ("SIGINT", 130), ("SIGHUP", -1)]
)
def test_who_is_told_to_end_while_it_reads_ends_and_so_does_the_reader(
    slow: Path, number: str, code: int
) -> None:
    agent = started(slow)
    with held(slow):
        reader = child_of(agent.pid)
        agent.send_signal(signal.Signals[number])
        assert agent.wait(LIMIT) == code
        eventually(lambda: not reader.exists())
    agent.communicate()


def test_signals_of_the_terminal_or_of_the_service_manager_are_not_for_the_reader(
    slow: Path, emulator: RunningEmulator, data_dir: Path, tmp_path: Path
) -> None:
    text = configured(tmp_path / "agent.json", emulator, data_dir, {"type": "stdin"}).read_bytes()
    agent = started(slow)
    with held(slow) as pipe:
        reader = child_of(agent.pid)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            os.kill(int(reader.name), number)
        os.write(pipe, text)
    _, log = agent.communicate(timeout=LIMIT)
    assert agent.returncode == 0, log


def test_the_reader_is_the_one_to_go_where_memory_is_short(slow: Path) -> None:
    agent = started(slow)
    with held(slow):
        reader = child_of(agent.pid)
        assert (reader / "oom_score_adj").read_text() == "1000\n"
        os.kill(int(reader.name), signal.SIGKILL)
        _, said = agent.communicate(timeout=LIMIT)
    assert agent.returncode == 1  # no fault of the configuration: a later start may do
    assert b"mostly for want of memory; allow the agent more of it" in said


@contextmanager
def reading_again(
    slow: Path, emulator: RunningEmulator, data_dir: Path, tmp_path: Path
) -> Iterator[tuple[Listening, Path, int]]:
    """An agent that reads its configuration again, its reader, and the pipe that this reads."""
    path = configured(tmp_path / "agent.json", emulator, data_dir, TCP)
    with listening(["run", path], 1) as agent:
        os.link(path, tmp_path / "as-before.json")
        slow.rename(path)
        agent.agent.signal(signal.SIGHUP)
        with held(path) as pipe:
            yield agent, child_of(agent.agent.process.pid), pipe


def test_a_reload_that_memory_does_not_suffice_for_is_told_and_the_agent_goes_on(
    slow: Path, emulator: RunningEmulator, data_dir: Path, tmp_path: Path
) -> None:
    event = "the configuration could not be read, going on with the old one"
    with reading_again(slow, emulator, data_dir, tmp_path) as (agent, reader, _):
        os.kill(int(reader.name), signal.SIGKILL)
        eventually(lambda: agent.said(event))
        assert "for want of memory" in agent.said(event)[0]["reason"]
        assert agent.status()["last_reload"]["outcome"] == "refused"
        agent.send(lines(orders(10)))
        eventually(lambda: agent.status()["accepted"] == 10)


def test_a_reader_has_no_socket_file_or_pipe_of_the_agent(
    slow: Path, emulator: RunningEmulator, data_dir: Path, tmp_path: Path
) -> None:
    with reading_again(slow, emulator, data_dir, tmp_path) as (agent, reader, pipe):
        with agent.connect() as peer:
            peer.sendall(lines(orders(1)))
            eventually(lambda: agent.status()["accepted"] == 1)
            numbers = {int(each.name) for each in (reader / "fd").iterdir()}
            fourth = (reader / "fd" / "3").readlink()
        os.write(pipe, (tmp_path / "as-before.json").read_bytes())
        assert numbers == {0, 1, 2, 3}
        assert fourth.name == "agent.json"


def test_sockets_of_systemd_are_the_agents_alone(slow: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as opened:
        number = opened.fileno()
        script = f'export LISTEN_PID=$$ LISTEN_FDS=1; exec "$@" 3<&{number} {number}<&-'
        agent = Running(
            ["run", str(slow)],
            subprocess.DEVNULL,
            before=["bash", "-c", script, "bash"],
            passed=[number],
        )
        with held(slow):
            mine = Path(f"/proc/{agent.process.pid}/fd")
            theirs = child_of(agent.process.pid) / "fd"
            assert str((mine / "3").readlink()).startswith("socket:")
            assert not [each for each in theirs.iterdir() if "socket:" in str(each.readlink())]
            agent.signal(signal.SIGTERM)
    agent.close()


def test_what_reads_a_configuration_is_not_in_the_memory_of_the_agent(
    emulator: RunningEmulator, data_dir: Path, tmp_path: Path
) -> None:
    path = configured(tmp_path / "agent.json", emulator, data_dir, TCP)
    with listening(["run", path], 1) as agent:
        agent.agent.signal(signal.SIGHUP)
        eventually(lambda: agent.said("the configuration was read again"))
        libraries = Path(f"/proc/{agent.agent.process.pid}/maps").read_text()
    assert "sqlite3" in libraries
    for name in ("pydantic_core", "yaml", "libstdc++"):
        assert name not in libraries
