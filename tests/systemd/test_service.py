"""The agent as an operator has it: installed by the script, run by a real systemd."""

import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from agent.emulator.options import CLIENT_ID, CLIENT_SECRET
from support.agent import eventually
from support.emulator import RunningEmulator
from support.records import lines, orders
from systemd.machine import AS_MOUNTED, Machine, needed, pip_variables

pytestmark = [pytest.mark.alone, pytest.mark.timeout(1200)]

INSTALL = f"{AS_MOUNTED}/deploy/systemd/install.sh"
SERVICE, SOCKET = "aep-agent.service", "aep-agent.socket"
RECORDS = {"type": "unix", "name": "records", "listen": "systemd:records"}
STORE = "var/lib/private/aep-agent"
QUICK = "RestartSec=100ms"  # who restarts a service for a test does not wait

SLOWEST = 300  # seconds a busy machine may take
_BETWEEN = 0.005  # seconds from one record to the next: the machine has other things to do, too


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A machine with the agent installed on it."""
    needed()
    with Machine(tmp_path_factory.mktemp("machine") / "root") as made:
        made.run(INSTALL, environ=pip_variables())
        yield made


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    """The inlet: it issues tokens, and asks for them."""
    with RunningEmulator(client_id=CLIENT_ID) as made:
        yield made


@pytest.fixture
def configured(machine: Machine, emulator: RunningEmulator) -> Iterator[Callable[..., None]]:
    """Writes the configuration and the secret; afterwards the machine is as before."""

    def write(*sources: dict[str, Any], name: str = "aep-agent", **settings: Any) -> None:
        credentials = {
            "token_url": emulator.token_url,
            "client_id": CLIENT_ID,
            "client_secret_file": "${CREDENTIALS_DIRECTORY}/client_secret",
        }
        inlet = {"url": emulator.inlet_url, "flow_id": emulator.flow_id, "credentials": credentials}
        whole = {
            "inlet": inlet,
            "sources": sources or [RECORDS],
            "batch": {"max_wait": "20ms"},
            "delivery": {"retry": {"initial": "10ms", "max": "100ms"}},
            "admin": {"listen": "127.0.0.1:0"},
            **settings,
        }
        (machine.files / f"etc/aep-agent/{name}.yaml").write_text(json.dumps(whole))
        secret = machine.files / "etc/aep-agent/credentials/client_secret"
        secret.write_text(f"{CLIENT_SECRET}\n")

    yield write
    machine.run("systemctl", "stop", SOCKET, "aep-agent*.service", check=False)
    machine.run("systemctl", "reset-failed", check=False)
    machine.run("sh", "-c", f"rm -rf /{STORE}* /var/lib/aep-agent* /etc/systemd/system/aep*.d")
    machine.run("systemctl", "daemon-reload")


def changed(machine: Machine, *settings: str) -> None:
    """Change the unit as `systemctl edit` does."""
    drop_in = machine.files / f"etc/systemd/system/{SERVICE}.d/override.conf"
    drop_in.parent.mkdir()
    drop_in.write_text("\n".join(["[Service]", *settings, ""]))
    machine.run("systemctl", "daemon-reload")


def connected(machine: Machine) -> socket.socket:
    """A program on the machine that has records."""
    peer = socket.socket(socket.AF_UNIX)
    peer.settimeout(SLOWEST)
    try:
        peer.connect(str(machine.files / "run/aep-agent.sock"))
    except OSError:
        peer.close()
        raise
    return peer


def sent(machine: Machine, records: list[bytes]) -> None:
    with connected(machine) as peer:
        peer.sendall(lines(records))


class Sender(threading.Thread):
    """A program that sends a record a connection, one after the other, until it is told to stop."""

    def __init__(self, machine: Machine) -> None:
        super().__init__()
        self.taken: list[bytes] = []  # the agent read these, and closed the connection in order
        self.refused: list[BaseException] = []
        self.done = threading.Event()
        self._machine = machine

    def run(self) -> None:
        for record in orders(100_000):
            if self.done.is_set():
                return
            try:
                with connected(self._machine) as peer:
                    peer.sendall(record)
                    peer.shutdown(socket.SHUT_WR)
                    assert peer.recv(1) == b""
                self.taken.append(record)
            except OSError as error:
                self.refused.append(error)
            time.sleep(_BETWEEN)

    def goes_on(self) -> None:
        """Wait until it has sent some more."""
        before = len(self.taken)
        eventually(lambda: len(self.taken) > before + 50, SLOWEST)


@pytest.fixture
def sender(machine: Machine) -> Iterator[Sender]:
    with ExitStack() as stack:
        made = Sender(machine)
        stack.callback(made.join)
        stack.callback(made.done.set)
        yield made


def test_the_units_are_in_order_and_confine_the_agent(machine: Machine) -> None:
    units = [SERVICE, SOCKET, "aep-agent@orders.service", "aep-agent@orders.socket"]
    told = machine.run("systemd-analyze", "verify", "--man=no", *units)

    assert told.stdout + told.stderr == ""


@pytest.mark.parametrize(
    ("asks", "answer"),
    [
        ("man --where aep-agent", "/share/aep-agent.1"),
        (
            "bash -c '. $0/bash-completion/completions/aep-agent; complete -p aep-agent'",
            "aep-agent",
        ),
        ("zsh -fc 'autoload -U compinit; compinit -uD; print $_comps[aep-agent]'", "_aep-agent"),
        ("fish -c 'complete --do-complete \"aep-agent pref\"'", "preflight"),
    ],
)
def test_its_manual_page_and_completions_are_where_shells_look_for_them(
    machine: Machine, asks: str, answer: str
) -> None:
    told = machine.run("sh", "-c", asks.replace("$0", "/usr/local/share"))
    assert answer in told.stdout


def test_it_is_ready_says_how_it_stands_and_keeps_its_secret(
    machine: Machine, emulator: RunningEmulator, configured: Callable[..., None]
) -> None:
    configured()
    machine.run("systemctl", "enable", "--now", SOCKET, SERVICE)
    assert machine.show(SERVICE, "ActiveState") == "active"
    records = orders(100)
    sent(machine, records)
    eventually(lambda: "0 held, 0 dead letters" in machine.show(SERVICE, "StatusText"))
    eventually(lambda: sorted(emulator.records()) == sorted(records))

    pid = machine.show(SERVICE, "MainPID")
    about = (machine.files / f"proc/{pid}/status").read_text()
    assert {"NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000"} <= {*about.splitlines()}
    store = (machine.files / STORE).stat()
    assert store.st_mode & 0o777 == 0o700
    assert store.st_uid > 60_000, "a user that exists as long as the service does"
    assert f"Uid:\t{store.st_uid}" in about

    stranger = ["systemd-run", "--wait", "--pipe", "--quiet", "--property=DynamicUser=yes"]
    for secret in ("/run/credentials/aep-agent.service", "/etc/aep-agent/credentials"):
        seen = machine.run(*stranger, "cat", f"{secret}/client_secret", check=False)
        assert seen.returncode == 1
        assert "Permission denied" in seen.stderr
    assert CLIENT_SECRET not in machine.journal()

    said = machine.journal("--unit", SERVICE, "--priority=info..info", "--identifier=aep-agent")
    assert "a source listens" in [json.loads(line)["event"] for line in said.splitlines()]
    assert machine.journal("--unit", SERVICE, "--priority=warning") == ""


def test_who_connects_while_it_is_down_starts_it_and_is_heard(
    machine: Machine, emulator: RunningEmulator, configured: Callable[..., None]
) -> None:
    configured()
    machine.run("systemctl", "start", SOCKET)
    assert machine.show(SERVICE, "ActiveState") == "inactive"
    sent(machine, orders(100))

    eventually(lambda: sorted(emulator.records()) == sorted(orders(100)))
    assert machine.show(SERVICE, "ActiveState") == "active"


def test_a_reload_takes_up_what_was_changed_unless_it_is_wrong_and_status_says_which(
    machine: Machine, emulator: RunningEmulator, configured: Callable[..., None]
) -> None:
    configured()
    machine.run("systemctl", "start", SOCKET, SERVICE)
    first = machine.show(SERVICE, "MainPID")
    with connected(machine) as before:
        before.sendall(lines(orders(10)))
        eventually(lambda: len(emulator.records()) == 10)
        configured({**RECORDS, "filters": [{"drop": "order > 100"}]})
        machine.run("systemctl", "reload", SERVICE)
        eventually(lambda: "was read again" in machine.journal("--unit", SERVICE, "--lines=3"))
    sent(machine, orders(200, first=11))
    eventually(lambda: sorted(emulator.records()) == sorted(orders(100)))

    configured({**RECORDS, "filters": [{"drop": "order >"}]})
    machine.run("systemctl", "reload", SERVICE)
    wrong = "the configuration is wrong, going on with the old one"
    eventually(lambda: machine.show(SERVICE, "StatusText").startswith(wrong))
    assert wrong in machine.journal("--unit", SERVICE, "--priority=err", "--lines=5")
    assert machine.show(SERVICE, "ActiveState") == "active"
    assert machine.show(SERVICE, "MainPID") == first
    configured()
    machine.run("systemctl", "reload", SERVICE)
    eventually(lambda: "wrong" not in machine.show(SERVICE, "StatusText"))


def test_restarts_under_load_refuse_no_connection_and_a_stop_loses_nothing(
    machine: Machine, emulator: RunningEmulator, configured: Callable[..., None], sender: Sender
) -> None:
    configured(shutdown={"grace": "4s"})
    changed(machine, "TimeoutStopSec=1s")
    machine.run("systemctl", "start", SOCKET, SERVICE)
    sender.start()
    for _ in range(2):
        sender.goes_on()
        machine.run("systemctl", "restart", SERVICE)
    sender.goes_on()
    assert sender.refused == []

    emulator.set_faults({"hang": True})
    sender.goes_on()
    began = time.monotonic()
    machine.run("systemctl", "stop", SOCKET, SERVICE)
    took = time.monotonic() - began
    sender.done.set()
    sender.join()
    assert took > 3, "it asked for more time than the unit has, since it was alive"
    assert machine.show(SERVICE, "Result") == "success"
    assert len(emulator.records()) < len(sender.taken), "something was left over"

    emulator.set_faults()
    machine.run("systemctl", "start", SOCKET, SERVICE)
    eventually(lambda: set(sender.taken) <= set(emulator.records()))
    machine.run("systemctl", "stop", SOCKET, SERVICE)
    assert len(emulator.records()) == len(set(emulator.records()))
    machine.run("aep-agent", "audit", "--data-dir", f"/{STORE}")


def test_an_agent_that_hangs_is_started_anew_and_the_journal_shows_where_it_stood(
    machine: Machine, emulator: RunningEmulator, configured: Callable[..., None]
) -> None:
    configured()
    changed(machine, "WatchdogSec=2s", QUICK)
    machine.run("systemctl", "start", SOCKET, SERVICE)
    time.sleep(2.5)
    assert machine.show(SERVICE, "NRestarts") == "0", "an agent that is well is left alone"
    hanging = machine.show(SERVICE, "MainPID")
    machine.run("kill", "-STOP", hanging)
    sent(machine, orders(100))

    eventually(lambda: machine.show(SERVICE, "NRestarts") != "0")
    # a busy machine may have it stopped once more, and then what was in flight comes twice
    eventually(lambda: {*emulator.records()} == {*orders(100)})
    assert machine.show(SERVICE, "MainPID") != hanging
    assert "most recent call first" in machine.journal("--unit", SERVICE)


def test_a_wrong_configuration_is_told_once_and_not_tried_again(
    machine: Machine, configured: Callable[..., None]
) -> None:
    configured(inlet={"url": "nonsense"})
    changed(machine, QUICK)
    started = machine.run("systemctl", "start", SERVICE, check=False)
    assert started.returncode != 0
    time.sleep(0.5)

    assert machine.show(SERVICE, "ActiveState") == "failed"
    assert machine.show(SERVICE, "ExecMainStatus") == "78"
    assert machine.show(SERVICE, "NRestarts") == "0"
    told = machine.journal("--unit", SERVICE, "--priority=err")
    assert "aep-agent: the configuration is wrong" in told
    assert "/etc/aep-agent/aep-agent.yaml:1: inlet.url" in told


def test_a_client_that_waits_does_not_have_a_wrong_configuration_tried_for_ever(
    machine: Machine, configured: Callable[..., None]
) -> None:
    configured(inlet={"url": "nonsense"})
    machine.run("systemctl", "start", SOCKET)
    with connected(machine):
        eventually(lambda: machine.show(SOCKET, "ActiveState") == "failed", SLOWEST)
    # five starts in 20 s, or, where the machine is too slow for that, ten
    assert machine.show(SOCKET, "Result") in ("service-start-limit-hit", "trigger-limit-hit")


@pytest.mark.parametrize(
    ("mode", "switched_on"), [(0o640, ""), (0o600, "CAP_DAC_READ_SEARCH|PrivateUsers")]
)
def test_one_of_several_instances_follows_a_file_of_others_by_the_drop_in(
    mode: int,
    switched_on: str,
    machine: Machine,
    emulator: RunningEmulator,
    configured: Callable[..., None],
) -> None:
    log = machine.files / "var/log/shop.json"
    log.write_bytes(lines(orders(100)))
    log.chmod(mode)
    os.chown(log, 0, 4)  # root:adm
    configured({"type": "file", "paths": ["/var/log/shop.json"]}, name="orders")
    drop_in = f"{AS_MOUNTED}/deploy/systemd/read-logs.conf"
    drop_ins = "/etc/systemd/system/aep-agent@.service.d"
    machine.run("install", "-D", "-m", "644", "-t", drop_ins, drop_in)
    if switched_on:
        uncomment = f"s/^#(.*({switched_on}))/\\1/"
        machine.run("sed", "-E", "-i", uncomment, f"{drop_ins}/read-logs.conf")
    machine.run("systemctl", "daemon-reload")
    machine.run("systemctl", "start", "aep-agent@orders")

    eventually(lambda: sorted(emulator.records()) == sorted(orders(100)))
    assert (machine.files / f"{STORE}-orders").is_dir()


def test_another_version_takes_over_without_loss_and_what_is_uninstalled_is_gone(
    machine: Machine, emulator: RunningEmulator, configured: Callable[..., None], sender: Sender
) -> None:
    configured()
    machine.run("systemctl", "start", SOCKET, SERVICE)
    sender.start()
    (before,) = (machine.files / "opt/aep-agent/releases").iterdir()
    failed = machine.run(INSTALL, "--from", "/nowhere/aep_agent.whl", check=False)
    assert failed.returncode != 0
    assert [*(machine.files / "opt/aep-agent/releases").iterdir()] == [before]
    machine.run(INSTALL, environ={**pip_variables(), "PIP_NO_COMPILE": "1"})
    sender.goes_on()
    (after,) = (machine.files / "opt/aep-agent/releases").iterdir()
    assert after != before
    page = machine.run("readlink", "-f", "/usr/local/share/man/man1/aep-agent.1").stdout
    assert page.startswith(f"/opt/aep-agent/releases/{after.name}/")
    sender.done.set()
    sender.join()
    assert sender.refused == []
    eventually(lambda: sorted(emulator.records()) == sorted(sender.taken))

    machine.run(INSTALL, "--uninstall")
    assert not (machine.files / "etc/fish/completions/aep-agent.fish").is_symlink()
    left = machine.run("systemctl", "list-unit-files", "aep-agent*", check=False)
    assert "0 unit files listed" in left.stdout
    assert not (machine.files / "opt/aep-agent").exists()
    assert [*(machine.files / "usr/local").rglob("*aep-agent*")] == []
    assert json.loads((machine.files / "etc/aep-agent/aep-agent.yaml").read_text())
    assert [*(machine.files / STORE).iterdir()]
    machine.run(INSTALL, "--uninstall", "--purge")
    assert not (machine.files / "etc/aep-agent").exists()
    assert not (machine.files / STORE).exists()
