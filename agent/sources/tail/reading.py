"""Who reads which file next? Those that have something to read, a block of each in turn."""

import asyncio
from collections.abc import Callable

from agent.errors import InputError
from agent.sources.tail.file import Outcome, Reader, TailedFile
from agent.sources.tail.keeping import Keeper
from agent.sources.turn import Turn

READERS = 4  # a slow disk stops one of them


class Readers:
    """Reads the files that are queued. One file is read by one reader at a time."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper
        self._ready: asyncio.Queue[TailedFile | None] = asyncio.Queue()
        self._turn = Turn()
        self._stopped = False
        self.on_cut: Callable[[TailedFile], None] = lambda file: None
        self.on_rest: Callable[[TailedFile], None] = lambda file: None  # nothing more to read now
        self.on_trouble: Callable[[TailedFile, str], None] = lambda file, why: None
        self.on_skipped: Callable[[int], None] = lambda count: None

    def queue(self, file: TailedFile) -> None:
        """Have it read soon, and again if it is being read."""
        file.caught_up = False
        if file.is_queued:
            file.is_wanted_again = True
        elif file.reader and not (file.before and not file.before.is_read_to(file.before_size)):
            file.is_queued = True
            self._ready.put_nowait(file)

    def stop(self) -> None:
        """Read nothing more once the blocks being read are taken."""
        self._stopped = True
        for _ in range(READERS):
            self._ready.put_nowait(None)

    async def run(self) -> None:
        """Read until stopped."""
        while (file := await self._ready.get()) and not self._stopped:
            file.is_wanted_again = False
            file.is_being_read = True
            try:
                is_more = await self._read(file)
            finally:
                file.is_being_read = file.is_queued = False
            if is_more or file.is_wanted_again:
                self.queue(file)
                await self._turn.over()
            else:
                self.on_rest(file)
            self.let_next(file)

    async def _read(self, file: TailedFile) -> bool:
        """Read a block; whether there may be more."""
        reader = file.reader
        assert reader
        try:
            if not self._keeper.open(file):
                return False  # another file has its name: the next look tells what became of it
            outcome = await reader.read()
            if outcome is Outcome.END:
                await self._finish(file, reader)
        except FileNotFoundError:
            return False
        except InputError as error:
            file.caught_up = True  # until it changes
            self.on_trouble(file, str(error))
            return False
        except OSError as error:
            self._keeper.close(file)
            self.on_trouble(file, error.strerror or str(error))
            return False
        if reader.skipped:
            self.on_skipped(reader.skipped)
            reader.skipped = 0
        if outcome is Outcome.CUT:
            self.on_cut(file)
            return False
        file.caught_up = outcome is Outcome.END
        file.is_well = True
        return outcome is Outcome.MORE

    async def _finish(self, file: TailedFile, reader: Reader) -> None:
        """Look at its last line, where it is time to."""
        if file.is_ending:
            await reader.end()
            file.has_ended = True
        elif file.is_finishing:
            await reader.finish()
        file.is_finishing = False

    def let_next(self, file: TailedFile) -> None:
        """Let those be read that were to wait until this one is."""
        for later in [each for each in file.after if file.is_read_to(each.before_size)]:
            file.after.remove(later)
            later.before = None
            self.queue(later)
