"""The life of a Pod, by processes: the agent starts first, the application has the last word.

With the configuration and the shop of deploy/kubernetes, which uses files, a socket and HTTP.
"""

import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from containers.manifests import KUBERNETES
from containers.shop import all_arrived, selling, sold
from support.accounts import kept_in
from support.agent import eventually
from support.emulator import RunningEmulator
from support.listening import Listening, listening
from support.watching import get

pytestmark = pytest.mark.alone  # what is read until it is quiet has to be read in time

CONFIGURATION = KUBERNETES / "components" / "sidecar" / "aep-agent.yaml"


@dataclass(frozen=True)
class Pod:
    """A Pod's volumes, and the agent that runs in it."""

    root: Path
    emulator: RunningEmulator
    agent: Listening

    @property
    def socket(self) -> str:
        return next(each for each in self.agent.addresses if each.startswith("/"))

    @property
    def push(self) -> str:
        return next(each for each in self.agent.addresses if not each.startswith("/"))


@pytest.fixture
def pod(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pod]:
    """What there is before the application starts."""
    root = Path(tempfile.mkdtemp(prefix="aep"))  # short, as the names of sockets have to be
    text = CONFIGURATION.read_text()
    for folder in ("/var/log/app", "/run/aep-agent"):
        (root / folder[1:]).mkdir(parents=True)
        text = text.replace(folder, str(root / folder[1:]))
    (root / "aep-agent.yaml").write_text(text)
    (root / "admin_token").write_text("p8e-0123456789abcdef\n")
    with RunningEmulator() as emulator:
        variables = {
            "AEP_INLET_URL": emulator.inlet_url,
            "AEP_FLOW_ID": emulator.flow_id,
            "AEP_PUSH_LISTEN": "127.0.0.1:0",
            "AEP_AGENT_ADMIN__LISTEN": "127.0.0.1:0",
            "AEP_AGENT_ADMIN__TOKEN_FILE": str(root / "admin_token"),
            "AEP_AGENT_DATA_DIR": str(root / "data"),
        }
        for name, text in variables.items():
            monkeypatch.setenv(name, text)
        with listening(["run", root / "aep-agent.yaml"], sources=2) as agent:
            yield Pod(root, emulator, agent)
    shutil.rmtree(root)


def test_told_after_its_application_the_agent_reads_what_that_left_behind(pod: Pod) -> None:
    """As Kubernetes ends a Pod with a native sidecar."""
    code, orders = _sold_until(pod, told=lambda: None)
    pod.agent.agent.signal(signal.SIGTERM)
    done = pod.agent.finished()

    assert (code, done.code) == (0, 0)
    all_arrived(orders, pod.emulator)
    assert kept_in(pod.root / "data").dead_letters == []


def test_told_with_its_application_the_agent_takes_what_that_says_until_its_end(pod: Pod) -> None:
    """As Kubernetes ends the containers of a Pod that are no sidecars."""
    code, orders = _sold_until(pod, told=lambda: pod.agent.agent.signal(signal.SIGTERM))
    done = pod.agent.finished()

    assert (code, done.code) == (0, 0)
    all_arrived(orders, pod.emulator)
    assert kept_in(pod.root / "data").dead_letters == []


def test_a_pod_whose_platform_is_away_ends_in_time_and_says_what_it_takes_with_it(
    pod: Pod,
) -> None:
    pod.emulator.set_faults({"status": 503})
    code, orders = _sold_until(pod, told=lambda: None)
    pod.agent.agent.signal(signal.SIGTERM)
    done = pod.agent.finished()

    assert (code, done.code) == (0, 0)
    (last,) = pod.agent.said("stopped")
    assert (last["accepted"], last["held_on_disk"]) == (0, orders)


def test_the_kubelet_finds_it_alive_while_it_ends(pod: Pod) -> None:
    admin = str(pod.agent.said("admin listens")[0]["address"])
    assert (get(admin, "/livez")[0], get(admin, "/readyz")[0]) == (200, 200)
    pod.agent.agent.signal(signal.SIGTERM)
    eventually(lambda: get(admin, "/readyz")[0] == 503)
    assert get(admin, "/livez")[0] == 200
    assert pod.agent.finished().code == 0


def _sold_until(pod: Pod, told: Callable[[], None]) -> tuple[int, int]:
    """The shop opens, sells, is told to end, and does; its exit code, and what it sold.

    *told* tells others at that moment.
    """
    orders = pod.root / "var/log/app/orders.json"
    with selling(orders, pod.socket, pod.push, last_words=2.0) as shop:
        eventually(lambda: orders.exists() and orders.stat().st_size > 3000)
        shop.send_signal(signal.SIGTERM)
        told()
        printed, complaints = shop.communicate(timeout=60)
    assert shop.returncode == 0, complaints.decode()
    return shop.returncode, sold(printed.decode())
