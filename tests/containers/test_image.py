"""The image and the Pod for real: built, run without rights, and ended as Kubernetes ends them."""

import base64
import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from containers.manifests import Rendered, rendered
from containers.podman import BASE, IMAGE, Podman, skip_unless_possible
from containers.shop import all_arrived, sold
from support.agent import eventually
from support.emulator import RunningEmulator
from support.watching import get

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

AGENT, SHOP = "shop-aep-agent", "shop-shop"
GROUP = 65532
CONFINED = ("--rm", "--read-only", "--cap-drop=all", "--network=none")
COMPILERS = ("gcc", "cc", "g++", "c++", "clang", "make", "ld", "as", "rustc", "cargo", "go", "pip")


@pytest.fixture(scope="module")
def podman() -> Iterator[Podman]:
    """Podman, with the image built."""
    skip_unless_possible()
    podman = Podman()
    try:
        podman.build()
        yield podman
    finally:
        podman.close()


def test_the_image_is_small_and_says_how_it_is_run(podman: Podman) -> None:
    image, base = podman.inspect("image", IMAGE), podman.inspect("image", BASE)
    config = image["Config"]

    assert image["Size"] - base["Size"] < 90e6
    assert config["User"] == "65532:65532"
    assert config["StopSignal"] == "SIGTERM"
    assert config["Entrypoint"] == ["/opt/aep-agent/bin/aep-agent"]
    assert image["Healthcheck"]["Test"] == ["CMD", "/opt/aep-agent/bin/aep-agent", "health"]


def test_there_is_nothing_to_compile_with_and_nothing_of_ours_that_can_be_changed(
    podman: Podman,
) -> None:
    root = Path(podman("image", "mount", IMAGE).strip())
    programs = [each for folder in ("bin", "sbin") for each in root.glob(f"**/{folder}/*")]
    assert [each for each in programs if each.name in COMPILERS] == []
    ours = list((root / "opt").rglob("*"))
    assert len(ours) > 1000
    assert [
        each
        for each in ours
        if not each.is_symlink() and (each.stat().st_mode & 0o022 or each.stat().st_uid)
    ] == []
    assert (root / "var/lib/aep-agent").stat().st_uid == 65532
    assert not (root / "src").exists()


def test_confined_to_nothing_but_its_volume_it_does_its_whole_journey(podman: Podman) -> None:
    told = podman("run", *CONFINED, IMAGE, "demo", "--data-dir", "/var/lib/aep-agent/demo")
    assert "20,000" in told
    assert "rejected" in told


@pytest.fixture
def emulator() -> Iterator[RunningEmulator]:
    with RunningEmulator() as emulator:
        yield emulator


def test_a_pod_that_is_ended_loses_nothing_though_its_application_speaks_to_the_end(
    podman: Podman, emulator: RunningEmulator, tmp_path: Path
) -> None:
    ports = _free_ports(2)
    admin, push = (f"127.0.0.1:{port}" for port in ports)
    _put_up(podman, emulator, tmp_path, admin, push)

    podman("start", AGENT)
    eventually(lambda: _lives(admin), within=60)
    podman("start", SHOP)
    eventually(lambda: len(emulator.records()) > 300, within=60)
    assert podman("exec", AGENT, "/opt/aep-agent/bin/aep-agent", "health") == "alive\n"
    _has_no_rights(podman)

    podman("kill", "--signal=TERM", SHOP, AGENT)  # as Kubernetes without native sidecars does
    codes = podman("wait", SHOP, AGENT).split()
    said = podman("logs", AGENT)
    assert codes == ["0", "0"], said
    all_arrived(sold(podman("logs", SHOP)), emulator)


def _put_up(podman: Podman, emulator: RunningEmulator, folder: Path, admin: str, push: str) -> None:
    """The overlay `sidecar`, as far as podman knows Kubernetes.

    It has no sidecars: they are containers that the test starts first. It has no fsGroup: volumes
    are made beforehand with that group. Secrets it takes in a form of its own.
    """
    overlay = rendered("sidecar")
    shared = {"AEP_PUSH_LISTEN": push, "AEP_AGENT_ADMIN__LISTEN": admin, "SHOP_PUSH": push}
    pod = _as_podman_takes_it(overlay, shared)
    for name in ("aep-data", "aep-logs", "aep-socket"):
        podman("volume", "create", name)
        mounted = Path(podman.inspect("volume", name)["Mountpoint"])
        shutil.chown(mounted, group=GROUP)
        mounted.chmod(0o2777)
    (secret,) = overlay.of("Secret")
    inlet = {"AEP_INLET_URL": emulator.inlet_url, "AEP_FLOW_ID": emulator.flow_id}
    (folder / "secret").write_text(_as_secret(inlet))
    podman("secret", "create", secret["metadata"]["name"], folder / "secret")
    (folder / "pod.yaml").write_text(yaml.safe_dump_all([*overlay.of("ConfigMap"), pod]))
    podman("play", "kube", "--start=false", folder / "pod.yaml")


def _as_podman_takes_it(overlay: Rendered, variables: dict[str, str]) -> dict[str, Any]:
    """A Pod on the machine's own network, where the emulator is; its ports cannot be declared."""
    spec = overlay.pod() | {"hostNetwork": True, "restartPolicy": "Never"}
    agent, shop = overlay.containers()
    agent |= {"image": IMAGE}
    shop["securityContext"] |= {"runAsGroup": GROUP}
    for container in (agent, shop):
        container["env"] = [{"name": name, "value": text} for name, text in variables.items()]
        for key in ("ports", "restartPolicy", "startupProbe", "livenessProbe"):
            container.pop(key, None)
    optional = [each["name"] for each in spec["volumes"] if each.get("secret", {}).get("optional")]
    agent["volumeMounts"] = [each for each in agent["volumeMounts"] if each["name"] not in optional]
    spec["volumes"] = [each for each in spec["volumes"] if each["name"] not in optional]
    del spec["initContainers"]
    spec["containers"] = [agent, shop]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "shop"}, "spec": spec}


def _as_secret(texts: dict[str, str]) -> str:
    return json.dumps(
        {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    )


def _has_no_rights(podman: Podman) -> None:
    container = podman.inspect("container", AGENT)
    pid = container["State"]["Pid"]
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    status = {name: text.split() for name, _, text in (line.partition(":") for line in lines)}
    assert container["HostConfig"]["ReadonlyRootfs"] is True
    assert status["Uid"] == ["65532"] * 4
    assert status["CapEff"] == status["CapBnd"] == ["0" * 16]
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])


def _lives(admin: str) -> bool:
    with suppress(OSError):
        return get(admin, "/livez")[0] == 200
    return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
