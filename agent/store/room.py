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

    def portions(self, group: Sequence[Waiting]) -> list[list[Waiting]]:
        """The group in order, in parts that one commit may write: one piece of work at least."""
        portions: list[list[Waiting]] = []
        size = 0
        for waiting in group:
            size += waiting.size
            if size > self.commit_bytes or not portions:
                portions.append([])
                size = waiting.size
            portions[-1].append(waiting)
        return portions


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
