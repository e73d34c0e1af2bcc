"""What has the store done since it was opened?"""

from dataclasses import dataclass


@dataclass(slots=True)
class Progress:
    """What the writer has done so far; written by its thread alone."""

    commits: int = 0
    last_commit_seconds: float = 0.0
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """What the store as a whole has done."""

    commits: int
    waiting: int  # entries that are not durable yet
    receipts: int  # durable, as the next
    dead_letters: int
    last_commit_seconds: float
    bytes_on_disk: int
    trouble: str | None  # why entries wait, where they do
