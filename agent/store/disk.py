"""Where do batches and verdicts go so that they outlive the agent? One SQLite file."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import StoreCorrupt
from agent.record import Batch, DeadLetter, Position, Receipt, Row
from agent.store import ledger
from agent.store.books import Balance, Books, News, begun, left, was_read
from agent.store.database import (
    CHECKPOINT_PAGES,
    FILE_NAME,
    open_for_reading,
    open_for_writing,
    suspect,
)
from agent.store.entry import Entry, Mark
from agent.store.lock import Lock, take
from agent.store.positions import SavedPosition, dead_letters_ahead, saved_positions
from agent.store.pruning import give_back, prune_receipts
from agent.store.schema import PAGE_SIZE
from agent.store.spooling import Damaged, Found, find_spooled, hold, load
from agent.store.trouble import is_damage, is_refusal, readable_errors
from agent.store.writer import Hooks, Work, Writer

if TYPE_CHECKING:
    from agent.store.salvage import Salvaged

    Salvages = tuple[Salvaged, ...]

RESERVE_BYTES = 2 << 20
_LEAST_LOG_PAGES = 32


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How much is kept. Receipts beyond a limit are removed, oldest first; dead letters wait."""

    receipts_keep: float  # seconds
    receipts_max_bytes: int
    dead_letters_max_bytes: int
    receipts_enabled: bool = True
    spool_max_bytes: int = 0  # 0: nothing is spooled


@dataclass(frozen=True, slots=True)
class StoreStatistics:
    """What the store did since it was opened."""

    commits: int
    waiting: int  # entries that are not durable yet
    receipts: int  # durable, as the next
    dead_letters: int
    last_commit_seconds: float
    bytes_on_disk: int
    trouble: str | None  # why entries wait, where they do


@dataclass(frozen=True, slots=True)
class Contents:
    """What the store held when it was opened."""

    saved: Mapping[str, SavedPosition]
    ahead: Mapping[str, set[tuple[int, int]]]  # dead letters that resuming may meet again
    ledger: Mapping[ledger.LedgerKey, int]
    spooled: int  # records, for whichever destination
    spool: Found | None  # where one was asked for


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What the store calls in its writer's thread."""

    on_trouble: Callable[[str], None] = lambda trouble: None  # entries wait: what to do about it
    on_recovered: Callable[[], None] = lambda: None
    on_commit: Callable[[float], None] = lambda seconds: None  # it took so long


class Store:
    """Batches, dead letters, receipts and positions on disk. Use it from one event loop."""

    def __init__(
        self, data_dir: Path, limits: StoreLimits, salvaged: "Salvages", contents: "Contents"
    ) -> None:
        self.data_dir = data_dir
        self.salvaged = salvaged  # what was found instead of a store, and what came of it
        self.contents = contents
        self._path = data_dir / FILE_NAME
        self._books = books = Books(
            limits.dead_letters_max_bytes,
            receipts_enabled=limits.receipts_enabled,
            ledger=contents.ledger,
            spooled=contents.spooled,
        )
        if contents.spool:
            books.spooling.destination_id = contents.spool.destination_id
        self._keeps_receipts = limits.receipts_enabled
        self._writer: Writer
        self._lock: Lock | None = None
        self._news: list[News] = []
        self._failed: asyncio.Future[None] | None = None
        self._ahead: dict[str, set[tuple[int, int]]] = {}
        self._reading = threading.Lock()
        self._reader: sqlite3.Connection | None = None
        self._is_open = True
        self._waiting = self._receipts = self._dead_letters = 0

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        limits: StoreLimits,
        callbacks: Callbacks = Callbacks(),
        spool_for: tuple[str, str] | None = None,
    ) -> "Store":
        """Open the store in *data_dir*, which is made if need be.

        Raises StoreError (StoreFormat, StoreFull …) whose text says what to do. A file that is no
        readable store is set aside and salvaged into a new one, see `salvaged`.

        *spool_for* is key and name of the destination whose batches are to be spooled. A spool is
        used by one process at a time: StoreLocked tells a second one of the first.
        """
        lock = take(data_dir) if spool_for else None
        try:
            connection, salvaged, contents = _opened(data_dir, spool_for)
        except BaseException:
            if lock:
                lock.close()
            raise
        if limits.spool_max_bytes:
            connection.execute(f"PRAGMA wal_autocheckpoint = {_log_pages(limits)}")
        store = cls(data_dir, limits, salvaged, contents)
        store._lock = lock
        books = store._books

        def tidy(connection: sqlite3.Connection) -> bool:
            keep, most = limits.receipts_keep, limits.receipts_max_bytes
            return prune_receipts(connection, keep, most) or give_back(connection)

        def committed(seconds: float) -> None:
            books.committed()
            callbacks.on_commit(seconds)

        hooks = Hooks(
            books.flush,
            books.forget,
            tidy,
            callbacks.on_trouble,
            callbacks.on_recovered,
            committed,
        )
        reserve = min(RESERVE_BYTES, limits.spool_max_bytes // 4)
        store._writer = Writer(connection, data_dir, hooks, reserve_bytes=reserve)
        return store

    def follow(self, source: str, start: Position, identity: str | None = None) -> None:
        """Keep the position of a source, which is read from *start* on."""
        self._news.append(begun(source, start, identity))
        if SavedPosition(start, identity) == self.contents.saved.get(source):
            self._ahead[source] = set(self.contents.ahead.get(source, ()))

    def read(self, source: str, end: Position, count: int) -> None:
        """Note that a source was read up to *end*, and that *count* records came of it."""
        self._news.append(was_read(Mark(source, end, count)))

    def leave(self, source: str, *, forget: bool) -> None:
        """Note that a source is read no further; *forget*: its position has no more use."""
        self._news.append(left(source, forget=forget))

    def write(self, entry: Entry) -> "asyncio.Future[None]":
        """Make an entry durable, all of it or nothing; the future is done once that is so.

        While the disk is full or the file is locked, the future waits, and so do all later ones.
        While dead letters have reached their limit, only entries with dead letters wait. The future
        fails with StoreError where the store is closed first, with StoreCorrupt where its file is
        damaged: then `watch` fails too.
        """
        if entry.is_empty and not self._news:
            nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            nothing.set_result(None)
            return nothing
        if entry.dead_letters and self._ahead:
            entry = self._without_known(entry)
        news: list[News] = []
        if not entry.frees:  # that may be written before others, and news must stay in order
            news, self._news = self._news, news
        future = self.submit(partial(self._books.write, entry, news), frees=entry.frees)
        future.add_done_callback(partial(self._count, entry))
        return future

    def settle(
        self, receipts: Sequence[Receipt], dead_letters: Sequence[DeadLetter]
    ) -> "asyncio.Future[None]":
        """Keep verdicts on records that were never spooled."""
        return self.write(Entry(receipts, dead_letters))

    def submit(self, work: Work, *, frees: bool = False) -> "asyncio.Future[None]":
        """Have statements of one's own made durable, in order with the entries."""
        self._waiting += 1
        future = self._writer.submit(work, frees=frees)
        future.add_done_callback(self._done)
        return future

    def hold(self, number: int, reason: str) -> None:
        """Offer a row of the spool no more, for that reason."""
        self.submit(lambda connection: hold(connection, number, reason))

    def load(self, after: int, max_bytes: int) -> "asyncio.Future[list[Batch | Damaged]]":
        """The next batches of the spool in the order of sending, up to about *max_bytes*.

        Raises StoreError where the disk refuses, perhaps only for now: even a reader needs room.
        """
        loop = asyncio.get_running_loop()
        future = loop.run_in_executor(None, self._load, after, max_bytes)
        future.add_done_callback(self._note_failed_load)
        return future

    async def watch(self) -> None:
        """Go on until the store fails for good; then raise what it failed with."""
        if self._failed is None:
            self._failed = asyncio.get_running_loop().create_future()
        await self._failed

    async def close(self) -> None:
        """Write what waits, then close; what cannot be written fails with StoreError."""
        if self._news:
            self.write(Entry())
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """What `close` does, without a loop."""
        with self._reading:
            if self._reader:
                self._reader.close()
            self._reader, self._is_open = None, False
        self._writer.close()  # only now is the log folded into the file and removed
        if self._lock:
            self._lock.close()

    @property
    def safe(self) -> Mapping[str, Position]:
        """By source, the position before which every record is durable or answered for."""
        return self._books.positions.safe

    @property
    def balance(self) -> Balance:
        """What became of every record that was ever read, as of the last commit."""
        return self._books.balance

    def unsettled(self) -> int:
        """Records read that are neither durable nor answered for, as of the last commit."""
        return self._books.positions.unsettled()

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

    def _without_known(self, entry: Entry) -> Entry:
        """The entry without dead letters that an earlier run wrote before it could move on."""
        new: list[DeadLetter] = []
        for letter in entry.dead_letters:
            place = (letter.position.line, letter.position.offset)
            ahead = self._ahead.get(letter.source, ())
            if place in ahead:
                self._ahead[letter.source].discard(place)
            else:
                new.append(letter)
        known = len(entry.dead_letters) - len(new)
        return replace(entry, dead_letters=new, known=known) if known else entry

    def _load(self, after: int, max_bytes: int) -> list[Batch | Damaged]:
        with self._reading:  # in a thread of its own, one at a time
            if not self._is_open:
                return []
            self._reader = self._reader or open_for_reading(self.data_dir)
            assert self._reader, "a store that is open has a file"
            assert self.contents.spool, "the store was opened without a spool"
            with readable_errors(self._path):
                return load(self._reader, self.contents.spool.destination_id, after, max_bytes)

    def _done(self, future: "asyncio.Future[None]") -> None:
        self._waiting -= 1
        self._note_failure(future)

    def _note_failed_load(self, future: "asyncio.Future[Any]") -> None:
        error = None if future.cancelled() else future.exception()
        if error is None or not is_refusal(error.__cause__ or error):
            self._note_failure(future)

    def _note_failure(self, future: "asyncio.Future[Any]") -> None:
        if future.cancelled() or (error := future.exception()) is None:
            return
        if isinstance(error, StoreCorrupt):
            suspect(self.data_dir)
        if self._failed is None:
            self._failed = future.get_loop().create_future()
        if not self._failed.done():
            self._failed.set_exception(error)
            self._failed.exception()  # perhaps nobody watches

    def _count(self, entry: Entry, future: "asyncio.Future[None]") -> None:
        if not future.cancelled() and future.exception() is None:
            for batch in entry.appended:
                batch.row = Row.THERE
            for batch in entry.removed:
                batch.row = Row.GONE
            self._receipts += len(entry.receipts) if self._keeps_receipts else 0
            self._dead_letters += len(entry.dead_letters)

    def _bytes_on_disk(self) -> int:
        size = 0
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                size += self._path.with_name(self._path.name + suffix).stat().st_size
        return size


def _log_pages(limits: StoreLimits) -> int:
    """Pages of write-ahead log before it is folded into the file: few where the disk is small."""
    return max(_LEAST_LOG_PAGES, min(CHECKPOINT_PAGES, limits.spool_max_bytes // 8 // PAGE_SIZE))


def _opened(
    data_dir: Path, spool_for: tuple[str, str] | None
) -> "tuple[sqlite3.Connection, Salvages, Contents]":
    """The store's connection, what was salvaged into it, and what is in it."""
    connection, salvaged = open_for_writing(data_dir)
    try:
        return connection, salvaged, _look(connection, spool_for)
    except sqlite3.Error as error:
        connection.close()
        if not is_damage(error):
            with readable_errors(data_dir / FILE_NAME):
                raise
        suspect(data_dir)
    connection, salvaged_now = open_for_writing(data_dir)
    return connection, salvaged + salvaged_now, _look(connection, spool_for)


def _look(connection: sqlite3.Connection, spool_for: tuple[str, str] | None) -> Contents:
    saved = saved_positions(connection)
    spooled = connection.execute("SELECT records FROM spool_kept").fetchone()[0]
    spool = find_spooled(connection, *spool_for) if spool_for else None
    return Contents(
        saved, dead_letters_ahead(connection), ledger.totals(connection), spooled, spool
    )
