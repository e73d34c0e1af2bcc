"""SIGHUP: the configuration is read again, checked whole, and applied while everything goes on."""

import fcntl
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import termios
from contextlib import closing
from pathlib import Path

import pytest

from journeys.reloads.changing import (
    CERTIFICATES,
    DONE,
    WRONG,
    Changing,
    Inlet,
    Run,
    a_port,
    append,
    arrived,
    eventually,
    followed,
    tcp,
)
from support.emulator import RunningEmulator
from support.listening import configured, listening
from support.records import lines, orders


def test_what_is_wrong_is_told_with_its_line_and_the_old_configuration_stays(
    run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    records = orders(200)
    append(log, records[:100])
    with run(followed(log)) as it:
        eventually(lambda: emulator.stats()["records_accepted"] == 100)
        good = it.path.read_text()
        it.path.write_text(good.replace('"max_wait": "20ms"', '"max_wait": "soon"'))
        reason = it.reload(WRONG)["reason"]
        assert reason.startswith(f"{it.path}:1: batch.max_wait: found")
        it.path.write_text("sources: [")
        it.reload(WRONG)
        it.path.write_text(good)
        it.write(sources=[followed(log, filters=[{"drop": ["="]}])])
        it.reload(WRONG)
        it.path.unlink()
        assert str(it.path) in it.reload(WRONG)["reason"]
        append(log, records[100:])
        arrived(emulator, records)
        status = it.agent.status()["last_reload"]
        assert (status["outcome"], len(status["problems"])) == ("refused", 1)
        metrics = it.agent.metrics()
        assert metrics['aep_agent_reloads_total{outcome="refused"}'] == 4
        assert metrics["aep_agent_last_reload_successful"] == 0
        it.path.write_text(good)
        assert it.reload()["outcome"] == "unchanged"
        assert it.agent.metrics()["aep_agent_last_reload_successful"] == 1
        it.stopped()


def test_a_port_that_is_taken_refuses_all_of_it_and_nothing_was_stopped_for_it(
    run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as taken,
        run(tcp(), followed(log)) as it,
        it.agent.connect() as client,
    ):
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        free = a_port()
        it.write(sources=[tcp("new", listen=f"127.0.0.1:{free}"), tcp("other", listen=address)])
        assert address in it.reload(WRONG)["reason"]
        records = orders(20)
        client.sendall(lines(records[:10]))
        append(log, records[10:])
        arrived(emulator, records)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", free))
        it.stopped()


def test_keys_that_cannot_change_now_are_told_one_by_one_and_the_rest_is_applied(
    run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    with run(followed(log)) as it:
        inlet = {"url": "http://127.0.0.1:9/collection/other", "flow_id": emulator.flow_id}
        said = it.changed(
            data_dir=str(tmp_path / "elsewhere"),
            inlet=inlet,
            buffer={"type": "memory", "memory_bytes": "16MiB"},
            batch={"max_wait": "30ms"},
            log={"format": "json", "repeat": "0s", "level": "debug"},
        )
        assert said["applied"] == ["log.level", "batch.max_wait"]
        later = [line["key"] for line in it.agent.said("takes effect at the next start")]
        assert later == ["data_dir", "inlet.url", "buffer.type", "buffer.memory_bytes"]
        assert it.agent.status()["last_reload"]["at_the_next_start"] == later
        records = orders(10)
        append(log, records)
        arrived(emulator, records)
        it.stopped()
    assert not (tmp_path / "elsewhere").exists()


def test_a_token_file_and_another_credential_take_the_place_of_the_old_one(
    inlet: Inlet, data_dir: Path, tmp_path: Path
) -> None:
    emulator = inlet(token="good")
    good, bad = tmp_path / "good", tmp_path / "bad"
    bad.write_text("outdated")
    good.write_text("good")
    target = {"url": emulator.inlet_url, "flow_id": emulator.flow_id}
    log = tmp_path / "app.log"
    records = orders(10)
    append(log, records)
    path = configured(
        tmp_path / "agent.json",
        emulator,
        data_dir,
        followed(log),
        inlet={**target, "token_file": str(bad)},
    )
    with listening(["run", path], 0) as agent:
        it = Changing(agent, path)
        eventually(lambda: agent.status()["destination"] == "auth_blocked")
        it.write(inlet={**target, "token_file": str(tmp_path / "missing")})
        assert "inlet.token_file" in it.reload(WRONG)["reason"]
        assert it.changed(inlet={**target, "token_file": str(good)})["applied"] == [
            "inlet.token_file"
        ]
        arrived(emulator, records)
        it.stopped()


def test_a_renewed_certificate_is_shown_at_once_and_open_connections_stay(
    run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    certificate = tmp_path / "own.pem"
    shutil.copy(CERTIFICATES / "localhost.pem", certificate)
    trusting = ssl.create_default_context(cafile=CERTIFICATES / "ca.pem")
    trusting.check_hostname = False

    def connect(it: Changing) -> ssl.SSLSocket:
        return trusting.wrap_socket(it.agent.connect())

    with run(tcp(tls={"cert_file": str(certificate)})) as it:
        before = connect(it)
        shown = before.getpeercert()
        records = orders(20)
        before.sendall(lines(records[:10]))
        shutil.copy(CERTIFICATES / "client.pem", certificate)
        assert it.reload()["outcome"] == "unchanged"
        with connect(it) as after:
            assert after.getpeercert() != shown
        before.sendall(lines(records[10:]))
        arrived(emulator, records)
        before.close()
        certificate.write_text("no certificate")
        it.write(sources=[tcp(tls={"cert_file": str(certificate)}, max_connections=3)])
        assert "tls" in it.reload(WRONG)["reason"]
        it.stopped()


def test_flows_come_and_go_and_one_that_goes_sends_what_it_holds_first(
    inlet: Inlet, run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    away = inlet([{"status": 503}])
    one, two = tmp_path / "one.log", tmp_path / "two.log"
    flows = {
        "here": {"inlet": {"url": emulator.inlet_url, "flow_id": emulator.flow_id}},
        "away": {"inlet": {"url": away.inlet_url, "flow_id": away.flow_id}},
    }
    here = {"here": flows["here"]}
    records = orders(100)
    with run(followed(one, flow="here"), inlet=None, flows=here) as it:
        said = it.changed(
            flows=flows, sources=[followed(one, flow="here"), followed(two, flow="away")]
        )
        assert said["applied"] == ["flow away added", "source two.log added"]
        append(two, records[:50])
        append(one, records[50:])
        eventually(lambda: emulator.stats()["records_accepted"] == 50)
        eventually(lambda: it.agent.status()["flows"]["away"]["held"] == 50)
        said = it.changed(flows=here, sources=[followed(one, flow="here")])
        assert said["applied"] == ["flow away removed", "source two.log removed"]
        it.write(flows={**here, "again": flows["away"]}, sources=[followed(one, flow="here")])
        assert "goes where flow away goes" in it.reload(WRONG)["reason"]
        away.set_faults()
        arrived(away, records[:50])
        eventually(lambda: it.agent.status()["flows"].keys() == {"here"})
        assert it.agent.status()["accepted"] == 100
        arrived(emulator, records[50:])
        it.changed(flows=flows, sources=[followed(one, flow="here"), followed(two, flow="away")])
        append(two, records[50:])
        arrived(away, records)
        it.stopped()


def test_limits_hold_from_the_reload_on(
    inlet: Inlet, run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    delivery = {"retry": {"initial": "10ms", "max": "100ms"}}
    with run(followed(log), batch={"max_wait": "50s"}) as it:
        records = orders(1000)
        append(log, records[:10])
        eventually(lambda: it.agent.status()["read"] == 10)
        it.changed(batch={"max_wait": "20ms", "max_records": 10})
        eventually(lambda: emulator.stats()["records_accepted"] == 10)
        before = emulator.stats()["requests"]
        it.changed(delivery={**delivery, "max_in_flight": 1, "concurrency": "fixed"})
        append(log, records[10:])
        arrived(emulator, records)
        assert emulator.stats()["requests"] - before == 99
        name = "aep_agent_delivery_limit_requests"
        assert it.agent.metrics()[name] == 1
        it.changed(delivery={**delivery, "max_in_flight": 50, "concurrency": "fixed"})
        assert it.agent.metrics()[name] == 50
        it.stopped()


def test_sigterm_during_a_reload_stops_it_in_order(
    run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    records = orders(2000)
    append(log, records)
    with run(followed(log), tcp()) as it:
        eventually(lambda: emulator.stats()["records_accepted"] > 0)
        it.write(sources=[followed(log, poll="60ms"), tcp(max_connections=3)])
        it.agent.agent.signal(signal.SIGHUP)
        it.agent.agent.signal(signal.SIGTERM)
        assert it.agent.finished().code == 0
        with listening(["run", it.path], 1) as agent:
            arrived(emulator, records)
            agent.agent.signal(signal.SIGHUP)
            Changing(agent, it.path).stopped()


def test_a_terminal_that_is_closed_stops_it_in_order(
    emulator: RunningEmulator, data_dir: Path, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    path = configured(tmp_path / "agent.json", emulator, data_dir, followed(log))
    ours, theirs = os.openpty()
    command = [sys.executable, "-m", "agent", "run", str(path)]
    with subprocess.Popen(
        command,
        stdin=theirs,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as agent:
        os.close(theirs)
        assert agent.stderr
        try:
            records = orders(10)
            append(log, records)
            arrived(emulator, records)
            agent.send_signal(signal.SIGHUP)
            said = (json.loads(line)["event"] for line in agent.stderr)
            assert DONE in said, "the terminal is there: it was told to reload"
            os.close(ours)
            assert agent.wait(20) == 0
            assert [*said][-2:] == ["stopping", "stopped"]
        finally:
            agent.kill()
