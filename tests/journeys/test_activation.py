"""Sockets that others opened, or share: no restart refuses a connection."""

import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from support.accounts import accounted_for
from support.agent import aep_agent, eventually
from support.emulator import RunningEmulator
from support.listening import configured, connected, listening
from support.records import lines, orders


@pytest.fixture
def opened() -> Iterator[list[socket.socket]]:
    """A tcp and a udp socket, as systemd holds them while the agent comes and goes."""
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        yield [tcp, udp]


def activated(opened: list[socket.socket], names: str) -> dict[str, Any]:
    """How systemd starts a program: descriptors from 3 on, and their names in the environment."""
    numbers = [each.fileno() for each in opened]
    places = " ".join(f"{place}<&{number}" for place, number in enumerate(numbers, 3))
    script = (
        f'export LISTEN_PID=$$ LISTEN_FDS={len(opened)} LISTEN_FDNAMES={names}; exec "$@" {places}'
    )
    return {"before": ["bash", "-c", script, "bash"], "passed": numbers}


def test_clients_that_come_while_the_agent_is_away_wait_for_it(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, opened: list[socket.socket]
) -> None:
    sources = (
        {"type": "tcp", "listen": "systemd:records", "name": "tcp"},
        {"type": "udp", "listen": "systemd:devices", "name": "udp"},
    )
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, *sources)
    first, second, third = orders(100), orders(100, first=1000), orders(100, first=2000)
    address = "{}:{}".format(*opened[0].getsockname())
    with listening(["run", config], 2, **activated(opened, "records:devices")) as agent:
        assert agent.addresses == [address, "{}:{}".format(*opened[1].getsockname())]
        agent.send(lines(first))
        eventually(lambda: agent.status()["accepted"] == 100)
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0

    waiting = connected(address)
    waiting.sendall(lines(second))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as device:
        device.sendto(lines(third), opened[1].getsockname())
    with listening(["run", config], 2, **activated(opened, "records:devices")) as agent:
        eventually(lambda: agent.status()["accepted"] == 200)
        waiting.close()
        agent.agent.signal(signal.SIGTERM)
        agent.finished()
    accounted_for({"tcp": first + second, "udp": third}, emulator, data_dir)


def test_no_restart_under_load_refuses_a_connection_or_loses_a_record(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, opened: list[socket.socket]
) -> None:
    source = {"type": "tcp", "listen": "systemd:records", "name": "tcp"}
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, source)
    address = "{}:{}".format(*opened[0].getsockname())
    sent: list[bytes] = []
    broken, done = [], threading.Event()

    def send() -> None:
        for record in orders(100_000):
            if done.is_set():
                return
            with connected(address) as peer:
                peer.sendall(record)
                peer.shutdown(socket.SHUT_WR)
                sent.append(record)
                try:
                    assert peer.recv(1) == b""
                except ConnectionError:
                    broken.append(record)

    client = threading.Thread(target=send)
    client.start()
    try:
        for _ in range(4):
            with listening(["run", config], **activated(opened[:1], "records")) as agent:
                before = len(sent)
                eventually(lambda before=before: len(sent) > before + 100)
                agent.agent.signal(signal.SIGTERM)
                assert agent.finished().code == 0
    finally:
        done.set()
    with listening(["run", config], **activated(opened[:1], "records")) as agent:
        client.join(30)
        eventually(lambda: len(emulator.records()) >= len(sent))
    assert broken == []
    assert sorted(emulator.records()) == sorted(sent)


def test_sockets_that_nobody_passed_or_that_do_not_fit_are_told(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, opened: list[socket.socket]
) -> None:
    missing = {"type": "tcp", "listen": "systemd:records"}
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, missing)
    done = aep_agent("run", config)
    assert done.code == 78
    assert b"no sockets came from systemd for systemd:records: start the agent by" in done.stderr

    command = activated(opened, "records:devices")
    unfit = configured(tmp_path / "unfit.yaml", emulator, data_dir, {**missing, "type": "udp"})
    told = subprocess.run(
        [*command["before"], sys.executable, "-m", "agent", "run", unfit],
        pass_fds=command["passed"],
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 78
    assert b"(records, devices) is a datagram socket for systemd:records" in told.stderr


def test_systemd_socket_activate_starts_it_when_the_first_client_comes(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    source = {"type": "tcp", "listen": "systemd", "name": "tcp"}
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, source)
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = "{}:{}".format(*free.getsockname())
    script = f'"$@" & echo $! ; until (exec 3<>/dev/tcp/{address.replace(":", "/")}); do :; done'
    script += " 2>/dev/null; wait"
    before = ["bash", "-c", script, "bash", "systemd-socket-activate", "-l", address]
    with listening(["run", config], before=before) as agent:
        process = agent.agent.process
        assert process.stdout
        started = int(process.stdout.readline())
        agent.send(b'{"n":1}\n')
        eventually(lambda: agent.status()["accepted"] == 1)
        subprocess.run(["kill", str(started)], check=True)
        assert process.wait(30) == 0


def test_agents_that_share_a_port_share_the_connections(
    emulator: RunningEmulator, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = "{}:{}".format(*free.getsockname())
    source = {"type": "tcp", "listen": address, "reuse_port": True, "name": "tcp"}
    records = orders(200)
    with ExitStack() as stack:
        agents = [
            stack.enter_context(
                listening(
                    [
                        "run",
                        configured(tmp_path / name, emulator, tmp_path / f"of {name}", source),
                    ]
                )
            )
            for name in ("one", "two")
        ]
        for record in records:
            with connected(address) as peer:
                peer.sendall(record)
        eventually(lambda: len(emulator.records()) == 200)
        shares = [agent.status()["read"] for agent in agents]
        assert sum(shares) == 200
        assert min(shares) > 0, "one agent got all of them"
    assert sorted(emulator.records()) == sorted(records)
