"""Where does an image with Python come from without a registry? From this machine's own packages.

It stands for python:3.11-slim-bookworm: what Debian's python3 and a few others need, and no more.
"""

import os
import re
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

_WANTED = ("python3", "python3-venv", "dash", "coreutils", "ca-certificates", "libc-bin")
_LEFT_OUT = re.compile("/usr/share/(doc|man|locale|info|lintian)/")
_BESIDES = ("bin", "lib", "lib64", "sbin", "etc/ssl/certs")  # links of the root, and certificates


def pack(archive: Path) -> None:
    """Write the files of such a system into a tar archive."""
    names = archive.with_suffix(".names")
    names.write_text("\n".join(sorted({*_files(_with_what_they_need(_WANTED)), *_BESIDES})))
    subprocess.run(["tar", "--directory=/", f"--files-from={names}", "-cf", archive], check=True)


def _with_what_they_need(wanted: Iterable[str]) -> set[str]:
    """Packages that are installed here, and all those they depend on."""
    needs: dict[str, list[str]] = {}
    provided: dict[str, str] = {}
    fields = r"${Package}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
    for line in _said("dpkg-query", "--show", f"--showformat={fields}").splitlines():
        package, depends, provides = line.split("\t")
        needs[package] = re.split(r"[,|]", depends)
        provided |= {_name(each): package for each in provides.split(",")}
    found: set[str] = set()
    open_ = list(wanted)
    while open_:
        package = open_.pop()
        package = package if package in needs else provided.get(package, "")
        if package and package not in found:
            found.add(package)
            open_ += map(_name, needs[package])
    return found


def _name(dependency: str) -> str:
    """A package's name without version and architecture."""
    return re.split(r"[ (:]", dependency.strip())[0]


def _files(packages: Iterable[str]) -> Iterator[str]:
    """Their files, by the paths they really have, relative to the root."""
    for path in _said("dpkg", "--listfiles", *packages).splitlines():
        if path.startswith("/") and not _LEFT_OUT.match(path):
            real = Path(os.path.realpath(Path(path).parent), Path(path).name)
            if real.is_symlink() or real.is_file():
                yield str(real.relative_to("/"))


def _said(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
