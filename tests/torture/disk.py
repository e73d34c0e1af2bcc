"""What if the disk is small, and somebody else fills it? A file system of its own."""

import subprocess
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from torture.script import SMALL_DISK_BYTES

_BLOCK = 4096


def can_mount() -> bool:
    """Whether this user may mount file systems here: tried out."""
    with TemporaryDirectory(prefix="torture-mount-") as directory, suppress(OSError):
        mounted = subprocess.run(_mounting(directory), capture_output=True, check=False)
        if mounted.returncode == 0:
            subprocess.run(["umount", directory], check=True)
            return True
    return False


def _mounting(directory: Path | str, size: int = SMALL_DISK_BYTES) -> list[str]:
    return ["mount", "-t", "tmpfs", "-o", f"size={size}", "torture", str(directory)]


class SmallDisk:
    """`with SmallDisk(directory) as disk: ...`; what is in it is gone at the end."""

    def __init__(self, directory: Path, size: int = SMALL_DISK_BYTES) -> None:
        self._directory = directory
        self._size = size
        self._ballast = directory / "ballast"

    def __enter__(self) -> Self:
        self._directory.mkdir()
        subprocess.run(_mounting(self._directory, self._size), check=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        subprocess.run(["umount", "--lazy", str(self._directory)], check=True)

    def fill(self) -> None:
        """Leave no room at all."""
        with suppress(OSError), self._ballast.open("ab", buffering=0) as file:
            while file.write(bytes(_BLOCK)):
                pass

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)
