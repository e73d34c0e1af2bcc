"""How does work get from the loop to the thread that writes, and word of it back?"""

import asyncio
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import NamedTuple

from agent.store.entry import NOTHING, Entry

Work = Callable[[sqlite3.Connection], None]
"""Statements for a transaction that is open; may raise StoreFull before its first write."""


class Waiting(NamedTuple):
    """Work, who waits for it to be durable, and the entry that it writes, if any."""

    work: Work
    future: asyncio.Future[None]
    entry: Entry = NOTHING


class Inbox:
    """Work in the order of its coming: put by a loop, taken by one thread."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._lock = threading.Lock()  # nothing enters the queue after it was closed
        self._closed = threading.Event()

    @property
    def is_closed(self) -> bool:
        """Whether nothing more will come."""
        return self._closed.is_set()

    def put(self, waiting: Waiting) -> bool:
        """Leave work to be taken; False where it came too late."""
        with self._lock:
            if self._closed.is_set():
                return False
            self._queue.put(waiting)
            return True

    def close(self) -> None:
        """Take nothing more in, and have the thread told after what is in already."""
        with self._lock:
            self._closed.set()
            self._queue.put(None)

    def pause(self, seconds: float) -> None:
        """Let time go by, but none once it is closed."""
        self._closed.wait(seconds)

    def take(self, patience: float, not_before: float) -> tuple[list[Waiting], bool]:
        """Everything there is, after *patience* seconds at the latest; and whether it is the last.

        What comes until *not_before*, of the monotonic clock, is taken with it.
        """
        group: list[Waiting] = []
        with suppress(queue.Empty):
            item = self._queue.get(timeout=max(patience, 0.0))
            if item and (pause := not_before - time.monotonic()) > 0:
                time.sleep(pause)
            while item:
                group.append(item)
                item = self._queue.get_nowait()
            return group, True
        return group, False

    def take_now(self) -> list[Waiting]:
        """What has come meanwhile; leaves the word that it is the last for later."""
        group: list[Waiting] = []
        with suppress(queue.Empty):
            while item := self._queue.get_nowait():
                group.append(item)
            self._queue.put(None)
        return group

    def take_rest(self) -> list[Waiting]:
        """What is left once it is closed and nobody takes any more."""
        left: list[Waiting] = []
        with suppress(queue.Empty):
            while True:
                if item := self._queue.get_nowait():
                    left.append(item)
        return left


def resolve(group: Sequence[Waiting], error: Exception | None) -> None:
    """Tell the loop, in one call, what became of the group."""
    if not group:
        return
    futures = [waiting.future for waiting in group]
    with suppress(RuntimeError):  # the loop has ended: nobody is left to be told
        futures[0].get_loop().call_soon_threadsafe(_finish, futures, error)


def _finish(futures: Sequence[asyncio.Future[None]], error: Exception | None) -> None:
    for future in futures:
        if future.done():  # cancelled by whoever waited
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)
