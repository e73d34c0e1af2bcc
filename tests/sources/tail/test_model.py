"""Random operations on files, against a model that knows which lines must arrive.

Patterns mean rotated names as well, and each line is another one. A line may be missing only where
its file was cut or removed, or taken out of sight before anybody could see it; it may come twice
only where it was copied.
"""

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sources.tail.following import Books, append, followed, numbered, text

NAMES = st.sampled_from(["a.log", "b.log", "c.log"])
FIRST = 100_000


class Files(RuleBasedStateMachine):
    """What is on disk, what has been read of it, and what must have been in the end."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.root = Path(tempfile.mkdtemp(prefix="tail-model-"))
        self.directory = self.root / "logs"
        self.directory.mkdir()
        self.books = self.run(self._books())
        self.stack: AsyncExitStack | None = None
        self.written = 0
        self.rotations = 0
        self.content: dict[Path, list[bytes]] = {}  # since the file was made or cut
        self.seen: set[Path] = set()  # the agent has read something of it
        self.must: set[bytes] = set()
        self.may_double: set[bytes] = set()
        self.start()

    async def _books(self) -> Books:
        return Books()

    def run(self, work):  # type: ignore[no-untyped-def]
        return self.loop.run_until_complete(work)

    # ---- the agent

    def start(self) -> None:
        self.stack = AsyncExitStack()
        patterns = (self.directory / "*.log*", self.directory / "link")
        quick = {"poll": 0.01, "let_go": 0.1, "copied": 0.2, "unfinished": 0.1}
        self.run(self.stack.enter_async_context(followed(self.books, *patterns, **quick)))

    @precondition(lambda self: self.stack is not None)
    @rule()
    def stops(self) -> None:
        assert self.stack
        self.run(self.stack.aclose())
        self.stack = None

    @precondition(lambda self: self.stack is None)
    @rule()
    def starts(self) -> None:
        self.start()

    @precondition(lambda self: self.stack is not None)
    @rule()
    def catches_up(self) -> None:
        """Wait until everything is read that must be."""
        try:
            self.run(self.books.until(lambda: self.must <= set(self.books.lines)))
        except AssertionError:
            missing = sorted(self.must - set(self.books.lines))
            raise AssertionError(f"missing: {missing}") from None
        self.seen = {path for path, lines in self.content.items() if lines}

    @rule(hundredths=st.integers(1, 30))
    def waits(self, hundredths: int) -> None:
        self.run(asyncio.sleep(hundredths / 100))

    # ---- who writes

    @rule(name=NAMES, count=st.integers(1, 60))
    def writes(self, name: str, count: int) -> None:
        self._write(self.directory / name, count)

    @rule(name=NAMES, count=st.integers(1, 5))
    def writes_on_in_the_file_last_rotated(self, name: str, count: int) -> None:
        rotated = [path for path in self.content if path.name.startswith(f"{name}.")]
        if rotated:
            self._write(rotated[-1], count)

    @rule(count=st.integers(1, 20))
    def writes_through_the_link(self, count: int) -> None:
        if (self.directory / "link").is_symlink():
            self._write((self.directory / "link").resolve(), count)

    # ---- who rotates

    @rule(name=NAMES)
    def renames(self, name: str) -> None:
        path = self.directory / name
        if path in self.content:
            self.rotations += 1
            rotated = path.rename(self.directory / f"{name}.{self.rotations}")
            self._moved(path, rotated)

    @rule(name=NAMES)
    def renames_out_of_sight(self, name: str) -> None:
        path = self.directory / name
        if path in self.content:
            self.rotations += 1
            if path not in self.seen:
                self._lose(path)
            path.rename(self.directory / f"old-{self.rotations}")
            self.content.pop(path)
            self.seen.discard(path)

    @rule(name=NAMES)
    def copies_and_cuts(self, name: str) -> None:
        path = self.directory / name
        if path in self.content:
            self.rotations += 1
            copy = self.directory / f"{name}.{self.rotations}"
            shutil.copyfile(path, copy)
            os.truncate(path, 0)
            self.may_double.update(self.content[path])
            self.content[copy], self.content[path] = self.content[path], []
            self.seen.discard(path)

    @rule(name=NAMES)
    def cuts(self, name: str) -> None:
        path = self.directory / name
        if path in self.content:
            self._lose(path)
            os.truncate(path, 0)
            self.content[path] = []
            self.seen.discard(path)

    @precondition(lambda self: self.stack is not None)
    @rule(name=NAMES)
    def cuts_what_was_read_and_fills_it_again(self, name: str) -> None:
        """With as much at once: it looks as it did, but for its first bytes."""
        path = self.directory / name
        if count := len(self.content.get(path, ())):
            self.catches_up()
            self.cuts(name)
            self._write(path, count)

    @rule()
    def cuts_the_file_last_rotated(self) -> None:
        if rotated := self._rotated():
            self._lose(rotated[-1])
            os.truncate(rotated[-1], 0)
            self.content[rotated[-1]] = []
            self.seen.discard(rotated[-1])

    @rule(name=NAMES)
    def removes(self, name: str) -> None:
        path = self.directory / name
        if path in self.content:
            self._lose(path)
            path.unlink()
            self.content.pop(path)
            self.seen.discard(path)

    @rule()
    def removes_the_file_last_rotated(self) -> None:
        if rotated := self._rotated():
            self._lose(rotated[-1])
            rotated[-1].unlink()
            self.content.pop(rotated[-1])
            self.seen.discard(rotated[-1])

    @rule()
    def turns_the_link_elsewhere(self) -> None:
        link = self.directory / "link"
        if link.is_symlink() and (before := link.resolve()) in self.content:
            if before not in self.seen or self.stack is None:
                self._lose(before)
            self.content.pop(before)
            self.seen.discard(before)
        self.rotations += 1
        (self.root / f"target-{self.rotations}").touch()
        (self.root / "next").symlink_to(f"target-{self.rotations}")
        (self.root / "next").rename(link)
        self.content[(self.root / f"target-{self.rotations}").resolve()] = []

    # ---- what holds

    @invariant()
    def nothing_is_made_up_and_nothing_comes_twice(self) -> None:
        counts = Counter(self.books.lines)
        doubled = [line for line, count in counts.items() if count > 1]
        assert set(doubled) <= self.may_double

    def teardown(self) -> None:
        try:
            if self.stack is None:
                self.start()
            self.catches_up()
            self.nothing_is_made_up_and_nothing_comes_twice()
        finally:
            if self.stack:
                self.run(self.stack.aclose())
            self.loop.close()
            shutil.rmtree(self.root)

    def _write(self, path: Path, count: int) -> None:
        lines = numbered(FIRST + self.written, count, pad=100)  # alike in length, and at their ends
        self.written += count
        append(path, text(lines))
        self.content.setdefault(path, []).extend(lines)
        self.must.update(lines)

    def _rotated(self) -> list[Path]:
        return [path for path in self.content if path.suffix != ".log" and "link" not in path.name]

    def _moved(self, path: Path, to: Path) -> None:
        self.content[to] = self.content.pop(path)
        if path in self.seen:
            self.seen.discard(path)
            self.seen.add(to)

    def _lose(self, path: Path) -> None:
        """What was not read of it may be lost."""
        self.must -= set(self.content[path]) - set(self.books.lines)


TestFiles = Files.TestCase
TestFiles.settings = settings(
    max_examples=int(os.environ.get("TAIL_EXAMPLES", "20")),
    stateful_step_count=15,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
