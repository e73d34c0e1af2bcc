"""Which records a chunk holds, where each of them stands, and which lines are none."""

from dataclasses import dataclass

from agent.core.batching import Run
from agent.core.validation import Fault, are_records, fault
from agent.record import INEXACT, Chunk, Position, Span


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is not a record, with its line end taken off."""

    line: bytes
    position: Position
    fault: Fault


@dataclass(frozen=True, slots=True)
class Contents:
    """What a chunk holds. Blank lines are neither records nor refused."""

    runs: list[Run]
    refused: list[Refused]
    end: Position  # where the next chunk of the source starts

    @property
    def count(self) -> int:
        """Lines that were meant to be records."""
        return sum(run.span.count for run in self.runs) + len(self.refused)


def read_chunk(chunk: Chunk, record_bytes_max: int) -> Contents:
    """Take a chunk apart: in a few C calls where all is well, line by line where it is not."""
    data, newline = chunk.data, 1 if chunk.end is None else INEXACT
    are_mixed = False
    if b"\r" in data and newline:
        data, are_mixed = _without_carriage_returns(data)
        newline = 2
    lines = data.split(b"\n")
    lines.pop()  # what follows the last newline: nothing
    none_too_long = len(data) <= record_bytes_max or max(map(len, lines)) <= record_bytes_max
    if not are_mixed and none_too_long and are_records(data, lines):
        count = len(lines)
        span = Span(chunk.source, chunk.line, chunk.offset, count, newline)
        run = Run(span, lines, len(data) - count, chunk.read_at)
        end = Position(chunk.line + count, chunk.offset + len(chunk.data))
        return Contents([run], [], chunk.end or end)
    return _line_by_line(chunk, record_bytes_max)


def _without_carriage_returns(data: bytes) -> tuple[bytes, bool]:
    """The data with \\n for \\r\\n; or the data itself and True where line ends are mixed."""
    plain = data.replace(b"\r\n", b"\n")
    ends = data.count(b"\n")
    return (plain, False) if len(data) - len(plain) == ends else (data, True)


def _line_by_line(chunk: Chunk, record_bytes_max: int) -> Contents:
    runs: list[tuple[Position, int, list[bytes]]] = []  # start, newline, records
    refused: list[Refused] = []
    offset = chunk.offset
    lines = chunk.data.split(b"\n")
    lines.pop()
    adding, ended_by = None, -1  # the records of the last run, where it may still grow
    for number, whole in enumerate(lines, chunk.line):
        line, newline = (whole[:-1], 2) if whole.endswith(b"\r") else (whole, 1)
        if chunk.end is not None:
            line, newline, start = whole, INEXACT, offset
        else:
            start, offset = offset, offset + len(whole) + 1
        if not line.strip(b" \t\r"):
            adding = None
        elif problem := _too_large(line, record_bytes_max) or fault(line):
            refused.append(Refused(line, Position(number, start), problem))
            adding = None
        elif adding is not None and newline == ended_by:
            adding.append(line)
        else:
            adding, ended_by = [line], newline
            runs.append((Position(number, start), newline, adding))
    end = chunk.end or Position(chunk.line + len(lines), offset)
    return Contents([_run(chunk, *run) for run in runs], refused, end)


def _run(chunk: Chunk, start: Position, newline: int, records: list[bytes]) -> Run:
    span = Span(chunk.source, start.line, start.offset, len(records), newline)
    return Run(span, records, sum(map(len, records)), chunk.read_at)


def _too_large(line: bytes, record_bytes_max: int) -> Fault | None:
    if len(line) <= record_bytes_max:
        return None
    return too_large(len(line), record_bytes_max)


def too_large(length: int, record_bytes_max: int) -> Fault:
    """The fault of a line that is too long for any request."""
    return Fault(
        "too_large", f"{length} bytes long; one request has room for {record_bytes_max} at most"
    )
