"""How are dead letters read again, so that they take the way of every record?"""

import asyncio
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field

from agent.sources.source import Doors, Progress, Source
from agent.store import dead_letters
from agent.store.dead_letters import Selection, Stored
from agent.store.replays import Plan, Underway, is_sent


@dataclass(slots=True)
class DeadLetterSource(Source):
    """The selected dead letters as lines, in the order of their numbers.

    Each line is noted in `underway`, so that its verdict finds the way back to the dead letter.
    """

    connection: sqlite3.Connection  # one that reads, used by one thread at a time
    selection: Selection
    plan: Plan
    underway: Underway
    block_bytes: int
    broken_too: bool
    name: str = "dead letters"
    _line: int = field(default=0, init=False)
    _read: int = field(default=0, init=False)
    _stopped: bool = field(default=False, init=False)

    async def run(self, doors: Doors) -> None:
        """Read and hand over until the end."""
        feed = doors.feed(self.name)
        letters = dead_letters.each(self.connection, self.selection)
        while not self._stopped:
            block = await asyncio.to_thread(self._block, letters)
            if not block:
                break
            await feed.put(block)
        await feed.end()

    def stop(self) -> None:
        """Take nothing more."""
        self._stopped = True

    def progress(self) -> Progress:
        """How far it is, in bytes of records."""
        return Progress(self._read, self.plan.bytes)

    def _block(self, letters: Iterator[Stored]) -> bytes:
        lines: list[bytes] = []
        size = 0
        for stored in letters:
            if stored.id > self.plan.newest:
                break
            if not is_sent(stored, broken_too=self.broken_too):
                continue
            lines.append(self._line_of(stored))
            size += len(lines[-1])
            if size >= self.block_bytes:
                break
        return b"".join(lines)

    def _line_of(self, stored: Stored) -> bytes:
        self._line += 1
        self._read += len(stored.letter.record)
        self.underway.put(self._line, stored)
        return stored.letter.record + b"\n"
