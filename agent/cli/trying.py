"""What would become of the lines of a file, by the format and the filters of a configuration?

Nothing is sent and nothing is kept: this is for looking at filters before they are let loose.
"""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from agent.app.doors import filters_of, format_of
from agent.app.inlets import envelope_of
from agent.config.formats import Formatted
from agent.core.chunks import Contents, Refused, read_chunk, too_large
from agent.core.filters import LeftOut
from agent.core.frames import Frame
from agent.core.framing import LineFramer, Oversize
from agent.delivery.intake import IntakeLimits
from agent.errors import InputError
from agent.record import BEGINNING, Chunk
from agent.sources.unwrapping import OTHER_STREAM

if TYPE_CHECKING:
    from agent.config.model import Config
    from agent.config.sources import Source

_BLOCK_BYTES = 1 << 20
_EXAMPLES = 3


@dataclass(slots=True)
class Tried:
    """What becomes of a file's records at one source."""

    going_on: int = 0
    filtered: Counter[str] = field(default_factory=Counter)  # by filter
    dead: Counter[str] = field(default_factory=Counter)  # by reason
    examples: list[bytes] = field(default_factory=list)  # of records as they would be sent

    def add(self, contents: Contents) -> None:
        """Count what goes on, and what is refused."""
        for run in contents.runs:
            self.going_on += run.span.count
            self.examples += run.records[: _EXAMPLES - len(self.examples)]
        self.dead.update(line.fault.reason for line in contents.refused)

    def as_json(self) -> dict[str, object]:
        """For scripts."""
        return {
            "going_on": self.going_on,
            "filtered": dict(self.filtered),
            "dead_lettered": dict(self.dead),
            "examples": [record.decode(errors="replace") for record in self.examples],
        }

    def in_words(self) -> list[str]:
        """For people, a line each."""
        lines = [f"{self.going_on:,} records would be sent"]
        lines += [f"{count:,} left out by {name}" for name, count in self.filtered.most_common()]
        lines += [f"{count:,} dead letters: {why}" for why, count in self.dead.most_common()]
        return lines + [f"such as {record.decode(errors='replace')}" for record in self.examples]


def tried(config: "Config", path: str) -> dict[str, Tried]:
    """What each source would make of the file (`-`: standard input), by the source's name.

    Raises InputError where it cannot be read.
    """
    if path == "-" and sys.stdin is None:
        raise InputError("standard input is closed: pipe records into it, or name a file")
    found: dict[str, Tried] = {}
    for number, source in enumerate(config.sources):
        name = source.name or f"sources[{number}]"
        try:
            with nullcontext(sys.stdin.buffer) if path == "-" else open(path, "rb") as file:  # noqa: PTH123
                found[name] = _tried(config, source, file)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}") from error
        if path == "-":
            break  # it can be read but once
    return found


def _tried(config: "Config", source: "Source", file: BinaryIO) -> Tried:
    inlet = config.each_flow()[config.flow_of(source)].inlet
    room = inlet.max_request_bytes - envelope_of(inlet).body_bytes(1, 0)
    limits = IntakeLimits(room, config.dead_letters.max_record_bytes)
    filters = filters_of(source, room)
    result = Tried()
    for frame in _frames(source, limits, file, result):
        if isinstance(frame, bytes):
            left_out: LeftOut | None = None
            contents = read_chunk(Chunk("", 1, 0, frame, 0.0), room)
            if filters:
                contents, left_out = filters.apply("", contents)
            result.add(contents)
        elif isinstance(frame, Oversize):
            result.dead[too_large(frame.length, room).reason] += 1
            continue
        else:
            refused = Refused(frame.found, BEGINNING, frame.fault)
            left_out = filters.leaves_out("", refused) if filters else None
            result.dead[frame.fault.reason] += not left_out
        result.filtered.update(left_out.counts if left_out else {})
    result.dead, result.filtered = +result.dead, +result.filtered
    return result


def _frames(
    source: "Source", limits: IntakeLimits, file: BinaryIO, result: Tried
) -> Iterator[Frame]:
    """Whole lines with a record each, and what is none."""
    record, head = limits.record_bytes_max, limits.dead_letter_bytes_max
    framer: LineFramer | None = LineFramer(record, head)
    unwrapper = None
    if isinstance(source, Formatted) and (begin := format_of(source, limits)):
        unwrapper, framer = begin(BEGINNING)
    while True:
        block = file.read(_BLOCK_BYTES)
        frames: list[Frame] = [block] if framer is None and block else []
        if framer:
            frames += framer.feed(block) if block else framer.end()
        for frame in frames:
            if unwrapper is None or not isinstance(frame, bytes):
                yield frame
                continue
            for each in unwrapper.feed(frame):
                result.filtered[OTHER_STREAM] += each.left_out
                yield each.found
        if not block:
            break
    for each in unwrapper.end() if unwrapper else ():
        yield each.found
