"""How large may the log grow, and how much may one commit write, so that a full disk is no end?

What is committed is in the log first, and only when all of it was folded into the file does the log
become room again. Folding may make the file larger by all that is in the log. So the log is kept
small beside the disk, a commit smaller still, and the room to fold it is held in reserve.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.store.database import CHECKPOINT_PAGES, bytes_on_disk
from agent.store.reserve import FILE_NAME
from agent.store.schema import PAGE_SIZE
from agent.store.waiting import Waiting

_LEAST_LOG_PAGES = 16
_LOG_PART = 8  # of what may be taken on disk
_LARGEST_ENTRY = 1 << 20  # bytes, roughly
_BESIDE_BODIES = 512 << 10  # bytes of pages that any commit may change


@dataclass(frozen=True, slots=True)
class Room:
    """Pages of log before it is folded, bytes of a commit, bytes to hold in reserve."""

    log_pages: int
    commit_bytes: int
    reserve_bytes: int

    def portion(self, group: Sequence[Waiting]) -> list[Waiting]:
        """The most of the group, from its beginning, that one commit may write; one at least.

        What is appended and removed in one commit is never written at all.
        """
        appended: dict[int, int] = {}
        size = most = 0
        for count, waiting in enumerate(group, 1):
            entry = waiting.entry
            appended |= {batch.number: len(batch.body) for batch in entry.appended}
            size += sum(len(batch.body) for batch in entry.appended)
            size += sum(len(letter.record) for letter in entry.dead_letters)
            # A row that goes changes the page it is on, and little else.
            size += sum(
                -appended.pop(batch.number) if batch.number in appended else PAGE_SIZE
                for batch in entry.removed
            )
            if size <= self.commit_bytes or not most:
                most = count
        return list(group[:most])


def room_for(data_dir: Path, spool_max_bytes: int) -> Room:
    """What suits a spool of so many bytes, 0 for none, on the disk that *data_dir* is on."""
    if not spool_max_bytes:
        return Room(CHECKPOINT_PAGES, CHECKPOINT_PAGES * PAGE_SIZE, 0)
    most = min(spool_max_bytes, _takeable(data_dir))
    log_pages = max(_LEAST_LOG_PAGES, min(CHECKPOINT_PAGES, most // _LOG_PART // PAGE_SIZE))
    log_bytes = log_pages * PAGE_SIZE
    # A row may leave half of its page empty: a commit writes twice its bytes at most.
    reserve = log_bytes + max(log_bytes, _LARGEST_ENTRY) + _BESIDE_BODIES
    return Room(log_pages, log_bytes // 2, reserve)


def _takeable(data_dir: Path) -> int:
    """Bytes that the store may take on its disk: what is free, and what it has already."""
    place = data_dir
    while not place.exists():
        place = place.parent
    size = shutil.disk_usage(place).free + bytes_on_disk(data_dir)
    with suppress(OSError):
        size += (data_dir / FILE_NAME).stat().st_size
    return size
