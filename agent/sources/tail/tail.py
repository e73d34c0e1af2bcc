"""How are files followed that are written to, rotated, cut and removed meanwhile?

One task looks which files there are, some others read them. Looking often is the truth; the kernel
only tells when to look sooner.
"""

import asyncio
import time
from collections.abc import Mapping

from agent.sources.source import Doors, Progress, Source
from agent.sources.tail.following import Following
from agent.sources.tail.hints import Hints
from agent.sources.tail.judging import Judge
from agent.sources.tail.keeping import Keeper
from agent.sources.tail.known import KnownFiles
from agent.sources.tail.notices import Notices
from agent.sources.tail.reading import READERS, Readers
from agent.sources.tail.settings import TailSettings
from agent.sources.tail.streams import Streams
from agent.sources.tail.walking import Walk
from agent.store.positions import SavedPosition
from agent.store.source_ids import storable
from agent.supervisor import Supervisor
from agent.telemetry.meters import Meters

_PART_OF_TIME = 50  # looking takes at most one part in so many of the time …
_PART_WHEN_HINTED = 20  # … or in so many while names come and go
_ALL_OF_LOOKING = 2  # times what finding costs: what was found is compared, too
_LEAST_PAUSE = 0.005  # between two looks, however much happens
_TIMERS_EVERY = 0.1  # while something waits for its time
_MOST_TOLD = 20  # files in /status


class Tail(Source):
    """The files of some patterns, followed until it is stopped."""

    def __init__(self, name: str, settings: TailSettings, streams: Streams, meters: Meters) -> None:
        """*name* is what they are counted under; *streams* names them one by one."""
        self.name = name
        self.streams = streams
        self._settings = settings
        self._walk = Walk(settings.patterns, settings.excluded)
        self._keeper = Keeper(settings.most_open)
        self._known = KnownFiles()
        self._notices = Notices(name, meters)
        self._readers = Readers(self._keeper)
        parts = self._known, self._keeper, self._readers
        self._judge = Judge(name, settings, streams, *parts, self._notices)
        self._following = Following(settings, streams, *parts, self._judge, self._notices)
        self._hints: Hints | None = None
        self._stopped = False
        self._meters = meters

    def resume(self, saved: Mapping[str, SavedPosition]) -> None:
        """Go on where an earlier run had got to, in whichever file that is by now."""
        pasts = self.streams.past(saved)
        self._judge.pasts.expect(pasts)
        if pasts or self.streams.begun(self.name) in saved:
            self._judge.from_end = False

    async def run(self, doors: Doors) -> None:
        """Follow the files until stopped."""
        if self._stopped:
            return
        self._judge.doors = doors
        self._show()
        self._hints = hints = Hints()
        if self._settings.from_end:
            doors.feed(self.streams.begun(self.name), identity="begun").leave()
        try:
            async with Supervisor() as tasks:
                for number in range(1, READERS + 1):
                    tasks.start(f"reader {number} of {self.name}", self._readers.run())
                await self._watch(hints)
        finally:
            hints.close()
            self._hints = None
            self._keeper.close_all()
            self._following.let_go()

    def stop(self) -> None:
        """Take nothing more; unfinished lines stay in their files."""
        self._stopped = True
        self._readers.stop()
        if self._hints:
            self._hints.wake()

    def progress(self) -> Progress:
        """How far it is in the files it follows."""
        files = self._known.by_key.values()
        return Progress(sum(file.size - file.unread for file in files), None)

    def details(self) -> Mapping[str, object]:
        """For /status: numbers, and the files that are furthest behind."""
        files = self._known.by_key.values()
        behind = sorted(files, key=lambda file: -file.unread)[:_MOST_TOLD]
        problems = [*self._notices.problems.items()][:_MOST_TOLD]
        return {
            "files": len(files),
            "open": len(self._keeper),
            "lag_bytes": self._lag(),
            "furthest_behind": {storable(file.path): file.unread for file in behind if file.unread},
            "not_read": {storable(path): why for path, why in problems},
        }

    def _show(self) -> None:
        self._meters.file_lag_bytes.read_from(self._lag, self.name)
        self._meters.files_followed.read_from(lambda: len(self._known), self.name)
        self._meters.files_open.read_from(lambda: len(self._keeper), self.name)

    def _lag(self) -> int:
        return sum(file.unread for file in self._known.by_key.values())

    async def _watch(self, hints: Hints) -> None:
        following = self._following
        moved, looked, due, cost = False, 0.0, 0.0, 0.0
        while not self._stopped:
            begun = time.monotonic()
            if moved:
                due = min(due, looked + _PART_WHEN_HINTED * cost)
            if begun >= due:
                moved = False
                found = await asyncio.to_thread(self._walk.look)
                if self._stopped:
                    return
                hints.watch(found.directories)
                await following.see(found)
                cost = _ALL_OF_LOOKING * found.seconds
                looked = time.monotonic()
                due = looked + max(self._settings.poll, _PART_OF_TIME * cost)
                await asyncio.sleep(_LEAST_PAUSE)
            elif following.waits:
                following.in_time()
            wait = due - time.monotonic()
            hint = await hints.wait(min(wait, _TIMERS_EVERY) if following.waits else wait)
            following.written(hint.written)
            moved = moved or hint.moved
