"""Where does a source put what it reads, if its records are wrapped in something else?

Into a feed like any other, which takes what is read apart before it goes on. So every source can be
read in every format.
"""

from collections.abc import Callable, Iterable

from agent.core.frames import Misframed
from agent.core.framing import LineFramer, Oversize
from agent.core.unwrapping import Unwrapped, Unwrapper
from agent.core.validation import Fault
from agent.record import Position
from agent.sources.source import Feed

OTHER_STREAM = "other_stream"
_UNFINISHED = Fault("unfinished", "what it was read from was gone before all of it had come")


class Unwrapping:
    """A feed before another one.

    Its position is behind all that came. Of what is not complete yet, the other feed knows nothing:
    it is read again after a crash.
    """

    def __init__(self, feed: Feed, unwrapper: Unwrapper, framer: LineFramer | None) -> None:
        """*framer* where the unwrapper takes whole lines only."""
        self.position = feed.position
        self._feed = feed
        self._unwrapper = unwrapper
        self._framer = framer

    async def put(self, block: bytes) -> None:
        """Take the next bytes."""
        if self._framer is None:
            await self.lines(block)
            return
        for frame in self._framer.feed(block):
            await self._take(frame)

    async def end(self) -> None:
        """There will be no more: what is not complete goes on as it is."""
        for frame in self._framer.end() if self._framer else ():
            await self._take(frame)
        await self._hand_on(self._unwrapper.end())

    async def lines(
        self,
        data: bytes,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> int:
        """Take whole lines that stand in the source as they are; how many records came out."""
        assert on_taken is None, "which lines it becomes is not known yet"
        if end is not None:  # it has no newline there, or one that was counted before
            at = end.offset - len(data)
            self._unwrapper.skip(Position(self._unwrapper.position.line, at))
        return await self._hand_on(self._unwrapper.feed(data))

    async def refuse(
        self,
        line: bytes,
        fault: Fault,
        end: Position | None = None,
        on_taken: Callable[[range], None] | None = None,
    ) -> None:
        """Take what is no record, nor in any format."""
        assert on_taken is None, "which lines it becomes is not known yet"
        await self._pass_over(Misframed(line, fault), end, len(line))

    async def oversize(self, line: Oversize, end: Position | None = None) -> None:
        """Take a line that was too long to be kept."""
        await self._pass_over(line, end, line.length + 1)

    def hasten(self, within: float, *, is_awaited: bool) -> None:
        """Have what came out sent soon."""
        self._feed.hasten(within, is_awaited=is_awaited)

    def skip(self, end: Position) -> None:
        """Move on past what holds no records; what is not complete yet goes on behind it."""
        self._unwrapper.skip(end)
        self.position = self._unwrapper.position

    def refuse_at_once(self, line: bytes, fault: Fault, end: Position | None = None) -> None:
        """Take what is no record; whatever was not complete before it is none either."""
        self._give_up()
        self._feed.refuse_at_once(line, fault, end)

    @property
    def unfinished_bytes(self) -> int:
        """Bytes held of what is not complete, those of a line without its end included."""
        held = self._framer.unfinished_bytes if self._framer else 0
        return held + self._unwrapper.unfinished_bytes

    def completes(self, line: bytes) -> bool:
        """Whether a line without its end is a whole one."""
        return self._unwrapper.completes(line)

    @property
    def identity(self) -> str | None:
        """What tells the source from others, as far as it was read."""
        return self._feed.identity

    @identity.setter
    def identity(self, identity: str | None) -> None:
        self._feed.identity = identity

    def leave_out(self, name: str, count: int) -> None:
        """Count records that nobody asked for."""
        self._feed.leave_out(name, count)

    def leave(self, *, forget: bool = False) -> None:
        """Nothing more will come. Where nothing can be read again, what is not complete is kept."""
        if forget:
            self._give_up()
        self._feed.leave(forget=forget)

    def _give_up(self) -> None:
        """Make dead letters of what is not complete."""
        for each in self._unwrapper.end():
            if isinstance(each.found, Misframed):
                found, why = each.found.found, each.found.fault
            else:
                head = each.found.head if isinstance(each.found, Oversize) else each.found
                found, why = head.strip(b"\n"), _UNFINISHED
            if found:
                self._feed.refuse_at_once(found, why, each.end)
        self.position = self._unwrapper.position

    async def _take(self, frame: bytes | Oversize) -> None:
        if isinstance(frame, Oversize):
            await self.oversize(frame)
        else:
            await self.lines(frame)

    async def _pass_over(
        self, found: Oversize | Misframed, end: Position | None, size: int
    ) -> None:
        end = end or Position(self.position.line + 1, self.position.offset + size)
        await self._hand_on(self._unwrapper.pass_over(found, end))

    async def _hand_on(self, unwrapped: Iterable[Unwrapped]) -> int:
        count = 0
        for each in unwrapped:
            if isinstance(each.found, bytes):
                count += await self._feed.lines(each.found, each.end)
            elif isinstance(each.found, Oversize):
                await self._feed.oversize(each.found, each.end)
                count += 1
            else:
                await self._feed.refuse(each.found.found, each.found.fault, each.end)
                count += 1
            if each.left_out:
                self._feed.leave_out(OTHER_STREAM, each.left_out)
        self.position = self._unwrapper.position
        return count
