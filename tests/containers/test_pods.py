"""Pods for real: run without rights, ended as Kubernetes ends them, and put up again."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from containers.manifests import rendered
from containers.podman import Podman
from containers.pods import TOKEN, PodOfPodman, answers, free_addresses
from containers.shop import all_arrived, sold
from support.agent import eventually
from support.emulator import RunningEmulator
from support.watching import get

pytestmark = [pytest.mark.alone, pytest.mark.timeout(1200)]

AGENT, SHOP = "pod-aep-agent", "pod-shop"
SLOWEST = 180  # seconds a busy machine may take to start something in


def test_a_pod_that_is_ended_loses_nothing_though_its_application_speaks_to_the_end(
    podman: Podman, emulator: RunningEmulator, tmp_path: Path
) -> None:
    admin, push = free_addresses(2)
    there = {"AEP_PUSH_LISTEN": push, "AEP_AGENT_ADMIN__LISTEN": admin, "SHOP_PUSH": push}
    pod = PodOfPodman(podman, rendered("sidecar"), emulator, tmp_path, **there)
    pod.put_up(start=False)
    podman("start", AGENT)
    eventually(lambda: answers(admin, "/livez"), SLOWEST)
    podman("start", SHOP)
    eventually(lambda: len(emulator.records()) > 300, SLOWEST)
    assert podman("exec", AGENT, "/opt/aep-agent/bin/aep-agent", "health") == "alive\n"
    assert get(admin, "/metrics")[0] == 401
    _has_no_rights(podman)

    podman("kill", "--signal=TERM", SHOP, AGENT)  # as Kubernetes without native sidecars does
    codes = podman("wait", SHOP, AGENT).split()
    said = podman("logs", AGENT)
    assert codes == ["0", "0"], said
    all_arrived(sold(podman("logs", SHOP)), emulator)


def test_what_a_pod_answered_for_is_sent_by_the_next_one_on_its_claim_however_it_ended(
    podman: Podman, emulator: RunningEmulator, tmp_path: Path
) -> None:
    admin, push = free_addresses(2)
    there = {"AEP_PUSH_LISTEN": push, "AEP_AGENT_ADMIN__LISTEN": admin}
    pod = PodOfPodman(podman, rendered("deployment"), emulator, tmp_path, **there)
    pod.put_up()
    with _pushing(push) as pusher:
        pusher.goes_on()
        _has_no_rights(podman)
        podman("kill", "--signal=TERM", AGENT)  # as another version takes its place
        assert podman("wait", AGENT).split() == ["0"], podman("logs", AGENT)
        pod.take_down()

        emulator.set_faults({"status": 503})
        pod.put_up()
        pusher.goes_on()
        podman("kill", "--signal=KILL", AGENT)  # as its node goes
        pod.take_down()
        kept_back = len(pusher.taken) - len(emulator.records())
        assert kept_back >= pusher.SOME

        emulator.set_faults()
        pod.put_up()
        pusher.goes_on()
    eventually(lambda: {*pusher.taken} <= {*_orders(emulator)}, SLOWEST)
    arrived = Counter(_orders(emulator))
    assert [order for order, times in arrived.items() if times > 1] == []
    assert {*arrived} - {*pusher.taken} <= {*pusher.without_an_answer}
    assert len(pusher.without_an_answer) <= 2


class _Pusher(threading.Thread):
    """Somebody who pushes one order after the other, each until somebody answered for it.

    Where the answer did not come, it may be there or not, and is not pushed again.
    """

    SOME = 300

    def __init__(self, push: str) -> None:
        super().__init__()
        self.taken: list[int] = []
        self.without_an_answer: list[int] = []
        self.done = threading.Event()
        self._push = push

    def run(self) -> None:
        order = 0
        while not self.done.wait(0.002):
            client = http.client.HTTPConnection(self._push, timeout=60)
            try:
                client.connect()
            except OSError:
                continue  # nobody is there
            try:
                authorization = {"Authorization": f"Bearer {TOKEN}"}
                client.request("POST", "/", json.dumps({"order": order}), authorization)
                if client.getresponse().status != http.HTTPStatus.OK:
                    continue
                self.taken.append(order)
            except (OSError, http.client.HTTPException):
                self.without_an_answer.append(order)
            finally:
                client.close()
            order += 1

    def goes_on(self) -> None:
        """Wait until it was answered some more times."""
        wanted = len(self.taken) + self.SOME
        eventually(lambda: len(self.taken) >= wanted, SLOWEST)


@contextmanager
def _pushing(push: str) -> Iterator[_Pusher]:
    pusher = _Pusher(push)
    pusher.start()
    try:
        yield pusher
    finally:
        pusher.done.set()
        pusher.join()


def _orders(emulator: RunningEmulator) -> list[int]:
    return [json.loads(record)["order"] for record in emulator.records()]


def _has_no_rights(podman: Podman) -> None:
    container = podman.inspect("container", AGENT)
    pid = container["State"]["Pid"]
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: text.split() for name, _, text in (line.partition(":") for line in lines)}
    assert container["HostConfig"]["ReadonlyRootfs"] is True
    assert status["Uid"] == ["65532"] * 4
    assert status["CapEff"] == status["CapBnd"] == ["0" * 16]
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])
