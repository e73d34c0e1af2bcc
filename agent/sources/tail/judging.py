"""Which stream is a file of that was found, or of which nothing is left but its name?

Decided when its first byte is there: an earlier run may have read it, it may be the copy of a file
that was cut, which shows a moment later, or it is new (see `agent.sources.tail.origins`).
"""

import os
import time
from contextlib import suppress

from agent.core.likeness import HEAD_BYTES, TAIL_BYTES
from agent.record import BEGINNING, Position
from agent.sources.gzipped import MAGIC
from agent.sources.source import Doors
from agent.sources.tail.archive import Archive
from agent.sources.tail.blocks import SharedBlocks
from agent.sources.tail.file import TailedFile
from agent.sources.tail.keeping import Keeper
from agent.sources.tail.known import KnownFiles
from agent.sources.tail.lines import Lines
from agent.sources.tail.notices import Notices
from agent.sources.tail.origins import Abandoned, Pasts, is_about_to_be_cut, suspects
from agent.sources.tail.reading import Readers
from agent.sources.tail.settings import TailSettings
from agent.sources.tail.streams import Past, Streams
from agent.sources.tail.turns import taking_turns

_LAST_LINE_BYTES = 1 << 20  # looked through for where the last line ends
_GONE_SECONDS = 30 * 86400.0
_MAGIC_SECONDS = 1.0  # for the second byte of what may become an archive


class Judge:
    """Gives files their feeds."""

    def __init__(
        self,
        name: str,
        settings: TailSettings,
        streams: Streams,
        known: KnownFiles,
        keeper: Keeper,
        readers: Readers,
        notices: Notices,
    ) -> None:
        self.doors: Doors
        self.pasts = Pasts()
        self.from_end = settings.from_end  # what is found now
        self.waiting: set[TailedFile] = set()  # nothing is known of them but that they are there
        self._doubtful: set[TailedFile] = set()  # of those, who may be a copy
        self._abandoned: list[Abandoned] = []
        self._looks = 0
        self._label = name
        self._settings = settings
        self._streams = streams
        self._known = known
        self._keeper = keeper
        self._readers = readers
        self._notices = notices
        self._blocks = SharedBlocks()
        readers.on_cut = self.cut

    @property
    def is_in_doubt(self) -> bool:
        """Whether something will show in a moment."""
        return bool(self._doubtful or self._abandoned)

    def add(self, file: TailedFile) -> None:
        """Judge it from now on; until then it is kept open, whatever becomes of its name."""
        self.waiting.add(file)
        self.open(file)

    def forget(self, file: TailedFile) -> None:
        """It is followed no more."""
        self.waiting.discard(file)
        self._doubtful.discard(file)

    def open(self, file: TailedFile) -> bool:
        """Have it open, if that is possible."""
        try:
            if not self._keeper.open(file):
                return False
        except FileNotFoundError:
            return False  # the next look tells what became of it
        except OSError as error:
            file.is_well = False
            self._notices.trouble(file.path, error.strerror or str(error))
            return False
        if not file.is_well:
            file.is_well = True
            self._notices.recovered(file.path)
            self._readers.queue(file)
        return True

    async def judge_all(self) -> None:
        """Those that an earlier run read come first, so that no copy is taken for one of them."""
        async for file in taking_turns([*self.waiting]):
            self.recognise(file)
        async for file in taking_turns(_by_age(self.waiting)):
            if file in self.waiting:
                self.judge(file)
        self._looks += 1

    def forget_old(self) -> None:
        """Keep no longer where reading had got to in files that have been gone for long."""
        oldest = time.time() - _GONE_SECONDS
        for past in self.pasts:
            if 0 < past.saved_at < oldest:
                feed = self.doors.feed(past.stream, past.position, past.text, self._label)
                feed.leave(forget=True)
                self.pasts.drop(past)

    def in_time(self) -> None:
        """See whether doubts are over."""
        for file in _by_age(self._doubtful):
            self.judge(file)
        now = time.monotonic()
        # where there are very many files, the next look may come late: copies are found by it
        over = [e for e in self._abandoned if e.until <= now and e.until_look <= self._looks]
        for abandoned in over:
            self._abandoned.remove(abandoned)
            self._notices.lost(abandoned.unread, "truncated", abandoned.path)
            abandoned.feed.leave(forget=True)

    def recognise(self, file: TailedFile) -> bool:
        """Whether an earlier run read this very file."""
        if not self.pasts.knows(file.key) or not self.open(file):
            return False
        file.is_archive = file.peek(0, len(MAGIC)) == MAGIC
        past = self.pasts.same(file)
        if past:
            self._resume(file, past)
        return past is not None

    def judge(self, file: TailedFile) -> None:
        """Decide what it is, if anything can be said by now."""
        self._doubtful.discard(file)
        if not file.size or not self.open(file):
            return
        now = time.monotonic()
        if self._abandoned:  # a copy may have been finished since it was looked at
            status = os.fstat(file.descriptor)
            file.note(status.st_size, status.st_mtime_ns, now)
        silent = now - file.changed_at
        magic = file.peek(0, len(MAGIC))
        if magic == MAGIC[:1] and silent < _MAGIC_SECONDS:
            self._doubtful.add(file)
            return
        file.is_archive = magic == MAGIC
        if past := self.pasts.copied(file):
            self._notices.found_copy(past.stream, file.path)
            self._resume(file, past)
        elif abandoned := self._copied(file):
            self._go_on(file, abandoned)
        elif self._may_be_copy(file, silent):
            self._doubtful.add(file)
        else:
            start = self._last_line(file) if self.from_end else BEGINNING
            self._attach(file, self._streams.new(file.path), start, start.offset)

    def cut(self, file: TailedFile) -> None:
        """It is not what was read: its stream ends, but for what a copy may hold of it."""
        assert file.feed
        self._notices.cut(file.path)
        if file.is_archive:
            file.feed.leave(forget=True)
        else:
            until = time.monotonic() + self._settings.copied
            self._abandoned.append(Abandoned.of(file, until, self._looks + 2))
        file.begin_anew()
        with suppress(OSError):
            status = os.fstat(file.descriptor)
            file.size, file.mtime_ns = status.st_size, status.st_mtime_ns
        self.waiting.add(file)
        self._doubtful.add(file)

    def _copied(self, file: TailedFile) -> Abandoned | None:
        return next((each for each in self._abandoned if each.has_copy_in(file)), None)

    def _may_be_copy(self, file: TailedFile, silent: float) -> bool:
        """Whether to wait for what happens to the file of which it may be a copy."""
        if file.is_archive:
            return False
        doubtful = [*suspects(file, self._known.kin(file))]
        for other in doubtful:
            if is_about_to_be_cut(other):
                self._readers.queue(other)
                return True
        return bool(doubtful) and silent < self._settings.copied

    def _resume(self, file: TailedFile, past: Past) -> None:
        self._notices.resumed(past.stream, past.position.line, file.path)
        self._attach(file, past.stream, past.position, past.offset, past.text)

    def _go_on(self, file: TailedFile, abandoned: Abandoned) -> None:
        """Read in a copy what its original had not been read of when it was cut."""
        self._abandoned.remove(abandoned)
        self._notices.found_copy(abandoned.stream, file.path)
        self._notices.lost(abandoned.size - file.size, "copytruncate", abandoned.path)
        file.feed, file.stream = abandoned.feed, abandoned.stream
        file.has_early_line = abandoned.has_early_line
        self._begin(file, abandoned.offset)

    def _attach(
        self,
        file: TailedFile,
        stream: str,
        start: Position,
        offset: int,
        identity: str | None = None,
    ) -> None:
        """Open a feed for it, and begin to read at *offset*."""
        offset = start.offset if file.is_archive else min(offset, file.size)
        file.has_early_line = not file.is_archive and start.offset == offset + 1
        file.stream = stream
        file.remember_head(HEAD_BYTES if file.is_archive else offset)
        identity = identity or str(file.likeness())
        file.feed = self.doors.feed(stream, start, identity, self._label)
        self._begin(file, offset)

    def _begin(self, file: TailedFile, offset: int) -> None:
        assert file.feed
        file.offset = offset
        limits = self._settings.limits
        if file.is_archive:
            file.reader = Archive(file, file.feed, limits)
        else:
            file.tail = file.peek(max(0, offset - TAIL_BYTES), min(TAIL_BYTES, offset))
            file.remember_head(offset)
            file.reader = Lines(file, file.feed, limits, self._blocks)
        self.waiting.discard(file)
        self._chain(file)
        self._readers.queue(file)

    def _chain(self, file: TailedFile) -> None:
        """Have it read after the one that was written before it under the same name."""
        earlier = [
            other
            for other in self._known.kin(file)
            if other.feed and not other.is_read_to(other.size) and _age(other) < _age(file)
        ]
        if earlier:
            file.before = max(earlier, key=_age)
            file.before_size = file.before.size
            file.before.after.append(file)

    def _last_line(self, file: TailedFile) -> Position:
        """Where the last whole line ends; lines are counted from there."""
        if file.is_archive:
            return BEGINNING
        start = max(0, file.size - _LAST_LINE_BYTES)
        cut = file.peek(start, file.size - start).rfind(b"\n") + 1
        return Position(1, start + cut if cut or not start else file.size)


def _age(file: TailedFile) -> tuple[int, str]:
    return file.mtime_ns, file.path


def _by_age(files: set[TailedFile]) -> list[TailedFile]:
    return sorted(files, key=_age)
