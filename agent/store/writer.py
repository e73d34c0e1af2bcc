"""How do many small writes share one transaction and one fsync, without the loop waiting?

One thread owns the connection. It takes everything that waits, writes it in one transaction, and
tells the loop in one call once the commit is durable. What the disk refuses is tried again, in
order, until it is taken: nothing is lost and nothing overtakes.
"""

import asyncio
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import StoreCorrupt, StoreError, StoreFull
from agent.store.database import file_in, suspect
from agent.store.entry import NOTHING, Entry
from agent.store.progress import Progress
from agent.store.pruning import fold
from agent.store.reserve import Reserve
from agent.store.room import Room
from agent.store.trouble import GONE, NO_ROOM, is_damage, is_full, is_refusal, why
from agent.store.waiting import Inbox, Waiting, Work, resolve

COMMIT_SPACING = 0.040  # seconds between the starts of two commits: under load they share an fsync
RETRY_EVERY = 1.0  # seconds until what was refused is tried again
TIDY_EVERY = 10.0  # seconds between two looks at what may be removed


@dataclass(frozen=True, slots=True)
class Hooks:
    """What the writer calls, all of it in its own thread."""

    before_commit: Callable[[sqlite3.Connection], None]  # write what was put off
    on_rollback: Callable[[], None]  # what was remembered from the transaction is void
    tidy: Callable[[sqlite3.Connection], bool]  # remove a little; whether there is more to remove
    on_trouble: Callable[[str], None]  # nothing, or not everything, can be written: why
    on_recovered: Callable[[], None]
    on_commit: Callable[[float], None]  # seconds it took, sync included


class Writer:
    """A thread that owns *connection*, to the store in *data_dir*; one event loop submits to it."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        data_dir: Path,
        hooks: Hooks,
        room: Room,
    ) -> None:
        self.progress = Progress()
        self._connection = connection
        self._data_dir = data_dir
        self._hooks = hooks
        self._spacing = COMMIT_SPACING
        self._retry_every = RETRY_EVERY
        self._file = file_in(data_dir)
        self._inbox = Inbox()
        self._held: list[Waiting] = []
        self._broken: StoreError | None = None
        self._room = room
        self._reserve = Reserve(data_dir, room.reserve_bytes)
        self._reserve.take()
        self._next_commit = self._next_report = self._next_tidy = 0.0
        self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def submit(self, work: Work, entry: Entry = NOTHING) -> asyncio.Future[None]:
        """Have *work*, which writes *entry* if any, done; the future is done once it is durable.

        An entry that frees room may be written before other work that waits for room. The future
        fails with StoreError where the store was closed before that, with StoreCorrupt where the
        file turned out to be damaged, and with whatever else *work* raised.
        """
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._inbox.put(Waiting(work, future, entry)):
            future.set_exception(self._broken or StoreError("the store is closed"))
        return future

    def close(self) -> None:
        """Write what waits, with one last try where it is refused; then close the connection.

        Blocks until that is done. What could not be written fails with StoreError.
        """
        self._inbox.close()
        self._thread.join()

    def _run(self) -> None:
        last = False
        try:
            while not last and not self._broken:
                group, last = self._take()
                group = self._held + group
                self._held = self._write(group) if group else []
                self._tidy()
        finally:
            self._inbox.close()
            self._connection.close()
            self._give_up()

    def _take(self) -> tuple[list[Waiting], bool]:
        """Everything that waits, once there is something or a timer is due; and whether to stop."""
        patience = self._next_tidy - time.monotonic()
        if self._held:
            patience = min(patience, self._retry_every)
        return self._inbox.take(patience, self._next_commit)

    def _write(self, group: list[Waiting]) -> list[Waiting]:
        """Commit the group, however often that takes; returns those there is no room for yet."""
        held: list[Waiting] = []
        while group:
            last_try = self._inbox.is_closed
            portion = self._room.portion(group)
            rest = group[len(portion) :]
            try:
                self._require_room()
                held += self._commit(portion, is_all=not rest and not held)
                group = rest
                continue
            except Exception as error:  # noqa: BLE001  # whoever submitted it hears of it
                self._roll_back()
                if not is_refusal(error) and not isinstance(error, StoreFull):
                    held += self._blame(portion, error)
                    if self._broken:
                        return held + rest
                    group = rest
                    continue
                self._report(f"the store in {self._data_dir} cannot be written: {why(error)}")
                if is_full(error):
                    waited, group = group, self._write_what_frees(group)
                    self._make_room()
                    if len(group) < len(waited):
                        continue
            if last_try:
                break
            self._inbox.pause(self._retry_every)
            group += self._inbox.take_now()
        return held + group

    def _require_room(self) -> None:
        """Raise StoreFull where the file is gone, or the reserve that this takes cannot be had."""
        if file_in(self._data_dir) != self._file:
            raise StoreFull(GONE)
        if not self._reserve.take() and not self._make_room():
            raise StoreFull(NO_ROOM)

    def _make_room(self) -> bool:
        """Shorten log and file; whether there is room for the reserve, which may be used for it."""
        if not fold(self._connection):
            self._reserve.give_up()
            fold(self._connection)
        return self._reserve.take()

    def _write_what_frees(self, group: list[Waiting]) -> list[Waiting]:
        """Where the disk is full, removing comes first: who waits for room waits for that."""
        while freeing := [waiting for waiting in group if waiting.entry.frees]:
            portion = self._room.portion(freeing)
            self._reserve.give_up()
            fold(self._connection)
            try:
                self._commit(portion, is_all=False)
            except sqlite3.Error:
                self._roll_back()
                break
            done = {id(waiting) for waiting in portion}
            group = [waiting for waiting in group if id(waiting) not in done]
        return group

    def _commit(self, group: Sequence[Waiting], *, is_all: bool = True) -> list[Waiting]:
        started = time.monotonic()
        self._next_commit = started + self._spacing
        stored: list[Waiting] = []
        held: list[Waiting] = []
        reason = ""
        self._connection.execute("BEGIN IMMEDIATE")
        for waiting in group:
            try:
                waiting.work(self._connection)
                stored.append(waiting)
            except StoreFull as error:
                held.append(waiting)
                reason = str(error)
        self._hooks.before_commit(self._connection)
        self._connection.execute("COMMIT")
        self.progress.commits += 1
        self.progress.last_commit_seconds = time.monotonic() - started
        self._hooks.on_commit(self.progress.last_commit_seconds)
        if held:
            self._report(reason)
        elif self.progress.trouble and is_all:
            self._recover()
        resolve(stored, None)  # last: whoever is told finds the trouble told, or over
        return held

    def _blame(self, group: list[Waiting], error: Exception) -> list[Waiting]:
        """Find whose work failed by giving each a transaction of its own."""
        if is_damage(error):
            self._break(error)
            return group
        if len(group) == 1:
            resolve(group, error)
            return []
        return [held for waiting in group for held in self._write([waiting])]

    def _roll_back(self) -> None:
        with suppress(sqlite3.Error):  # some failures roll back by themselves
            self._connection.execute("ROLLBACK")
        self._hooks.on_rollback()

    def _break(self, error: Exception) -> None:
        suspect(self._data_dir)
        self._broken = StoreCorrupt(
            f"the store in {self._data_dir} is damaged ({error}); start the agent again: it will"
            " set the file aside and begin a new one"
        )

    def _tidy(self) -> None:
        if time.monotonic() < self._next_tidy or self._inbox.is_closed:
            return
        more = False
        try:
            more = self._hooks.tidy(self._connection)
        except sqlite3.Error as error:
            self._roll_back()
            if is_damage(error):
                self._break(error)
        self._next_tidy = time.monotonic() + (0.0 if more else TIDY_EVERY)

    def _report(self, trouble: str) -> None:
        now = time.monotonic()
        if trouble == self.progress.trouble and now < self._next_report:
            return
        self._next_report = now + self._retry_every
        self.progress.trouble = trouble
        with suppress(Exception):  # what listens must not end the thread
            self._hooks.on_trouble(trouble)

    def _recover(self) -> None:
        self.progress.trouble = None
        self._reserve.take()
        with suppress(Exception):
            self._hooks.on_recovered()

    def _give_up(self) -> None:
        left = self._held + self._inbox.take_rest()
        trouble = self.progress.trouble or "it could not be written"
        resolve(left, self._broken or StoreError(f"the store was closed before: {trouble}"))
