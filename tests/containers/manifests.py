"""What `kubectl apply -k` would send to a cluster, rendered and taken apart."""

import base64
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
KUBECTL = Path(sys.executable).with_name("kubectl")  # a development dependency, as hadolint is
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (KUBERNETES / "overlays").iterdir())

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """The manifests of one overlay."""

    manifests: list[Manifest]

    def of(self, kind: str) -> list[Manifest]:
        """Those of a kind."""
        return [each for each in self.manifests if each["kind"] == kind]

    def workload(self) -> Manifest:
        """What has the agent's Pods."""
        kinds = ("DaemonSet", "Deployment")
        (found,) = (each for each in self.manifests if each["kind"] in kinds)
        return found

    def pod(self) -> Manifest:
        """The spec of the agent's Pods."""
        return dict(self.workload()["spec"]["template"]["spec"])

    def labels(self) -> Mapping[str, str]:
        """The labels of the agent's Pods."""
        return dict(self.workload()["spec"]["template"]["metadata"]["labels"])

    def containers(self) -> Iterator[Manifest]:
        """All containers of these Pods, sidecars first, as they are started."""
        yield from self.pod().get("initContainers", [])
        yield from self.pod()["containers"]

    def agent(self) -> Manifest:
        """The agent's container."""
        (found,) = (each for each in self.containers() if each["name"] == "aep-agent")
        return found

    def agent_file(self) -> str:
        """The agent's configuration file, as it would be mounted."""
        names = [each["configMap"]["name"] for each in self.pod()["volumes"] if "configMap" in each]
        (text,) = (
            each["data"]["aep-agent.yaml"]
            for each in self.of("ConfigMap")
            if each["metadata"]["name"] in names and "aep-agent.yaml" in each["data"]
        )
        return str(text)

    def agent_environment(self) -> dict[str, str]:
        """What the agent's container has in its environment."""
        names = [each["secretRef"]["name"] for each in self.agent()["envFrom"]]
        return {
            key: base64.b64decode(text).decode()
            for each in self.of("Secret")
            if each["metadata"]["name"] in names
            for key, text in each["data"].items()
        }


def rendered(overlay: str, tree: Path = KUBERNETES) -> Rendered:
    """An overlay as users get it."""
    return Rendered(list(yaml.safe_load_all(_rendered(tree / "overlays" / overlay))))


@cache
def _rendered(folder: Path) -> str:
    done = subprocess.run(
        [KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout
