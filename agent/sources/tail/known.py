"""Which files are known, and by what are they found again?"""

from collections.abc import Iterable

from agent.core.rotation import family
from agent.sources.tail.file import TailedFile

_MOST_KIN = 64


class KnownFiles:
    """The files of one source: by device and inode, by path, and by what their names share."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[int, int], TailedFile] = {}
        self.by_path: dict[str, TailedFile] = {}
        self._families: dict[str, set[TailedFile]] = {}

    def __len__(self) -> int:
        return len(self.by_key)

    def add(self, file: TailedFile) -> None:
        """Know it from now on."""
        self.by_key[file.key] = file
        self._name(file)

    def move(self, file: TailedFile, path: str) -> None:
        """It is called that now."""
        self._unname(file)
        file.path = path
        self._name(file)

    def remove(self, file: TailedFile) -> None:
        """Know it no more."""
        del self.by_key[file.key]
        self._unname(file)

    def kin(self, file: TailedFile) -> Iterable[TailedFile]:
        """Others that may be the same file rotated; none where very many names are alike."""
        alike = self._families.get(_shared(file.path), set())
        return [other for other in alike if other is not file] if len(alike) <= _MOST_KIN else ()

    def _name(self, file: TailedFile) -> None:
        self.by_path[file.path] = file
        self._families.setdefault(_shared(file.path), set()).add(file)

    def _unname(self, file: TailedFile) -> None:
        if self.by_path.get(file.path) is file:
            del self.by_path[file.path]
        alike = self._families[_shared(file.path)]
        alike.discard(file)
        if not alike:
            del self._families[_shared(file.path)]


def _shared(path: str) -> str:
    """Files may be moved to another directory when they are rotated."""
    return family(path)[1]
