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
        """Others that may be the same file rotated; where very many names are alike, only the one
        that was not renamed."""
        directory, shared = family(file.path)
        alike: Iterable[TailedFile | None] = self._families.get(shared, set())
        if len(self._families.get(shared, ())) > _MOST_KIN:
            alike = [self.by_path.get(f"{directory}/{shared}" if directory else shared)]
        return [other for other in alike if other and other is not file]

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
