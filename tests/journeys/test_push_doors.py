"""The ways in for those who push: TLS, networks, sockets of systemd's, a buffer that is full."""

import http.client
import json
import random
import signal
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from journeys.test_activation import activated
from support.accounts import accounted_for
from support.agent import aep_agent, eventually, send_arguments
from support.emulator import Remote, RunningEmulator
from support.listening import configured, listening
from support.pushing import NAME, Door, Pushing, configuration
from support.records import lines, orders

CERTIFICATES = Path(__file__).parents[1] / "delivery" / "certificates"
OURS, CA, CLIENT = (CERTIFICATES / f"{name}.pem" for name in ("localhost", "ca", "client"))


def _posted(door: Door, context: ssl.SSLContext, body: bytes) -> int:
    client = http.client.HTTPSConnection("localhost", door.address[1], context=context, timeout=10)
    try:
        return door.asked(client, body).status
    finally:
        client.close()


def test_records_can_be_pushed_over_tls_and_only_by_those_with_a_certificate(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    tls = {"cert_file": str(OURS), "client_ca_file": str(CA)}
    door = pushing(emulator, {"tls": tls})
    stranger = ssl.create_default_context(cafile=CA)
    known = ssl.create_default_context(cafile=CA)
    known.load_cert_chain(CLIENT)

    assert _posted(door, known, b'{"a":1}') == 200
    with pytest.raises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
        _posted(door, stranger, b'{"a":2}')
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        door.post(b'{"a":3}')
    assert _posted(door, known, b'{"a":4}') == 200
    assert pushing.stopped() == 0
    assert emulator.records() == [b'{"a":1}', b'{"a":4}']


def test_who_comes_from_elsewhere_is_not_let_in(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator, {"allow": ["10.0.0.0/8"]})
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        door.post(b'{"a":1}')
    assert pushing.stopped() == 0
    assert pushing(emulator, {"allow": ["127.0.0.0/8"]}).post(b'{"a":1}').status == 200
    assert pushing.stopped() == 0


def test_certificates_that_cannot_be_used_stop_it_before_it_listens(
    pushing: Pushing, emulator: RunningEmulator, tmp_path: Path
) -> None:
    (tmp_path / "none.pem").write_text("nonsense")
    push = {"tls": {"cert_file": str(tmp_path / "none.pem")}}
    pushing.config.write_text(json.dumps(configuration(emulator, pushing.data_dir, push)))
    done = aep_agent("run", pushing.config)

    assert done.code == 78
    assert "cannot load the certificates" in done.stderr.decode()


def test_a_restart_under_load_refuses_no_connection_and_loses_nothing_it_acknowledged(
    emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    source = {"type": "http", "listen": "systemd:push", "name": NAME}
    config = configured(tmp_path / "agent.json", emulator, data_dir, source)
    sent: list[bytes] = []
    told: list[int] = []
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as opened:
        door = Door("{}:{}".format(*opened.getsockname()))

        def push() -> None:
            for record in orders(100_000):
                if done.is_set():
                    return
                answer = door.post(record + b"\n")
                told.append(answer.status)
                if answer.status == 200:
                    sent.append(record)

        client = threading.Thread(target=push)
        client.start()
        try:
            for _ in range(3):
                with listening(["run", config], **activated([opened], "push")) as agent:
                    before = len(sent)
                    eventually(lambda before=before: len(sent) > before + 20)
                    agent.agent.signal(signal.SIGTERM)
                    assert agent.finished().code == 0
        finally:
            done.set()
        with listening(["run", config], **activated([opened], "push")) as agent:
            client.join(30)
            assert not client.is_alive()
            eventually(lambda: len(emulator.records()) >= len(sent))
            waiting = agent.status()["sources"][NAME]["waiting"]
            assert waiting == {"requests": 0, "bytes": 0}
            samples = agent.metrics()
            assert any(name.startswith("aep_agent_push_requests_total{") for name in samples)
    assert set(told) <= {200, 503}
    assert sorted(emulator.records()) == sorted(sent)


def test_a_client_that_pushes_on_and_on_meets_every_answer_of_an_outage(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=[{"status": 503}])
    buffer = {"type": "disk", "max_bytes": "300KB", "memory_bytes": "300KB"}
    push = {"room_timeout": "100ms", "ack_timeout": "1s"}
    door = pushing(emulator, push, buffer=buffer, batch={"max_bytes": "100KB"})
    noise = random.Random(1)
    kept: list[bytes] = []
    refused = 0
    for number in range(200):
        noisy = noise.randbytes(5000).hex()
        records = [b'{"n":%d,"x":"%b"}' % (number * 10 + n, noisy.encode()) for n in range(3)]
        answer = door.post(lines(records))
        if answer.status in (200, 504):  # taken, at least
            kept += records
        else:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
            refused += 1
            if refused == 3:
                break
    assert refused == 3
    emulator.set_faults()
    eventually(lambda: door.post(b'{"z":1}').status == 200)
    assert pushing.stopped() == 0
    landed = [record for record in emulator.records() if b'"z"' not in record]
    assert sorted(landed) == sorted(kept)


def test_one_agent_can_be_the_inlet_of_another(
    pushing: Pushing, inlet: Callable[..., RunningEmulator], tmp_path: Path
) -> None:
    emulator = inlet(faults=[{"when": {"matching": "bad"}, "reject": 400}])
    door = pushing(emulator, {"ack": "accepted"})
    records = [*orders(300), b'{"bad":1}']
    gateway = Remote(door.address[1], "http://{}:{}".format(*door.address), emulator.flow_id)
    gateway.inlet_url += door.single
    edge = tmp_path / "edge"
    done = aep_agent(*send_arguments(gateway, edge, "-"), stdin=lines(records))

    assert (done.code, done.summary["accepted"], done.summary["dead_lettered"]) == (3, 300, 1)
    assert pushing.stopped() == 0
    accounted_for({"stdin": records}, emulator, edge)
    accounted_for({NAME: records}, emulator, pushing.data_dir)
