"""On a host where something is missing, taken or wrong, the agent works, or says what to do."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.sockets import free_port
from support.accounts import accounted_for
from support.agent import Finished, Running, eventually, send_arguments
from support.emulator import RunningEmulator
from support.records import lines, orders

Configured = Callable[..., Path]
SOMEBODY_ELSE = 65534
UNPRIVILEGED = ("setpriv", "--bounding-set=-all", "--inh-caps=-all")
DAY = 86_400


@pytest.fixture
def superuser() -> None:
    """Skips, loudly, where no other host can be acted out."""
    needed = ("unshare", "setpriv", "ip")
    missing = [program for program in needed if not shutil.which(program)]
    if missing or subprocess.run(["unshare", "-mn", "true"], check=False).returncode:
        pytest.skip(f"NOT RUN: needs a superuser, and programs that are missing: {missing}")


@pytest.fixture
def started() -> Iterator[Callable[..., Running]]:
    """Starts the agent as the last word of another command line."""
    all: list[Running] = []

    def start(*arguments: str | Path, before: Sequence[str] = ()) -> Running:
        agent = Running([*map(str, arguments)], subprocess.PIPE, before=before)
        all.append(agent)
        return agent

    yield start
    for agent in all:
        agent.close()


def within(script: str, *unshared: str) -> tuple[str, ...]:
    """A command line that runs this script in namespaces of its own before what follows."""
    return ("unshare", *unshared, "sh", "-ec", f'{script}; exec "$@"', "within")


def refused(done: Finished, code: int, *words: str) -> None:
    """It ended with that code and these words, and not as a bug does."""
    said = done.stderr.decode()
    assert done.code == code, said
    assert "Traceback" not in said
    for each in words:
        assert each in said


@pytest.mark.usefixtures("superuser")
def test_a_state_directory_of_somebody_else_is_1_and_named(
    started: Callable[..., Running], emulator: RunningEmulator, data_dir: Path
) -> None:
    data_dir.mkdir(mode=0o700)
    os.chown(data_dir, SOMEBODY_ELSE, SOMEBODY_ELSE)
    agent = started(*send_arguments(emulator, data_dir, "-"), before=UNPRIVILEGED)

    words = ("permission denied; give this user access to that directory", str(data_dir))
    refused(agent.finished(b"{}\n"), 1, *words)


@pytest.mark.usefixtures("superuser")
def test_a_credential_of_somebody_else_is_78_with_the_line_that_names_it(
    started: Callable[..., Running],
    configured: Configured,
    emulator: RunningEmulator,
    tmp_path: Path,
) -> None:
    secret = tmp_path / "token"
    secret.write_text("word")
    secret.chmod(0o600)
    os.chown(secret, SOMEBODY_ELSE, SOMEBODY_ELSE)
    inlet = {"url": emulator.inlet_url, "flow_id": emulator.flow_id, "token_file": str(secret)}
    agent = started("run", configured(emulator, inlet=inlet), before=UNPRIVILEGED)

    refused(agent.finished(), 78, "inlet.token_file", "permission denied")


@pytest.mark.usefixtures("superuser")
def test_a_port_that_needs_a_capability_is_78_and_says_which(
    started: Callable[..., Running], configured: Configured, emulator: RunningEmulator
) -> None:
    config = configured(emulator, sources=[{"type": "tcp", "listen": "0.0.0.0:514"}])
    agent = started("run", config, before=("unshare", "-n", *UNPRIVILEGED))

    refused(agent.finished(), 78, "sources: cannot listen on 0.0.0.0:514", "CAP_NET_BIND_SERVICE")


def test_an_admin_port_that_is_taken_is_78_before_anything_is_read(
    started: Callable[..., Running], configured: Configured, emulator: RunningEmulator
) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = f"127.0.0.1:{other.getsockname()[1]}"
        agent = started("run", configured(emulator, admin={"listen": taken}))
        done = agent.finished(b"{}\n")

    refused(done, 78, f"admin.listen: cannot listen on {taken}", "another program listens there")
    assert emulator.stats()["requests"] == 0


@pytest.mark.usefixtures("superuser")
@pytest.mark.parametrize("was_there", [False, True])
def test_a_read_only_file_system_is_1_and_says_how_to_mount(
    started: Callable[..., Running], emulator: RunningEmulator, data_dir: Path, was_there: bool
) -> None:
    send = send_arguments(emulator, data_dir, "-")
    data_dir.mkdir()
    if was_there:
        assert started(*send).finished(b"{}\n").code == 0
    seal = f"mount --bind {data_dir} {data_dir}; mount -o remount,bind,ro {data_dir}"

    done = started(*send, before=within(seal, "-m")).finished(b"{}\n")
    refused(done, 1, "read-only file system; mount it for writing")


@pytest.mark.usefixtures("superuser")
def test_without_proc_files_are_followed_and_all_of_it_arrives(
    started: Callable[..., Running],
    configured: Configured,
    emulator: RunningEmulator,
    data_dir: Path,
    tmp_path: Path,
) -> None:
    log, records = tmp_path / "log.ndjson", orders(2000)
    log.write_bytes(lines(records[:1000]))
    config = configured(emulator, sources=[{"type": "file", "paths": [str(log)]}])
    agent = started("run", config, before=within("mount -t tmpfs none /proc", "-m"))
    eventually(lambda: emulator.stats()["records_accepted"] == 1000)
    with log.open("ab") as more:
        more.write(lines(records[1000:]))
    eventually(lambda: emulator.stats()["records_accepted"] == 2000)
    agent.process.terminate()

    assert agent.finished().code == 0
    accounted_for({str(log): records}, emulator, data_dir)


@pytest.mark.usefixtures("superuser")
def test_without_ipv6_localhost_is_the_other_one_and_an_ipv6_address_is_78(
    started: Callable[..., Running], configured: Configured, emulator: RunningEmulator
) -> None:
    only_4 = "ip link set lo up; echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"
    alone = within(f"test ! -e /proc/sys/net/ipv6 || {{ {only_4}; }}", "-n")
    port = free_port()
    sources: list[dict[str, Any]] = [{"type": "tcp", "listen": f"[::1]:{port}"}]
    agent = started("run", configured(emulator, sources=sources), before=alone)
    refused(agent.finished(), 78, f"sources: cannot listen on [::1]:{port}")

    sources[0]["listen"] = f"localhost:{port}"
    agent = started("run", configured(emulator, sources=sources), before=alone)
    assert agent.process.stderr
    assert f'"address":"127.0.0.1:{port}"' in agent.process.stderr.readline().decode()
    agent.process.terminate()
    assert agent.finished().code == 0


@pytest.mark.parametrize("first", [DAY, -DAY])
def test_a_clock_that_is_off_by_a_day_and_set_right_loses_and_delays_nothing(
    started: Callable[..., Running],
    inlet: Callable[..., RunningEmulator],
    data_dir: Path,
    tmp_path: Path,
    first: int,
) -> None:
    emulator, records = inlet([{"status": 503}]), orders(400)
    (tmp_path / "sitecustomize.py").write_text(
        "import time\n"
        f"right, right_ns, off = time.time, time.time_ns, {first}\n"
        "time.time = lambda: right() + off\n"
        "time.time_ns = lambda: right_ns() + off * 10**9\n"
    )
    off = ("env", f"PYTHONPATH={tmp_path}{os.pathsep}{os.pathsep.join(filter(None, sys.path))}")
    on_disk = {"buffer__type": "disk", "shutdown__grace": "1s"}
    send = send_arguments(emulator, data_dir, "-", **on_disk)
    agent = started(*send, before=off)
    agent.write(lines(records[:200]))
    eventually(lambda: emulator.stats()["requests"] > 3)
    agent.process.terminate()
    assert agent.finished().code == 0, "what is held is on disk"

    emulator.set_faults()
    done = started(*send).finished(lines(records[200:]))
    assert done.code == 0, done.stderr
    assert done.summary["accepted"] == 400
