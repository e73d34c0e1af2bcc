"""Where do batches and verdicts go so that they outlive the agent? One SQLite file."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from agent.errors import StoreError
from agent.record import Batch, DeadLetter, Position, Receipt, Row
from agent.store.books import Balance, Books, News, begun, left, was_read
from agent.store.database import bytes_on_disk
from agent.store.entry import NOBODY, NOTHING, Entry, Mark, Owner
from agent.store.failing import Failure
from agent.store.known import KnownDeadLetters
from agent.store.loading import Loader, names_in
from agent.store.lock import Lock, take
from agent.store.opening import Opened, open_store
from agent.store.positions import SavedPosition
from agent.store.progress import StoreStatistics
from agent.store.pruning import tidy
from agent.store.room import room_for
from agent.store.spooling import Damaged, Found, find_spooled, hold
from agent.store.waiting import Work
from agent.store.writer import Hooks, Writer

_NEWS_WRITTEN_EVERY = 5.0  # seconds


@dataclass(frozen=True, slots=True)
class StoreLimits:
    """How much is kept. Receipts beyond a limit are removed, oldest first; dead letters wait."""

    receipts_keep: float  # seconds
    receipts_max_bytes: int
    dead_letters_max_bytes: int
    receipts_enabled: bool = True
    spool_max_bytes: int = 0  # 0: nothing is spooled


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What the store calls in its writer's thread."""

    on_trouble: Callable[[str], None] = lambda trouble: None  # entries wait: what to do about it
    on_recovered: Callable[[], None] = lambda: None
    on_commit: Callable[[float], None] = lambda seconds: None  # it took so long


class Store:
    """Batches, dead letters, receipts and positions on disk. Use it from one event loop."""

    def __init__(
        self, data_dir: Path, limits: StoreLimits, opened: Opened, lock: Lock | None
    ) -> None:
        self.data_dir = data_dir
        self.salvaged = opened.salvaged
        self.contents = contents = opened.contents
        self.on_durable: Callable[[Entry], None] = lambda entry: (
            None
        )  # told of each entry, in order
        self._books = Books(
            limits.dead_letters_max_bytes,
            receipts_enabled=limits.receipts_enabled,
            ledger=contents.ledger,
            spooled=contents.spooled,
        )
        self._numbers: Iterator[int] = count((contents.spool.newest if contents.spool else 0) + 1)
        self._keeps_receipts = limits.receipts_enabled
        self._writer: Writer
        self._lock = lock
        self._loader = Loader(data_dir)
        self._known = KnownDeadLetters(contents.ahead)
        self._news: list[News] = []
        self._failure = Failure(data_dir)
        self._waiting = self._receipts = self._dead_letters = 0

    @classmethod
    def open(
        cls,
        data_dir: Path,
        *,
        limits: StoreLimits,
        callbacks: Callbacks = Callbacks(),
        spool_for: Sequence[tuple[str, str]] = (),
    ) -> "Store":
        """Open the store in *data_dir*, which is made if need be.

        Raises StoreError (StoreFormat, StoreFull …) whose text says what to do. A file that is no
        readable store is set aside and salvaged into a new one, see `salvaged`.

        *spool_for* are key and name of each destination whose batches are to be spooled. A spool is
        used by one process at a time: StoreLocked tells a second one of the first.
        """
        lock = take(data_dir) if spool_for else None
        try:
            room = room_for(data_dir, limits.spool_max_bytes)
            opened = open_store(data_dir, spool_for, room.log_pages)
        except BaseException:
            if lock:
                lock.close()
            raise
        store = cls(data_dir, limits, opened, lock)
        books = store._books

        def committed(seconds: float) -> None:
            books.committed()
            callbacks.on_commit(seconds)

        hooks = Hooks(
            books.flush,
            books.forget,
            partial(tidy, keep=limits.receipts_keep, max_bytes=limits.receipts_max_bytes),
            callbacks.on_trouble,
            callbacks.on_recovered,
            committed,
        )
        store._writer = Writer(opened.connection, data_dir, hooks, room)
        return store

    def follow(self, source: str, start: Position, identity: str | None = None) -> None:
        """Keep the position of a source, which is read from *start* on."""
        self._news.append(begun(source, start, identity))
        if SavedPosition(start, identity) == self.contents.saved.get(source):
            self._known.resumed(source)

    def read(self, source: str, end: Position, count: int, identity: str | None = None) -> None:
        """Note that a source was read up to *end*, and that *count* records came of it."""
        self._news.append(was_read(Mark(source, end, count, identity)))

    def leave(self, source: str, *, forget: bool) -> None:
        """Note that a source is read no further; *forget*: its position has no more use."""
        self._news.append(left(source, forget=forget))

    def write(self, entry: Entry, owner: Owner = NOBODY) -> "asyncio.Future[None]":
        """Make an entry of *owner* durable, all or nothing; the future is done once that is so.

        While the disk is full or the file is locked, the future waits, and so do all later ones.
        While dead letters have reached their limit, only entries with dead letters wait. The future
        fails with StoreError where the store is closed first, with StoreCorrupt where its file is
        damaged: then `watch` fails too.
        """
        if entry.is_empty and not self._news:
            nothing: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            nothing.set_result(None)
            return nothing
        entry = self._known.without(entry)
        if self._news and entry.removed:  # it may be written early, and news must stay in order
            self.write(Entry())
        news, self._news = self._news, []
        future = self.submit(partial(self._books.write, entry, owner, news), entry)
        future.add_done_callback(partial(self._committed, entry))
        return future

    def settle(
        self, receipts: Sequence[Receipt], dead_letters: Sequence[DeadLetter]
    ) -> "asyncio.Future[None]":
        """Keep verdicts on records that were never spooled."""
        return self.write(Entry(receipts, dead_letters))

    def submit(self, work: Work, entry: Entry = NOTHING) -> "asyncio.Future[None]":
        """Have statements of one's own, or an *entry*, made durable in order with the entries."""
        self._waiting += 1
        future = self._writer.submit(work, entry)
        future.add_done_callback(self._done)
        return future

    def hold(self, number: int, reason: str) -> None:
        """Offer a row of the spool no more, for that reason."""
        self.submit(lambda connection: hold(connection, number, reason))

    def next_number(self) -> int:
        """The number of one more batch: one count for all flows, since rows go by it."""
        return next(self._numbers)

    def load(
        self, destination_id: int, after: int, max_bytes: int
    ) -> "asyncio.Future[list[Batch | Damaged]]":
        """The next batches for a destination in the order of sending, up to about *max_bytes*.

        Raises StoreError where the disk refuses, perhaps only for now: even a reader needs room.
        """
        future = self._loader.load(destination_id, after, max_bytes)
        future.add_done_callback(self._failure.note_read)
        return future

    async def reached(self) -> Mapping[str, SavedPosition]:
        """How far each source was read by now, safe or not; see `Positions.reached`."""
        found: dict[str, SavedPosition] = {}
        await self.write(Entry())  # what sources told comes first

        def look(connection: sqlite3.Connection) -> None:
            found.update(self._books.positions.reached(connection))

        await self.submit(look)
        return found

    async def destination(self, key: str, name: str) -> None:
        """Let one more destination have a spool; what waits for it is found as at a start.

        Raises StoreError where the store was opened without a spool.
        """
        spool = self.contents.spool
        if spool is None:
            raise StoreError("the store has no spool: it was opened for flows in memory only")
        found: list[Found] = []
        await self.submit(lambda connection: found.append(find_spooled(connection, [(key, name)])))
        spool.mine[key] = found[-1].mine[key]

    def limit_dead_letters(self, max_bytes: int) -> None:
        """Have dead letters take no more than that from now on."""
        self._books.limit_dead_letters(max_bytes)

    def names(self) -> Sequence[str]:
        """Of all streams that there ever were. Raises StoreError."""
        return names_in(self.data_dir)

    async def watch(self) -> None:
        """Go on until the store fails for good; then raise what it failed with.

        What sources told is written now and then, though nothing else is: how far they are in what
        holds no records, and what they forgot.
        """
        while True:
            await self._failure.watch(_NEWS_WRITTEN_EVERY)
            if self._news:
                self.write(Entry())

    async def close(self) -> None:
        """Write what waits, then close; what cannot be written fails with StoreError."""
        if self._news:
            self.write(Entry())
        await asyncio.to_thread(self.close_now)

    def close_now(self) -> None:
        """What `close` does, without a loop."""
        self._loader.close()
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

    @property
    def trouble(self) -> str | None:
        """Why entries wait, and what to do about it; None where they do not."""
        return self._writer.progress.trouble

    def statistics(self) -> StoreStatistics:
        progress = self._writer.progress
        return StoreStatistics(
            commits=progress.commits,
            waiting=self._waiting,
            receipts=self._receipts,
            dead_letters=self._dead_letters,
            last_commit_seconds=progress.last_commit_seconds,
            bytes_on_disk=bytes_on_disk(self.data_dir),
            trouble=progress.trouble,
        )

    def _done(self, future: "asyncio.Future[None]") -> None:
        self._waiting -= 1
        self._failure.note(future)

    def _committed(self, entry: Entry, future: "asyncio.Future[None]") -> None:
        if not future.cancelled() and future.exception() is None:
            self.on_durable(entry)
            for batch in entry.appended:
                batch.row = Row.THERE
            for batch in entry.removed:
                batch.row = Row.GONE
            self._receipts += len(entry.receipts) if self._keeps_receipts else 0
            self._dead_letters += len(entry.dead_letters)
