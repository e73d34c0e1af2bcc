"""What containers print is read on by the node's next agent, from where the last one had got to.

By processes, with the configuration of the DaemonSet.
"""

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from containers.manifests import KUBERNETES
from containers.shop import all_arrived
from support.accounts import kept_in
from support.agent import eventually
from support.emulator import RunningEmulator
from support.listening import listening

CONFIGURATION = KUBERNETES / "overlays" / "daemonset" / "aep-agent.yaml"
PART = 40  # the length at which the runtime breaks lines here


def test_an_agent_that_is_replaced_again_and_again_leaves_nothing_out_and_sends_nothing_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CONFIGURATION.read_text().replace("/var/log", str(tmp_path / "log"))
    (tmp_path / "aep-agent.yaml").write_text(text)
    with RunningEmulator() as emulator:
        (tmp_path / "admin_token").write_text("p8e-0123456789abcdef\n")
        for name, value in {
            "AEP_INLET_URL": emulator.inlet_url,
            "AEP_FLOW_ID": emulator.flow_id,
            "AEP_DATA_DIR": str(tmp_path / "data"),
            "AEP_AGENT_ADMIN__LISTEN": "127.0.0.1:0",
            "AEP_AGENT_ADMIN__TOKEN_FILE": str(tmp_path / "admin_token"),
        }.items():
            monkeypatch.setenv(name, value)
        with _container(tmp_path / "log") as printed:
            for many in (200, 400, 600):
                with listening(["run", tmp_path / "aep-agent.yaml"], sources=0) as agent:
                    eventually(lambda many=many: len(emulator.records()) >= many)
                    agent.agent.signal(signal.SIGTERM)
                    assert agent.finished().code == 0
        with listening(["run", tmp_path / "aep-agent.yaml"], sources=0) as agent:
            eventually(lambda: len(emulator.records()) >= len(printed))
            agent.agent.signal(signal.SIGTERM)
            assert agent.finished().code == 0
        all_arrived(len(printed), emulator)
    assert kept_in(tmp_path / "data").dead_letters == []


@contextmanager
def _container(logs: Path) -> Iterator[list[int]]:
    """A container that prints orders, and other things, as the runtime writes it down.

    Its log file is in the folder of its Pod, and a link to it in the one for all.
    """
    of_pod = logs / "pods" / "shop_shop-0_uid" / "shop" / "0.log"
    of_pod.parent.mkdir(parents=True)
    (logs / "containers").mkdir()
    (logs / "containers" / "shop-0_shop_shop-0123.log").symlink_to(of_pod)
    printed: list[int] = []
    ends = threading.Event()

    def print_orders() -> None:
        with of_pod.open("a") as file:
            while not ends.wait(0.002):
                order = json.dumps({"order": len(printed), "level": "info", "note": "x" * 50})
                file.write(_lines(order) + _lines("hello") + _lines("trouble", "stderr"))
                file.flush()
                printed.append(len(printed))

    printing = threading.Thread(target=print_orders)
    printing.start()
    try:
        yield printed
    finally:
        ends.set()
        printing.join()


def _lines(text: str, stream: str = "stdout") -> str:
    parts = [text[at : at + PART] for at in range(0, len(text), PART)]
    tags = ["P"] * (len(parts) - 1) + ["F"]
    pairs = zip(tags, parts, strict=True)
    return "".join(f"2026-01-31T00:00:00.1Z {stream} {tag} {part}\n" for tag, part in pairs)
