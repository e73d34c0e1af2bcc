"""Where one record ends and the next begins: after a NUL, or as a JSON text sequence (RFC 7464)."""

from agent.core.frames import FRAMING, Frame, Misframed, as_lines
from agent.core.framing import LineFramer, Oversize
from agent.core.validation import Fault, fault

_SPACE = b" \t\r\n"
_RS = b"\x1e"
_LOOKS = 16  # how often, at most, a record is looked at whole before its end is certain


class NulFramer:
    """Records with a NUL byte behind each."""

    __slots__ = ("_framer",)

    is_broken = False

    def __init__(self, record_bytes_max: int, head_bytes: int) -> None:
        self._framer = LineFramer(record_bytes_max, head_bytes, b"\0")

    @property
    def held_bytes(self) -> int:
        """Bytes held of a frame whose end has not been seen."""
        return self._framer.held_bytes

    def feed(self, block: bytes) -> list[Frame]:
        """Take the next bytes; return what is complete, in order."""
        frames: list[Frame] = []
        for each in self._framer.feed(block):
            if not isinstance(each, bytes):
                frames.append(each)
            elif b"\n" not in each:
                frames.append(each.replace(b"\0", b"\n"))
            else:
                frames += as_lines(each[:-1].split(b"\0"))
        return frames

    def rest(self) -> bytes | Oversize | None:
        """Take out what is there of a frame whose end has not been seen, as it is."""
        return self._framer.rest()


class JsonSequenceFramer:
    """Records with an RS byte before and a newline behind each.

    A record is certain to be whole when the next one begins. Not to keep the last one waiting for
    that, what stops after a newline is looked at: if it is a record, that was its end.
    """

    __slots__ = ("_begun", "_framer", "_looked", "is_broken")

    def __init__(self, record_bytes_max: int, head_bytes: int) -> None:
        self._framer = LineFramer(record_bytes_max, head_bytes, _RS)
        self._begun = False
        self._looked = 0  # bytes looked at of the unfinished record, over and over
        self.is_broken = False

    @property
    def held_bytes(self) -> int:
        """Bytes held of a frame whose end has not been seen."""
        return self._framer.held_bytes

    def feed(self, block: bytes) -> list[Frame]:
        """Take the next bytes; return what is complete, in order."""
        if not self._begun:
            block = block.lstrip(_SPACE)
            if block and not block.startswith(_RS):
                self.is_broken = True
                message = "no JSON text sequence: it begins without the byte RS (0x1e)"
                return [Misframed(block, Fault(FRAMING, message))]
            self._begun = bool(block)
            block = block[1:]
        frames: list[Frame] = []
        for each in self._framer.feed(block):
            self._looked = 0
            if not isinstance(each, bytes):
                frames.append(each)
            elif found := [text for text in each[:-1].split(_RS) if text]:
                frames += as_lines(found)
        if block.endswith(b"\n"):
            frames += self._whole_already()
        return frames

    def rest(self) -> bytes | Oversize | None:
        """Take out what is there of a frame whose end has not been seen, as it is."""
        return self._framer.rest()

    def _whole_already(self) -> list[Frame]:
        size = self._framer.unfinished_bytes
        if not size or self._looked > _LOOKS * size:
            return []
        self._looked += size
        text = self._framer.unfinished()
        is_likely = text.rstrip(_SPACE).endswith(b"}") and text.count(b"{") <= text.count(b"}")
        if not is_likely or fault(text):
            return []
        self._framer.rest()
        self._looked = 0
        return as_lines([text])
