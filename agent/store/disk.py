"""Where do verdicts go so that they outlive the agent? One SQLite file, `<data_dir>/store.db`."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.record import DeadLetter, Receipt
from agent.store.database import FILE_NAME, open_for_writing
from agent.store.pruning import prune_receipts
from agent.store.settling import Settling
from agent.store.writer import Hooks, Writer


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How much is kept. Receipts beyond a limit are removed, oldest first; dead letters wait."""

    receipts_keep: float  # seconds
    receipts_max_bytes: int
    dead_letters_max_bytes: int
    receipts_enabled: bool = True


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """What the store did since it was opened."""

    commits: int
    waiting: int  # settles that are not durable yet
    receipts: int  # durable, as the next
    dead_letters: int
    last_commit_seconds: float
    bytes_on_disk: int
    trouble: str | None  # why settles wait, where they do


class Store:
    """Dead letters and receipts on disk. Use it from one event loop."""

    def __init__(
        self, data_dir: Path, limits: StoreLimits, set_aside: Path | None, settling: Settling
    ) -> None:
        self.set_aside = set_aside  # what was found instead of a store, under its new name
        self._path = data_dir / FILE_NAME
        self._limits = limits
        self._settling = settling
        self._writer: Writer
        self._waiting = self._receipts = self._dead_letters = 0

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        limits: StoreLimits,
        on_trouble: Callable[[str], None] = lambda trouble: None,
        on_recovered: Callable[[], None] = lambda: None,
        on_commit: Callable[[float], None] = lambda seconds: None,
    ) -> "Store":
        """Open the store in *data_dir*, which is made if need be.

        Raises StoreError (StoreFormat, StoreFull …) whose text says what to do. A file that is no
        readable store is set aside, see `set_aside`, and a new one begun.

        The callbacks are called in the writer's thread: *on_trouble* with what to do about it,
        about once a second while settles have to wait, *on_recovered* once they no longer do,
        *on_commit* with the seconds each commit took.
        """
        connection, set_aside = open_for_writing(data_dir)
        settling = Settling(limits.dead_letters_max_bytes)
        store = cls(data_dir, limits, set_aside, settling)
        tidy = partial(
            prune_receipts, keep=limits.receipts_keep, max_bytes=limits.receipts_max_bytes
        )
        hooks = Hooks(settling.flush, settling.forget, tidy, on_trouble, on_recovered, on_commit)
        store._writer = Writer(connection, data_dir, hooks)
        return store

    def settle(
        self, receipts: Sequence[Receipt], dead_letters: Sequence[DeadLetter]
    ) -> asyncio.Future[None]:
        """Keep the verdicts of one answer, all or none; the future is done once they are durable.

        While the disk is full or the file is locked, the future waits, and so do all later ones.
        While dead letters have reached their limit, only settles with dead letters wait. The future
        fails with StoreError where the store is closed first, with StoreCorrupt where its file is
        damaged.
        """
        if not self._limits.receipts_enabled:
            receipts = ()
        if not receipts and not dead_letters:
            nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            nothing.set_result(None)
            return nothing
        work = partial(self._settling.write, receipts=receipts, dead_letters=dead_letters)
        future = self._writer.submit(work)
        self._waiting += 1
        future.add_done_callback(partial(self._count, len(receipts), len(dead_letters)))
        return future

    async def close(self) -> None:
        """Write what waits, then close; what cannot be written fails with StoreError."""
        await asyncio.to_thread(self._writer.close)

    def close_now(self) -> None:
        """What `close` does, without a loop."""
        self._writer.close()

    def statistics(self) -> StoreStatistics:
        progress = self._writer.progress
        return StoreStatistics(
            commits=progress.commits,
            waiting=self._waiting,
            receipts=self._receipts,
            dead_letters=self._dead_letters,
            last_commit_seconds=progress.last_commit_seconds,
            bytes_on_disk=self._bytes_on_disk(),
            trouble=progress.trouble,
        )

    def _count(self, receipts: int, dead_letters: int, future: asyncio.Future[None]) -> None:
        self._waiting -= 1
        if not future.cancelled() and future.exception() is None:
            self._receipts += receipts
            self._dead_letters += dead_letters

    def _bytes_on_disk(self) -> int:
        size = 0
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                size += self._path.with_name(self._path.name + suffix).stat().st_size
        return size
