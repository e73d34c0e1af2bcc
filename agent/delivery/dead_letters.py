"""How is a record that goes no further written down?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from agent.core.chunks import Refused, too_large
from agent.core.framing import Oversize
from agent.core.responses import Rejection
from agent.core.validation import FILTER_FAILED
from agent.record import Batch, DeadLetter, Position, Span

_TOO_LARGE = 413
_LETTER_BYTES = 512  # what a dead letter costs in memory besides its record, roughly


@dataclass(frozen=True, slots=True)
class Accepted:
    """Which record was accepted, as its receipt has it; `at` is in seconds since 1970."""

    source: str
    position: Position
    attempts: int
    at: float
    xaction_id: str | None


@dataclass(frozen=True, slots=True)
class Unlanded:
    """Why a record did not land, and in which form it is kept."""

    reason: str
    stage: str
    message: str


def held_bytes(letters: Sequence[DeadLetter]) -> int:
    """What these hold of the budget until they are durable: tiny ones cost more than they are."""
    return sum(len(letter.record) + _LETTER_BYTES for letter in letters)


def span_of(letter: DeadLetter) -> Span:
    """The one line a dead letter stands on."""
    return Span(letter.source, letter.position.line, letter.position.offset, 1)


def of_refused(source: str, refused: Refused, read_at: float, bytes_max: int) -> DeadLetter:
    """A line that is no record."""
    line = refused.line
    return DeadLetter(
        record=line[:bytes_max],
        length=len(line),
        sha256=_sha256(line, bytes_max),
        reason=refused.fault.reason,
        stage="filter" if refused.fault.reason == FILTER_FAILED else "validate",
        message=refused.fault.message,
        source=source,
        position=refused.position,
        attempts=0,
        first_at=read_at,
        last_at=read_at,
    )


def of_oversize(
    source: str, position: Position, line: Oversize, read_at: float, record_bytes_max: int
) -> DeadLetter:
    """A line that was too long even to be kept while it was read."""
    fault = too_large(line.length, record_bytes_max)
    return DeadLetter(
        record=line.head,
        length=line.length,
        sha256=line.sha256 if line.length > len(line.head) else None,
        reason=fault.reason,
        stage="frame",
        message=fault.message,
        source=source,
        position=position,
        attempts=0,
        first_at=read_at,
        last_at=read_at,
    )


def of_rejections(
    batch: Batch, records: Sequence[bytes], rejections: Sequence[Rejection], bytes_max: int
) -> Iterator[DeadLetter]:
    """Records of a batch that the platform refused, given all records of the batch."""
    places = list(_places(batch.spans, records))
    for rejection in rejections:
        record = records[rejection.index]
        source, position = places[rejection.index]
        yield DeadLetter(
            record=record[:bytes_max],
            length=len(record),
            sha256=_sha256(record, bytes_max),
            reason="too_large" if rejection.status == _TOO_LARGE else "rejected",
            stage="platform",
            message=rejection.message,
            source=source,
            position=position,
            attempts=batch.attempts,
            first_at=batch.first_at,
            last_at=batch.last_at,
            status=rejection.status,
            xaction_id=rejection.xaction_id,
        )


def of_unlanded(
    record: bytes, why: Unlanded, accepted: Accepted, now: float, bytes_max: int
) -> DeadLetter:
    """A record that was accepted, and did not land; *record* is what is kept of it."""
    return DeadLetter(
        record=record[:bytes_max],
        length=len(record),
        sha256=_sha256(record, bytes_max),
        reason=why.reason,
        stage=why.stage,
        message=why.message,
        source=accepted.source,
        position=accepted.position,
        attempts=accepted.attempts,
        first_at=accepted.at,
        last_at=now,
        xaction_id=accepted.xaction_id,
    )


def _places(spans: Sequence[Span], records: Sequence[bytes]) -> Iterator[tuple[str, Position]]:
    start = 0
    for span in spans:
        for position in span.positions(records[start : start + span.count]):
            yield span.source, position
        start += span.count


def _sha256(record: bytes, bytes_max: int) -> str | None:
    """Of the whole, where not all of it is kept."""
    return sha256(record).hexdigest() if len(record) > bytes_max else None
