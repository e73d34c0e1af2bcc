"""Overlays as Pods of podman, as far as that knows Kubernetes.

It has no sidecars: they are containers that the test starts first. It has no fsGroup: volumes are
made beforehand with that group. Secrets it takes in forms of its own. On the machine's own network,
where the emulator is, ports cannot be declared; and nothing probes.
"""

import base64
import json
import shutil
import socket
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from containers.manifests import Manifest, Rendered
from containers.podman import IMAGE, Podman
from support.emulator import Remote
from support.watching import get

TOKEN = "cDhlLTAxMjM0NTY3ODlhYmNkZWY="  # podman hands on as it stands what is in a Secret
_GROUP = 65532
_CREDENTIALS = "aep-agent-credentials"
_UNKNOWN = ("ports", "restartPolicy", "startupProbe", "livenessProbe", "readinessProbe")


class PodOfPodman:
    """The Pod of one overlay: made with volumes and Secrets, put up and taken down."""

    def __init__(
        self, podman: Podman, overlay: Rendered, emulator: Remote, folder: Path, **variables: str
    ) -> None:
        """*variables* are what all of its containers have in their environment besides.

        *folder* is for files that podman reads.
        """
        self._podman = podman
        self._file = folder / "pod.yaml"
        spec = _as_podman_takes_it(overlay, variables)
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": spec}
        self._file.write_text(yaml.safe_dump_all([*overlay.of("ConfigMap"), pod]))
        self._kept = [_name_of_volume(each) for each in overlay.pod()["volumes"]]
        for name in filter(None, self._kept):
            podman("volume", "create", name)
            mounted = Path(podman.inspect("volume", name)["Mountpoint"])
            shutil.chown(mounted, group=_GROUP)
            mounted.chmod(0o2777)
        (inlet,) = overlay.of("Secret")
        there = {"AEP_INLET_URL": emulator.inlet_url, "AEP_FLOW_ID": emulator.flow_id}
        encoded = {key: base64.b64encode(text.encode()).decode() for key, text in there.items()}
        self._secret(folder, inlet["metadata"]["name"], encoded)  # as it takes variables
        tokens = {"admin_token": TOKEN, "push_token": TOKEN}
        self._secret(folder, _CREDENTIALS, {"data": tokens})  # as it takes files

    def put_up(self, *, start: bool = True) -> None:
        """A new Pod, on the volumes there are."""
        self._podman("play", "kube", f"--start={start}".lower(), self._file)

    def take_down(self) -> None:
        """Nothing of it stays but its volumes."""
        self._podman("pod", "rm", "--force", "--time=0", "pod")
        for name in self._podman("volume", "ls", "--quiet").split():
            if name not in self._kept:
                self._podman("volume", "rm", name)

    def _secret(self, folder: Path, name: str, content: Mapping[str, Any]) -> None:
        (folder / name).write_text(json.dumps(content))
        self._podman("secret", "create", name, folder / name)


def answers(admin: str, path: str) -> bool:
    """Whether that is answered by 200 now."""
    with suppress(OSError):
        return get(admin, path)[0] == 200
    return False


def free_addresses(count: int) -> list[str]:
    """On this machine, of nobody."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return [f"127.0.0.1:{port}" for port in ports]


def _as_podman_takes_it(overlay: Rendered, variables: Mapping[str, str]) -> Manifest:
    spec = overlay.pod() | {"hostNetwork": True, "restartPolicy": "Never"}
    containers = list(overlay.containers())
    for container in containers:
        if container["name"] == "aep-agent":
            container["image"] = IMAGE
        container["securityContext"] |= {"runAsGroup": _GROUP}
        container["env"] = [{"name": name, "value": text} for name, text in variables.items()]
        for key in _UNKNOWN:
            container.pop(key, None)
    for volume in spec["volumes"]:
        if "secret" in volume:
            volume["secret"]["optional"] = False
    spec.pop("initContainers", None)
    return spec | {"containers": containers}


def _name_of_volume(volume: Manifest) -> str | None:
    """Under which podman keeps it; None where it makes it of something else."""
    if "persistentVolumeClaim" in volume:
        return str(volume["persistentVolumeClaim"]["claimName"])
    return str(volume["name"]) if "emptyDir" in volume else None
