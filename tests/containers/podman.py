"""Podman on a machine without an engine, a registry and control groups of its own."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from containers import base_image
from containers.manifests import ROOT

BASE = "docker.io/library/python:3.11-slim-bookworm"  # what the Dockerfile names
IMAGE = "localhost/aep-agent:test"
_PROGRAMS = ("podman", "runc", "catatonit", "dpkg-query")


def skip_unless_possible() -> None:
    """Containers need root here, and programs that `.ci/run` installs."""
    missing = [name for name in _PROGRAMS if not shutil.which(name, path=_path())]
    if os.geteuid() != 0 or missing:
        pytest.skip(f"images are built as root, and with {', '.join(_PROGRAMS)}: no {missing}")


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/usr/libexec/podman"


class Podman:
    """Podman with a store of its own, which `close` removes."""

    def __init__(self) -> None:
        memory = Path("/dev/shm")  # each layer is a copy of all of it: a disk takes its time
        self._root = root = Path(
            tempfile.mkdtemp(prefix="aep-podman-", dir=memory if memory.is_dir() else None)
        )
        # limits above those of this machine's users would be refused
        (root / "containers.conf").write_text(
            '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n'
        )

    def __call__(self, *words: str | Path, ok: bool = True) -> str:
        """What a command prints. With *ok*, it must not fail."""
        done = subprocess.run(
            [
                "podman",
                f"--root={self._root / 'storage'}",
                f"--runroot={self._root / 'run'}",
                "--storage-driver=vfs",
                "--cgroup-manager=cgroupfs",
                "--runtime=runc",
                *map(str, words),
            ],
            env={**os.environ, "CONTAINERS_CONF": str(self._root / "containers.conf")},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0 or not ok, done.stderr
        return done.stdout

    def build(self) -> None:
        """The image, of this checkout; packages come from where they come from here."""
        archive, wheels = self._root / "base.tar", self._root / "wheels"
        base_image.pack(archive)
        self("import", "--change", "ENV PATH=/usr/local/bin:/usr/bin:/bin", archive, BASE)
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", wheels]
        locked = ROOT / ".ci" / "requirements.txt"
        subprocess.run([*pip, "-r", locked, "hatchling"], check=True, timeout=1200)
        settings = self._root / "pip.conf"
        settings.write_text("[global]\nno-index = true\nfind-links = /wheels\n")
        self(
            "build",
            "--format=docker",  # the other one has no health checks
            "--isolation=chroot",
            "--layers=false",
            "--pull=never",
            f"--volume={wheels}:/wheels:ro",
            f"--volume={settings}:/etc/pip.conf:ro",
            f"--file={ROOT / 'deploy' / 'docker' / 'Dockerfile'}",
            f"--tag={IMAGE}",
            ROOT,
        )

    def inspect(self, kind: str, name: str) -> dict[str, Any]:
        """What there is to know of an image, a container or a volume."""
        return dict(json.loads(self(kind, "inspect", name))[0])

    def clear(self) -> None:
        """Leave nothing but images."""
        self("pod", "rm", "--all", "--force", "--time=0", ok=False)
        self("rm", "--all", "--force", "--time=0", ok=False)
        self("volume", "rm", "--all", "--force", ok=False)
        self("secret", "rm", "--all", ok=False)

    def close(self) -> None:
        """Leave nothing behind."""
        self.clear()
        self("image", "unmount", "--all", ok=False)
        shutil.rmtree(self._root)
