"""Which files were set aside because they could not be read as a store, and what is left to do?

Nothing here is ever deleted but marks. A file set aside has a mark beside it until what can be read
of it was taken over into the new store; the store itself has one while it is suspected of damage.
"""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

_MARK = ".salvage"


def set_aside(path: Path) -> Path:
    """Rename the file and what belongs to it, to be salvaged; the new name of the file."""
    stem = f"{path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    names = [stem, *(f"{stem}-{number}" for number in range(2, 1000))]
    aside = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    with suppress(OSError):  # no room for a mark: none for rows either, and the file stays
        _mark_of(aside).touch(mode=0o600)
    for suffix in ("-wal", "-shm", ""):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    suspicion_of(path).unlink(missing_ok=True)
    return aside


def to_be_salvaged(path: Path) -> list[Path]:
    """What was set aside from that place and not yet salvaged, oldest first."""
    marks = sorted(path.parent.glob(f"{path.name}.corrupt-*{_MARK}"))
    return [mark.with_name(mark.name.removesuffix(_MARK)) for mark in marks]


def salvaged(aside: Path) -> None:
    """All of it was taken over."""
    _mark_of(aside).unlink(missing_ok=True)


def suspicion_of(path: Path) -> Path:
    """The file whose being there says that the store is to be read as a whole."""
    return path.with_name(path.name + ".suspect")


def _mark_of(aside: Path) -> Path:
    return aside.with_name(aside.name + _MARK)
