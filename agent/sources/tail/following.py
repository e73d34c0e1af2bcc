"""What has become of the files since they were last looked at, and what follows from it?

A file is followed until no pattern leads to it any more, all of it is read and it has been silent
for a while: whoever wrote to it before it was rotated may go on for some time.
"""

import os
import time
from collections.abc import Iterable
from contextlib import suppress

from agent.sources.tail.file import CLOSED, TailedFile
from agent.sources.tail.judging import Judge
from agent.sources.tail.keeping import Keeper
from agent.sources.tail.known import KnownFiles
from agent.sources.tail.notices import Notices
from agent.sources.tail.reading import Readers
from agent.sources.tail.settings import TailSettings
from agent.sources.tail.streams import Streams
from agent.sources.tail.turns import taking_turns
from agent.sources.tail.walking import Found, Seen


class Following:
    """The files of one source, compared with what is there."""

    def __init__(
        self,
        settings: TailSettings,
        streams: Streams,
        known: KnownFiles,
        keeper: Keeper,
        readers: Readers,
        judge: Judge,
        notices: Notices,
    ) -> None:
        self._settings = settings
        self._streams = streams
        self._known = known
        self._keeper = keeper
        self._readers = readers
        self._judge = judge
        self._notices = notices
        self._orphans: set[TailedFile] = set()  # no pattern leads to them
        self._unfinished: set[TailedFile] = set()  # their last line has no end
        self._is_first_look = True
        readers.on_rest = self._rest
        readers.on_trouble = self._troubled
        readers.on_skipped = notices.skipped

    @property
    def waits(self) -> bool:
        """Whether anything waits for its time."""
        return bool(self._orphans or self._unfinished or self._judge.is_in_doubt)

    async def see(self, found: Found) -> None:
        """Compare what is there with what was known; others have their turn meanwhile."""
        now = time.monotonic()
        self._notices.looked(found.problems, self._known)
        new: list[Seen] = []
        for key, seen in found.files.items():
            if file := self._known.by_key.get(key):
                self._see_again(file, seen, found.others.get(key, ()), now)
            else:
                new.append(seen)
        for key, file in self._known.by_key.items():
            if key not in found.files and file.orphaned_at is None:
                self._orphan(file, now)
        async for seen in taking_turns(new):
            self._add(seen, now)
        if self._is_first_look:
            self._look_beside(now)
        await self._judge.judge_all()
        if self._is_first_look:
            self._judge.forget_old()
        self._is_first_look = self._judge.from_end = False
        self.in_time()

    def let_go(self) -> None:
        """Let another source follow these files."""
        for key, who in [*self._streams.followed.items()]:
            if who is self:
                del self._streams.followed[key]

    def written(self, paths: Iterable[str]) -> None:
        """These were written to just now."""
        now = time.monotonic()
        for path in paths:
            if file := self._known.by_path.get(path):
                with suppress(OSError):
                    status = os.stat(path)  # noqa: PTH116
                    if (status.st_dev, status.st_ino) == file.key:
                        self._note(file, status, now)
                        # cut and filled again within a tick of the clock, it looks as it did
                        self._readers.queue(file)

    def in_time(self) -> None:
        """Do what waited for its time."""
        now = time.monotonic()
        self._judge.in_time()
        for file in [*self._unfinished]:
            if file.looked_at == file.size or not file.unfinished:
                self._unfinished.discard(file)
            elif now - file.changed_at >= self._settings.unfinished:
                file.looked_at = file.size
                file.is_finishing = True
                self._readers.queue(file)
        for file in [*self._orphans]:
            self._see_orphan(file, now)

    def _see_again(self, file: TailedFile, seen: Seen, others: Iterable[str], now: float) -> None:
        file.orphaned_at = None
        file.is_ending = False
        self._orphans.discard(file)
        if file.path != seen.path and file.path not in others:
            self._known.move(file, seen.path)
            self._notices.rotated()
        has_changed = file.note(seen.size, seen.mtime_ns, now)
        if has_changed or not (file.caught_up or file.is_queued):
            self._readers.queue(file)

    def _add(self, seen: Seen, now: float) -> None:
        """Follow a file that was not known."""
        oldest = self._settings.ignore_older
        is_old = oldest is not None and time.time() - seen.mtime_ns / 1e9 > oldest
        if is_old and not self._judge.pasts.knows(seen.key):
            return
        if self._streams.followed.setdefault(seen.key, self) is not self:
            self._notices.trouble(seen.path, "another source reads it")
            return
        file = TailedFile.found(seen, now)
        self._known.add(file)
        self._judge.add(file)

    def _note(self, file: TailedFile, status: os.stat_result, now: float) -> None:
        if file.note(status.st_size, status.st_mtime_ns, now):
            if file in self._judge.waiting:
                self._judge.judge(file)
            self._readers.queue(file)

    # ---- what no pattern leads to

    def _orphan(self, file: TailedFile, now: float) -> None:
        file.orphaned_at = now
        self._orphans.add(file)

    def _see_orphan(self, file: TailedFile, now: float) -> None:
        """Read on in a file that no pattern leads to, and leave it when nothing more comes."""
        if file.descriptor == CLOSED and not self._found_beside(file):
            self._notices.lost(file.unread, "deleted", file.path)
            self._leave(file, forget=True)
            return
        status = os.fstat(file.descriptor)
        self._note(file, status, now)
        silent = now - max(file.changed_at, file.orphaned_at or 0.0)
        is_judged = file.feed or not file.size
        if file.is_queued or silent < self._settings.let_go or not is_judged:
            return
        if not file.feed or file.has_ended:
            self._notices.rotated()
            self._leave(file, forget=not status.st_nlink)
        else:
            file.is_ending = True
            self._readers.queue(file)

    def _found_beside(self, file: TailedFile) -> bool:
        """Whether it is in the same directory still, under a name that no pattern means."""
        for path, inode in _entries(file.path):
            if inode == file.inode:
                self._known.move(file, path)
                return self._judge.open(file)
        return False

    def _look_beside(self, now: float) -> None:
        """Look for files that were renamed while nobody looked, so that no pattern means them."""
        pasts = [past for past in self._judge.pasts if past.key not in self._known.by_key]
        wanted = {past.likeness.inode for past in pasts}
        for beside in {_directory(past.path): past.path for past in pasts}.values():
            for path, inode in _entries(beside):
                if inode in wanted:
                    self._take_up(path, now)

    def _take_up(self, path: str, now: float) -> None:
        """Read the rest of a file that an earlier run knew."""
        with suppress(OSError):
            status = os.stat(path)  # noqa: PTH116
            seen = Seen(path, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if seen.key in self._known.by_key or not self._judge.pasts.knows(seen.key):
                return
            self._add(seen, now)
            if file := self._known.by_key.get(seen.key):
                if self._judge.recognise(file):
                    self._orphan(file, now)
                else:
                    self._leave(file, forget=False)

    def _leave(self, file: TailedFile, *, forget: bool) -> None:
        if file.feed:
            file.feed.leave(forget=forget)
        self._keeper.close(file)
        self._known.remove(file)
        self._judge.forget(file)
        self._orphans.discard(file)
        self._unfinished.discard(file)
        self._streams.followed.pop(file.key, None)
        file.feed = file.reader = None
        self._readers.let_next(file)

    # ---- what readers tell

    def _rest(self, file: TailedFile) -> None:
        """Nothing more of it can be read now."""
        if file.unfinished and not file.is_archive and file.looked_at != file.size:
            self._unfinished.add(file)
        if file.was_cut and file.feed:  # of what had not been read only
            lost = file.size_before_cut - max(file.size, file.offset)
            self._notices.lost(lost, "truncated", file.path)
            file.was_cut, file.size_before_cut = False, 0

    def _troubled(self, file: TailedFile, why: str) -> None:
        file.is_well = False
        self._notices.trouble(file.path, why)


def _directory(path: str) -> str:
    directory, slash, _ = path.rpartition("/")
    return directory + slash


def _entries(beside: str) -> list[tuple[str, int]]:
    """Path and inode of what is in the directory of *beside*."""
    directory = _directory(beside)
    with suppress(OSError), os.scandir(directory or ".") as entries:
        return [(directory + entry.name, entry.inode()) for entry in entries]
    return []
