"""SIGHUP: the configuration is read again, checked whole, and applied while everything goes on."""

import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import termios
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.accounts import kept_in
from support.agent import LIMIT
from support.agent import eventually as soon
from support.emulator import RunningEmulator
from support.listening import Listening, configured, listening
from support.records import lines, orders

Inlet = Callable[..., RunningEmulator]
CERTIFICATES = Path(__file__).parents[1] / "delivery" / "certificates"
DONE = "the configuration was read again"
WRONG = "the configuration is wrong, going on with the old one"


def eventually(truth: Callable[[], object]) -> None:
    """Wait until it is so, for long where others use the machine."""
    soon(truth, LIMIT)


class Changing:
    """An agent that runs, and the file that it reads again."""

    def __init__(self, agent: Listening, path: Path) -> None:
        self.agent = agent
        self.path = path

    def reload(self, event: str = DONE) -> dict[str, Any]:
        """Have the file read again; the line of the log that says so."""
        count = len(self.agent.said(event))
        self.agent.agent.signal(signal.SIGHUP)
        eventually(lambda: len(self.agent.said(event)) > count)
        return self.agent.said(event)[-1]

    def write(self, **changes: Any) -> None:
        """Change sections of the file; a section that is None goes."""
        whole = json.loads(self.path.read_text()) | changes
        self.path.write_text(json.dumps({key: it for key, it in whole.items() if it is not None}))

    def changed(self, **changes: Any) -> dict[str, Any]:
        """Change the file and have it read again."""
        self.write(**changes)
        return self.reload()

    def stopped(self) -> None:
        """Stop it, with nothing left over."""
        self.agent.agent.signal(signal.SIGTERM)
        assert self.agent.finished().code == 0


Run = Callable[..., Any]


@pytest.fixture
def run(emulator: RunningEmulator, data_dir: Path, tmp_path: Path) -> Run:
    @contextmanager
    def started(*sources: dict[str, Any], **settings: Any) -> Iterator[Changing]:
        path = configured(tmp_path / "agent.json", emulator, data_dir, *sources, **settings)
        listen = sum("listen" in source for source in sources)
        with listening(["run", path], listen) as agent:
            yield Changing(agent, path)

    return started


def followed(path: Path, **more: Any) -> dict[str, Any]:
    return {"type": "file", "name": path.name, "paths": [str(path)], "poll": "50ms", **more}


def tcp(name: str = "door", **more: Any) -> dict[str, Any]:
    return {"type": "tcp", "name": name, "listen": "127.0.0.1:0", **more}


def a_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def append(path: Path, records: list[bytes]) -> None:
    with path.open("ab") as file:
        file.write(lines(records))


def arrived(emulator: RunningEmulator, records: list[bytes]) -> None:
    """Wait until the inlet has these and no others, each once."""
    eventually(lambda: emulator.stats()["records_accepted"] >= len(records))
    assert Counter(emulator.records()) == Counter(records)


def test_a_changed_source_goes_on_where_it_was_and_no_record_comes_twice(
    run: Run, emulator: RunningEmulator, tmp_path: Path, data_dir: Path
) -> None:
    records = orders(900)
    log = tmp_path / "app.log"
    append(log, records[:300])
    with run(followed(log)) as it:
        eventually(lambda: emulator.stats()["records_accepted"] == 300)
        said = it.changed(sources=[followed(log, filters=[{"drop": ["text = 'nowhere'"]}])])
        assert said["applied"] == ["source app.log changed"]
        append(log, records[300:600])
        eventually(lambda: emulator.stats()["records_accepted"] == 600)
        it.changed(sources=[followed(log, resume=False)])
        append(log, records[600:])
        arrived(emulator, records)
        it.stopped()
    assert {receipt.source for receipt in kept_in(data_dir).receipts} == {f"app.log:{log}"}


def test_sources_come_and_go_and_a_connection_of_an_unchanged_one_stays_open(
    run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    records = orders(500)
    first, second = tmp_path / "first.log", tmp_path / "second.log"
    append(first, records[:100])
    append(second, records[100:200])
    with run(tcp(), followed(first)) as it, it.agent.connect() as client:
        client.sendall(lines(records[200:300]))
        eventually(lambda: emulator.stats()["records_accepted"] == 200)
        said = it.changed(sources=[followed(second), tcp()])
        assert said["applied"] == ["source first.log removed", "source second.log added"]
        client.sendall(lines(records[300:400]))
        append(first, records[400:])
        eventually(lambda: emulator.stats()["records_accepted"] == 400)
        assert len(it.agent.said("a source listens")) == 1, "it listens as it did"
        it.changed(sources=[followed(first), tcp()])
        arrived(emulator, records)
        assert not any("second.log" in name and "followed" in name for name in it.agent.metrics())
        it.stopped()


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


def test_a_changed_listener_keeps_its_socket_so_that_no_client_is_refused(
    run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    port, path = a_port(), str(tmp_path / "door.sock")
    listen, unix = f"127.0.0.1:{port}", {"type": "unix", "name": "file", "listen": path}
    web = {"type": "http", "name": "web", "listen": f"127.0.0.1:{a_port()}"}
    udp = {"type": "udp", "name": "drops", "listen": f"127.0.0.1:{a_port()}"}
    with run(tcp(listen=listen), unix, web, udp) as it:
        inode = Path(path).stat().st_ino
        it.changed(
            sources=[
                tcp(listen=listen, max_connections=5),
                {**unix, "max_connections": 5},
                {**web, "token": "secret"},
                {**udp, "filters": [{"sample": 1}]},
            ]
        )
        assert Path(path).stat().st_ino == inode
        records = orders(40)
        it.agent.send(lines(records[:10]), 0)
        it.agent.send(lines(records[10:20]), 1)
        with closing(http.client.HTTPConnection("127.0.0.1", int(web["listen"][10:]))) as client:
            client.request("POST", "/", lines(records[20:30]))
            answer = client.getresponse()
            assert (answer.status, bool(answer.read())) == (401, True)
            bearer = {"Authorization": "Bearer secret"}
            client.request("POST", "/", lines(records[20:30]), bearer)
            assert client.getresponse().status == 200
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(lines(records[30:]), ("127.0.0.1", int(udp["listen"][10:])))
        arrived(emulator, records)
        it.changed(sources=[tcp(listen=listen)])
        assert not Path(path).exists(), "the file goes with its source"
        it.stopped()


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


def test_what_was_read_before_a_reload_is_read_again_after_a_crash_if_it_was_not_safe(
    inlet: Inlet, data_dir: Path, tmp_path: Path
) -> None:
    log = tmp_path / "app.log"
    records = orders(300)
    emulator = inlet([{"when": {"requests": 1000}, "hang": True}])
    memory = {"type": "memory", "max_bytes": "8MiB"}
    path = configured(tmp_path / "agent.json", emulator, data_dir, followed(log), buffer=memory)
    append(log, records[:100])
    with listening(["run", path], 0) as agent:
        it = Changing(agent, path)
        eventually(lambda: agent.status()["read"] == 100)
        it.changed(sources=[followed(log, poll="60ms")])
        append(log, records[100:200])
        eventually(lambda: agent.status()["read"] == 200)
        it.changed(sources=[followed(tmp_path / "other.log")])
        it.changed(sources=[followed(log)])
        append(log, records[200:])
        eventually(lambda: agent.status()["read"] == 300)
        agent.agent.signal(signal.SIGKILL)
        agent.agent.process.wait(LIMIT)
    emulator.set_faults()
    with listening(["run", path], 0) as agent:
        arrived(emulator, records)
        Changing(agent, path).stopped()


def test_a_source_that_was_away_for_a_while_goes_on_where_it_was(
    run: Run, emulator: RunningEmulator, tmp_path: Path
) -> None:
    log, other = tmp_path / "app.log", tmp_path / "other.log"
    records = orders(400)
    append(log, records[:100])
    nameless = {"type": "file", "paths": [str(log)], "poll": "50ms"}
    beside = {**nameless, "paths": [str(other)]}
    with run(nameless, beside) as it:
        eventually(lambda: emulator.stats()["records_accepted"] == 100)
        it.changed(sources=[beside])
        append(log, records[100:200])
        log.rename(tmp_path / "app.log.1")
        append(log, records[200:300])
        it.changed(sources=[beside, {**nameless, "paths": [f"{log}*"]}])
        append(other, records[300:])
        arrived(emulator, records)
        it.stopped()
