"""A machine that systemd boots, in a second: the programs of this one, and nothing else of it.

It is a container of systemd-nspawn with an empty root. /usr is the host's below a layer that is
thrown away, the network is the host's, so that an emulator of the test can be its inlet.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from support.agent import eventually

CHECKOUT = Path(__file__).parents[2]
AS_MOUNTED = "/srv/aep-agent"  # the checkout, read-only

_PROGRAMS = ("systemd-nspawn", "nsenter", "systemctl", "unshare")
# what the programs of the host need of its /etc, and pip to install from where it does here
_OF_THE_HOST = [
    "alternatives",
    "ssl",
    "pip.conf",
    "python3.*",
    "nsswitch.conf",
    "hosts",
    "ld.so.cache",
    "manpath.config",
]
_GROUPS = "root:x:0:\nadm:x:4:\n"
_STARTS_WITHIN = 180.0
_TOOK_LONG = 600


def needed() -> None:
    """What a machine takes; `.ci/run` has all of it."""
    missing = [name for name in _PROGRAMS if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: apt-get install systemd-container")
    if os.geteuid() != 0:
        pytest.skip("booting a systemd takes root: sudo make test T=tests/systemd")


class Machine:
    """`with Machine(root) as machine: machine.run("systemctl", "status")`."""

    def __init__(self, root: Path) -> None:
        """*root* becomes the machine's root directory."""
        self._root = root
        self._init = 0

    def __enter__(self) -> Self:
        _furnish(self._root)
        self._console = (self._root.parent / "console").open("w+b")
        self._nspawn = subprocess.Popen(
            [*_boot(self._root)],
            stdin=subprocess.DEVNULL,
            stdout=self._console,
            stderr=self._console,
        )
        try:
            eventually(self._runs, _STARTS_WITHIN)
        except BaseException:
            self._console.seek(0)
            sys.stderr.buffer.write(self._console.read())
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()

    @property
    def files(self) -> Path:
        """The root directory as processes of the machine see it: what is mounted there, too."""
        return Path(f"/proc/{self._init}/root")

    def run(
        self, *command: str, environ: Mapping[str, str] | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run a command as root on it. That it fails is an error, if it is to be checked."""
        done = subprocess.run(
            [*_enter(self._init), *command],
            env={"PATH": "/usr/local/bin:/usr/bin:/usr/sbin", "HOME": "/root", **(environ or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TOOK_LONG,
            check=False,
        )
        if check and done.returncode:
            raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}{self.journal()}")
        return done

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.run("systemctl", "show", "--property", name, "--value", unit).stdout.strip()

    def journal(self, *chosen: str) -> str:
        """The messages in its journal, or those of them that are chosen as by journalctl."""
        told = subprocess.run(
            [*_enter(self._init), "journalctl", "--no-pager", "--output=cat", *chosen],
            capture_output=True,
            text=True,
            timeout=_TOOK_LONG,
            check=False,
        )
        return told.stdout

    def _runs(self) -> bool:
        assert self._nspawn.poll() is None, "systemd-nspawn ended"
        children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children")
        self._init = next(map(int, children.read_text().split()), 0)  # at first, its forerunner
        if not self._init:
            return False
        asked = [*_enter(self._init), "systemctl", "is-system-running"]
        said = subprocess.run(asked, capture_output=True, text=True, timeout=30, check=False)
        return said.stdout.strip() in ("running", "degraded")

    def _end(self) -> None:
        self._nspawn.terminate()  # has its systemd halt
        try:
            self._nspawn.wait(20)
        except subprocess.TimeoutExpired:
            self._nspawn.kill()
            self._nspawn.wait()
        self._console.close()


def pip_variables() -> dict[str, str]:
    """With which pip installs there what it installed here, and from the same place."""
    here = {
        name: value
        for name, value in os.environ.items()
        if (name.startswith("PIP_") and name != "PIP_CACHE_DIR") or name.lower().endswith("_proxy")
    }
    return {**here, "PIP_CONSTRAINT": f"{AS_MOUNTED}/.ci/requirements.txt"}


def _furnish(root: Path) -> None:
    for name in (
        "etc/systemd/system",
        "opt",
        "root",
        "run",
        "srv",
        "tmp",
        "usr",
        "var/log/journal",
    ):
        (root / name).mkdir(parents=True)
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    for there in (path for name in _OF_THE_HOST for path in Path("/etc").glob(name)):
        if there.is_dir():
            shutil.copytree(there, root / "etc" / there.name, symlinks=True)
        else:
            shutil.copy(there, root / "etc" / there.name)
    shutil.copy("/etc/os-release", root / "etc/os-release")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    (root / "etc/group").write_text(_GROUPS)
    (root / "etc/machine-id").write_text("")
    target = root / "etc/systemd/system/default.target"
    target.symlink_to("/usr/lib/systemd/system/multi-user.target")


def _boot(root: Path) -> Sequence[str]:
    cache = Path(os.environ.get("PIP_CACHE_DIR") or Path.home() / ".cache" / "pip")
    cache.mkdir(parents=True, exist_ok=True)
    wheels = Path(os.environ.get("PIP_FIND_LINKS", "/nowhere"))
    return (
        *("systemd-nspawn", "--quiet", "--boot", "--register=no", "--keep-unit", "--console=pipe"),
        *(f"--directory={root}", "--overlay=/usr::/usr", f"--machine=aep-agent-{os.getpid()}"),
        f"--bind-ro={CHECKOUT}:{AS_MOUNTED}",
        f"--bind={cache}:/root/.cache/pip",
        *([f"--bind-ro={wheels}"] if wheels.is_dir() else []),
    )


def _enter(init: int) -> Sequence[str]:
    return (
        "nsenter",
        f"--target={init}",
        "-m",
        "-p",
        "-u",
        "-i",
        "-C",
        "--root",
        "env",
        "--chdir=/",
    )
