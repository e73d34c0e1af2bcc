"""Which fields do records have? Inferred from a sample of them; values are counted, never kept."""

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import BinaryIO

import orjson

from agent.errors import InputError

_DEPTH_MAX = 16
_FIELDS_MAX = 2000
_LINE_BYTES_MAX = 1_000_000
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")
_URI = re.compile(r"https?://\S+")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_LEGAL = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@dataclass
class Seen:
    """What was seen of one field."""

    path: str  # in the records, lists with [*]
    kinds: Counter[str] = field(default_factory=Counter)
    records: int = 0  # that have it

    @property
    def kind(self) -> str:
        """The one type that holds all of its values."""
        kinds = {name for name in self.kinds if name != "null"}
        if len(kinds) == 1:
            return kinds.pop()
        if kinds == {"integer", "number"}:
            return "number"
        return "string"

    @property
    def is_mixed(self) -> bool:
        """Whether its values are of several types."""
        return len({name for name in self.kinds if name != "null"} - {"integer"}) > 1


@dataclass
class Sample:
    """What a sample of records has."""

    fields: dict[str, Seen] = field(default_factory=dict)
    records: int = 0
    bad_lines: list[int] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)  # paths, and why

    def remarks(self) -> Iterator[str]:
        """What a person should know of it."""
        if self.bad_lines:
            shown = ", ".join(map(str, self.bad_lines[:5]))
            more = ", …" if len(self.bad_lines) > 5 else ""
            count = len(self.bad_lines)
            hold = "line holds" if count == 1 else "lines hold"
            yield f"{count:,} {hold} no JSON object (line {shown}{more})"
        for reason in sorted(self.left_out):
            yield f"left out: {reason}"

    def add(self, record: Mapping[str, object]) -> None:
        """Look at one record."""
        self.records += 1
        seen: set[str] = set()
        for path, kind in self._walk(record, "", 0):
            if path not in self.fields:
                if len(self.fields) >= _FIELDS_MAX:
                    self.left_out[f"fields beyond the first {_FIELDS_MAX:,}"] += 1
                    continue
                self.fields[path] = Seen(path)
            self.fields[path].kinds[kind] += 1
            seen.add(path)
        for path in seen:
            self.fields[path].records += 1

    def _walk(self, value: object, path: str, depth: int) -> Iterator[tuple[str, str]]:
        if depth > _DEPTH_MAX:
            self.left_out[f"what lies deeper than {_DEPTH_MAX} levels"] += 1
        elif isinstance(value, dict):
            for name, below in value.items():
                inner = f"{path}.{_quoted(name)}" if path else _quoted(name)
                yield from self._walk(below, inner, depth + 1)
        elif isinstance(value, list):
            for below in value:
                if isinstance(below, list):
                    self.left_out[f"{path}: a list of lists, which XDM has not"] += 1
                    continue
                yield from self._walk(below, f"{path}[*]", depth + 1)
        else:
            yield path, _kind_of(value)


def read_sample(path: str, records_max: int) -> Sample:
    """Look at the first records of a file; `-` is standard input.

    Raises InputError where it cannot be read, or holds no record.
    """
    sample = Sample()
    with _opened(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(_LINE_BYTES_MAX), b""), 1):
            if sample.records >= records_max:
                break
            if not line.strip():
                continue
            try:
                record = orjson.loads(line)
            except orjson.JSONDecodeError:
                record = None
            if isinstance(record, dict):
                sample.add(record)
            else:
                sample.bad_lines.append(number)
    if not sample.records:
        raise InputError(f"{path}: no line holds a JSON object; records are NDJSON, one a line")
    return sample


@contextmanager
def _opened(path: str) -> Iterator[BinaryIO]:
    if path == "-":
        if sys.stdin is None:
            raise InputError("standard input is closed: pipe records into it, or name a file")
        yield sys.stdin.buffer
        return
    try:
        file = open(path, "rb")  # noqa: SIM115, PTH123  # closed below, where reading may fail, too
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    with file:
        try:
            yield file
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error


def _kind_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    text = str(value)
    if _MOMENT.fullmatch(text) and _is_real(text, datetime):
        return "date-time"
    if _DAY.fullmatch(text) and _is_real(text, date):
        return "date"
    if _EMAIL.fullmatch(text):
        return "email"
    return "uri" if _URI.fullmatch(text) else "string"


def _is_real(text: str, kind: type[date]) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return True


def _quoted(name: str) -> str:
    """A name as Data Prep writes it: wrapped where it is no plain word, or means something."""
    if _LEGAL.fullmatch(name) and name not in _RESERVED:
        return name
    escaped = name.replace(".", "\\.")
    return f"${{{escaped}}}"


_RESERVED = frozenset(
    [
        "new",
        "mod",
        "or",
        "break",
        "var",
        "lt",
        "for",
        "false",
        "while",
        "eq",
        "gt",
        "div",
        "not",
        "null",
        "continue",
        "else",
        "and",
        "ne",
        "true",
        "le",
        "if",
        "ge",
        "return",
        "_errors",
        "do",
        "function",
        "empty",
        "size",
    ]
)
