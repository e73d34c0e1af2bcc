"""The shared nouns: what travels from a source to the platform and back.

Records never travel alone. A chunk is whole lines as they were read, a batch is one request as it
will be sent, and a span says which lines of which source stand behind either.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import count as counting


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record starts: its 1-based line, and the bytes before it in its source.

    For compressed sources both count the decompressed stream.
    """

    line: int
    offset: int


BEGINNING = Position(1, 0)


INEXACT = 0  # the newline of lines that do not stand in their source byte for byte


@dataclass(frozen=True, slots=True)
class Span:
    """`count` records on consecutive lines of one source, every line ended by the same newline.

    Lines whose newline is INEXACT were taken out of something else on their way, and do not say by
    their length where the next one stands: then `offset` is the nearest that is known, for all.
    """

    source: str
    line: int
    offset: int
    count: int
    newline: int = 1  # bytes that end a line: 1 for \n, 2 for \r\n, or INEXACT

    def positions(self, records: Iterable[bytes]) -> Iterator[Position]:
        """The position of each of the span's records, given their bytes in order."""
        offset = self.offset
        for line, record in enumerate(records, self.line):
            yield Position(line, offset)
            if self.newline:
                offset += len(record) + self.newline


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines read together; `data` ends with a newline (added to a last line without one).

    `end` is where the source stands after it, where that does not follow from `data`: its lines
    were taken out of something else then, one for each line of the source, and their offsets are
    not known (see INEXACT).
    """

    source: str
    line: int
    offset: int
    data: bytes
    read_at: float  # wall clock, seconds since 1970
    end: Position | None = None


_batch_numbers = counting(1)


class Row(Enum):
    """Where the row of a batch in the store is."""

    NONE = "none"
    COMING = "coming"  # handed over, not durable yet
    THERE = "there"
    GONE = "gone"  # removed, and that is durable


@dataclass(slots=True)
class Batch:
    """One request, encoded, and the lines it was made of. What is spooled is what is sent."""

    body: bytes
    gzipped: bool
    count: int
    plain_bytes: int  # size of the body before compression
    spans: tuple[Span, ...]
    read_at: float  # wall clock when its oldest record was read
    held_bytes: int = 0  # what it holds of the budget
    attempts: int = 0
    first_at: float = 0.0  # wall clock of the first attempt
    last_at: float = 0.0
    not_before: float = 0.0  # wall clock: not to be sent earlier
    ids_added: bytes = (
        b""  # a bit for each record that got an _id, lowest bit first; empty: none did
    )
    row: Row = Row.NONE
    number: int = field(default_factory=lambda: next(_batch_numbers))

    @property
    def stored(self) -> bool:
        """Whether it was handed to the store: its source may have moved on."""
        return self.row is not Row.NONE


@dataclass(frozen=True, slots=True)
class XactionIds:
    """The ids one answer gave to its accepted records, in the order of the request.

    An answer usually numbers them, `<prefix><index>`: then `indexes` holds runs of those numbers.
    Where it does not, `listed` holds the ids themselves; exactly one of the two is used.
    """

    prefix: str = ""
    indexes: tuple[range, ...] = ()
    listed: tuple[str, ...] = ()

    def __len__(self) -> int:
        return sum(map(len, self.indexes)) or len(self.listed)

    def part(self, start: int, stop: int) -> Iterator[str]:
        """Only those from one place up to another."""
        yield from self.listed[start:stop]
        for run in self.indexes:
            for index in run[max(start, 0) : max(stop, 0)]:
                yield f"{self.prefix}{index}"
            start, stop = start - len(run), stop - len(run)

    def __iter__(self) -> Iterator[str]:
        if self.listed:
            yield from self.listed
        for run in self.indexes:
            for index in run:
                yield f"{self.prefix}{index}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that the platform took charge of records: one per answer, not one per record.

    The nth id belongs to the nth record of `spans` read in order. Accepted is not landed: the
    platform validates and stores later.
    """

    accepted_at: float  # wall clock when the answer was read
    received_time_ms: int | None  # the platform's own clock
    batch_id: str | None
    ids: XactionIds
    spans: tuple[Span, ...]
    attempts: int

    @property
    def count(self) -> int:
        """How many records were accepted."""
        return sum([span.count for span in self.spans])


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that will not be delivered as it is, and why.

    `record` holds the original bytes, or their first part where the record is longer than is
    kept: then `length` and `sha256` describe the whole.
    """

    record: bytes
    length: int
    reason: str  # one word for machines: invalid_json, too_large, rejected …
    stage: str  # where it was stopped: frame, validate, filter, size, platform
    message: str  # one sentence for people, or the platform's own words
    source: str
    position: Position
    attempts: int
    first_at: float  # wall clock of the first attempt, or of reading where none was made
    last_at: float
    status: int | None = None
    xaction_id: str | None = None
    sha256: str | None = None


def select(
    spans: Sequence[Span], records: Sequence[bytes], keep: Sequence[int]
) -> tuple[Span, ...]:
    """The spans of only those records of a batch whose indexes are in `keep` (ascending)."""
    wanted = set(keep)
    chosen: list[Span] = []
    start = 0
    for span in spans:
        growing = False
        positions = span.positions(records[start : start + span.count])
        for index, position in enumerate(positions, start):
            if index not in wanted:
                growing = False
            elif growing:
                chosen[-1] = replace(chosen[-1], count=chosen[-1].count + 1)
            else:
                chosen.append(replace(span, line=position.line, offset=position.offset, count=1))
                growing = True
        start += span.count
    return tuple(chosen)
