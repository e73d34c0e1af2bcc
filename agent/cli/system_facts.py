"""On what does the agent run? Versions and facts of the system; no values of its environment."""

import os
import platform
import resource
import shutil
import sqlite3
import ssl
import sys
import time
from importlib import metadata
from pathlib import Path
from re import match

from agent import __version__

_FILES = ("/proc/meminfo", "/proc/loadavg", "/sys/fs/cgroup/memory.max", "/etc/os-release")
_FILE_BYTES_MAX = 4096


def versions() -> dict[str, object]:
    """The agent's version, the interpreter's, and those of what both are built on."""
    return {
        "aep-agent": __version__,
        "python": sys.version,
        "sqlite": sqlite3.sqlite_version,
        "openssl": ssl.OPENSSL_VERSION,
        "packages": {name: _version(name) for name in _required()},
    }


def _required() -> list[str]:
    try:
        told = metadata.requires("aep-agent") or []
    except metadata.PackageNotFoundError:
        return []
    return sorted({found[0] for each in told if (found := match(r"[\w.-]+", each))})


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def system(data_dir: Path) -> dict[str, object]:
    """Kernel, processors, memory, limits, clock, and what lies in the data directory."""
    limits = ("NOFILE", "AS", "FSIZE", "MEMLOCK", "NPROC")
    return {
        "platform": platform.platform(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "user": os.getuid(),
        "clock": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "since_boot_seconds": round(time.clock_gettime(time.CLOCK_BOOTTIME)),
        "limits": {
            name: resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) for name in limits
        },
        "files": {name: _beginning(Path(name)) for name in _FILES},
        "variables": sorted(name for name in os.environ if name.startswith("AEP_")),
        "data_dir": _listed(data_dir),
    }


def _beginning(path: Path) -> list[str] | None:
    try:
        with path.open() as file:
            return file.read(_FILE_BYTES_MAX).splitlines()
    except (OSError, UnicodeDecodeError):
        return None


def _listed(directory: Path) -> dict[str, object]:
    try:
        usage = shutil.disk_usage(directory)
        files = {
            each.name: {"bytes": found.st_size, "mode": oct(found.st_mode), "owner": found.st_uid}
            for each in sorted(directory.iterdir())
            if (found := each.lstat())
        }
    except OSError as error:
        return {"path": str(directory), "problem": error.strerror}
    return {
        "path": str(directory),
        "mode": oct(directory.stat().st_mode),
        "disk_bytes": usage.total,
        "disk_free_bytes": usage.free,
        "files": files,
    }
