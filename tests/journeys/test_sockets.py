"""Records that come over sockets: as safe as those of files, whoever is at the other end."""

import json
import random
import resource
import signal
import socket
import ssl
import struct
import threading
from pathlib import Path
from typing import Any

import pytest

from support.accounts import accounted_for, kept_in
from support.agent import aep_agent, eventually
from support.emulator import RunningEmulator
from support.listening import configured, listening
from support.records import lines, orders

CERTIFICATES = Path(__file__).parents[1] / "delivery" / "certificates"
TCP: dict[str, Any] = {"type": "tcp", "listen": "127.0.0.1:0"}


@pytest.fixture
def unix(tmp_path: Path) -> dict[str, Any]:
    return {"type": "unix", "listen": str(tmp_path / "records.sock"), "name": "local"}


def test_clients_of_several_sources_are_accounted_for_line_by_line(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, unix: dict[str, Any]
) -> None:
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, {**TCP, "name": "tcp"}, unix)
    first, second = orders(3000), orders(3000, first=10_000)
    with listening(["run", config], 2) as agent:
        agent.send(lines(first) + b"nonsense\n")
        agent.send(lines(second)[:-1], 1)
        eventually(lambda: agent.status()["accepted"] == 6000)
        connection = agent.connect()
        eventually(lambda: agent.status()["sources"]["tcp"]["connections"] == 1)
        metrics = agent.metrics()
        agent.agent.signal(signal.SIGTERM)
        done = agent.finished()
        assert connection.recv(1) == b""
        connection.close()

    assert done.code == 0
    assert metrics['aep_agent_source_accepted_connections_total{source="tcp"}'] == 2
    assert metrics['aep_agent_source_closed_connections_total{reason="peer",source="local"}'] == 1
    accounted_for({"tcp": [*first, b"nonsense"], "local": second}, emulator, data_dir)
    assert not Path(unix["listen"]).exists()


def test_a_connection_broken_in_mid_record_leaves_a_dead_letter_and_bothers_nobody(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, {**TCP, "name": "tcp"})
    with listening(["run", config]) as agent:
        quiet, broken = agent.connect(), agent.connect()
        broken.sendall(b'{"n":1}\n{"n":')
        eventually(lambda: agent.status()["read"] == 1)
        broken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        broken.close()
        eventually(lambda: agent.status()["dead_lettered"] == 1)
        quiet.sendall(b'{"n":2}\n')
        eventually(lambda: agent.status()["accepted"] == 2)
        quiet.close()
        agent.agent.signal(signal.SIGTERM)
        agent.finished()

    [letter] = kept_in(data_dir).dead_letters
    assert (letter.record, letter.reason, letter.position.line) == (b'{"n":', "torn", 2)


def test_while_the_inlet_is_down_senders_wait_and_everything_arrives_once_it_is_back(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    emulator.set_faults({"name": "down", "status": 503})
    buffer = {"type": "memory", "max_bytes": "2MB", "memory_bytes": "2MB"}
    config = configured(
        tmp_path / "agent.yaml", emulator, data_dir, {**TCP, "name": "tcp"}, buffer=buffer
    )
    chance = random.Random(3)
    records = [
        b'{"n":%d,"x":"%s"}' % (n, chance.randbytes(400).hex().encode()) for n in range(30_000)
    ]
    content, sent = lines(records), 0

    def write(peer: socket.socket) -> None:
        nonlocal sent
        while sent < len(content):
            sent += peer.send(content[sent : sent + 100_000])
        peer.close()

    with listening(["run", config]) as agent:
        writer = threading.Thread(target=write, args=(agent.connect(),))
        writer.start()
        eventually(lambda: agent.status()["buffer"]["held_bytes"] > 1_000_000)
        writer.join(2.0)
        assert sent < len(content), "the sender was never slowed down"
        assert agent.agent.peak_bytes() < 250_000_000
        emulator.set_faults()
        writer.join(60)
        eventually(lambda: agent.status()["accepted"] == len(records), 60)
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0
    accounted_for({"tcp": records}, emulator, data_dir)


def test_after_kill_9_lines_are_numbered_on_and_only_the_last_moment_is_missing(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, {**TCP, "name": "tcp"})
    first, second = orders(500), orders(500, first=1000)
    with listening(["run", config]) as agent:
        agent.send(lines(first))
        eventually(lambda: agent.status()["safe_positions"].get("tcp", {}).get("line") == 501)
        agent.agent.signal(signal.SIGKILL)
        agent.agent.process.wait(10)
    with listening(["run", config]) as agent:
        agent.send(lines(second))
        eventually(lambda: agent.status()["accepted"] == 500)
        agent.agent.signal(signal.SIGTERM)
        agent.finished()

    accounted_for({"tcp": first + second}, emulator, data_dir)
    found = aep_agent("receipts", "find", "tcp:777", "--json", "--data-dir", data_dir)
    assert len(found.stdout.splitlines()) == 1


def test_an_address_that_is_taken_is_told_before_anything_is_read(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, unix: dict[str, Any]
) -> None:
    taken = {"type": "tcp", "listen": f"127.0.0.1:{emulator.port}"}
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, taken)
    done = aep_agent("run", config)
    assert done.code == 78
    assert b"another program listens there" in done.stderr

    config = configured(tmp_path / "agent.yaml", emulator, data_dir, unix)
    with listening(["run", config]) as agent:
        other = configured(tmp_path / "other.yaml", emulator, tmp_path / "other", unix)
        done = aep_agent("run", other)
        assert done.code == 78
        assert b"records.sock (Address already in use)" in done.stderr
        agent.send(b"{}\n")
        eventually(lambda: agent.status()["accepted"] == 1)
        agent.agent.signal(signal.SIGKILL)
        agent.agent.process.wait(10)
    with listening(["run", config]) as agent:  # whose socket was left behind
        agent.send(b"{}\n")
        eventually(lambda: agent.status()["accepted"] == 1)


def test_clients_for_whom_no_descriptor_is_left_wait_and_delivery_goes_on(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path, unix: dict[str, Any]
) -> None:
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, {**TCP, "name": "tcp"}, unix)
    with listening(["run", config], 2) as agent:
        local = [agent.connect(1) for _ in range(39)]
        for peer in local:
            peer.sendall(b'{"local":1}\n')
        eventually(lambda: len(emulator.records()) == 39)
        resource.prlimit(agent.agent.process.pid, resource.RLIMIT_NOFILE, (80, 80))
        others = [agent.connect() for _ in range(39)]
        for peer in others:
            peer.sendall(b'{"other":1}\n')
        eventually(lambda: agent.said("no connection can be accepted"))
        for peer in local:
            peer.close()
        eventually(lambda: len(emulator.records()) == 78)
        for peer in others:
            peer.close()
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0


def test_files_and_clients_of_several_sources_leave_each_other_descriptors(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    for number in range(100):
        (tmp_path / f"{number}.log").write_bytes(b'{"line":1}\n')
    config = configured(
        tmp_path / "agent.yaml",
        emulator,
        data_dir,
        {**TCP, "name": "tcp"},
        {"type": "http", "listen": "127.0.0.1:0", "name": "http"},
        {"type": "file", "paths": [str(tmp_path / "*.log")], "name": "files"},
    )
    few = {resource.RLIMIT_NOFILE: 96}  # half of them for sources, 16 for each
    with listening(["run", config], 2, limits=few) as agent:
        eventually(lambda: len(emulator.records()) == 100)
        assert agent.status()["sources"]["files"]["open"] == 16
        clients = [agent.connect() for _ in range(16)]
        for peer in clients:
            peer.sendall(b'{"sent":1}\n')
        with agent.connect() as one_too_many:
            assert one_too_many.recv(1) == b""
        with agent.connect(1) as pushing:
            pushing.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
            assert pushing.recv(99).startswith(b"HTTP/1.1 200 OK")
        eventually(lambda: len(emulator.records()) == 117)
        for peer in clients:
            peer.close()
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0
    fewer = agent.said("fewer connections can be open than max_connections")
    assert [line["source"] for line in fewer] == ["tcp", "http"]
    assert not agent.said("a file is not read, looking again later")


def test_records_come_over_tls_from_clients_with_a_certificate(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    tls = {
        "cert_file": str(CERTIFICATES / "localhost.pem"),
        "client_ca_file": str(CERTIFICATES / "ca.pem"),
    }
    source = {**TCP, "name": "tcp", "tls": tls}
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, source)
    trust = ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")
    trust.load_cert_chain(CERTIFICATES / "client.pem")
    records = orders(5000)
    with listening(["run", config]) as agent:
        agent.send(b"no TLS at all\n")
        eventually(lambda: agent.said("a client cannot be secured by TLS"))
        with trust.wrap_socket(agent.connect(), server_hostname="localhost") as peer:
            peer.sendall(lines(records))
            peer.unwrap()
        eventually(lambda: agent.status()["accepted"] == 5000)
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0
    accounted_for({"tcp": records}, emulator, data_dir)

    source["tls"] = {"cert_file": str(tmp_path / "none.pem")}
    done = aep_agent("run", configured(config, emulator, data_dir, source))
    assert done.code == 78
    assert b"none.pem: No such file or directory; check path and permissions" in done.stderr


def test_pretty_records_in_other_frames_arrive_on_one_line_each(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    pretty = [json.dumps({"n": number}, indent=2).encode() for number in range(500)]
    framed = {
        "octet_counted": b"".join(b"%d %b" % (len(each), each) for each in pretty),
        "nul": b"".join(each + b"\0" for each in pretty),
        "length_prefixed": b"".join(len(each).to_bytes(4, "big") + each for each in pretty),
        "json_seq": b"".join(b"\x1e" + each + b"\n" for each in pretty),
    }
    sources = [{**TCP, "name": framing, "framing": framing} for framing in framed]
    config = configured(tmp_path / "agent.yaml", emulator, data_dir, *sources)
    with listening(["run", config], len(framed)) as agent:
        for which, content in enumerate(framed.values()):
            agent.send(content, which)
        eventually(lambda: agent.status()["accepted"] == 2000)
        agent.agent.signal(signal.SIGTERM)
        assert agent.finished().code == 0
    flat = [each.replace(b"\n", b" ") for each in pretty]
    accounted_for(dict.fromkeys(framed, flat), emulator, data_dir)
