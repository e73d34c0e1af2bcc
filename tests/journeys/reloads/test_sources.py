"""SIGHUP: do sources change, come and go without a record lost or doubled?"""

import http.client
import signal
import socket
from contextlib import closing
from pathlib import Path

from journeys.reloads.changing import (
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
from support.accounts import kept_in
from support.agent import LIMIT
from support.emulator import RunningEmulator
from support.listening import configured, listening
from support.records import lines, orders


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
