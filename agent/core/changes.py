"""How does a record get without a field, with its hash, or with another value?

By splicing: every byte that is not of the field stays what it was, however it was written. Numbers
keep all their digits and strings their escapes, and what stands twice is changed twice.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from agent.conditions import Scalar, Steps
from agent.core.fields import Field, Place, value_of

_BLANK = b" \t\r\n"
_COMMA_AFTER = re.compile(rb"[ \t\r\n]*+,[ \t\r\n]*+")
_COMMA_BEFORE = re.compile(rb",[ \t\r\n]*+\Z")


class CannotChangeError(ValueError):
    """The record has something else where it was to be changed; the text says what."""


@dataclass(frozen=True)
class Removing:
    """Takes members out, wherever the path leads."""

    path: Steps
    _field: Field = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        assert isinstance(self.path[-1], str), "elements are not taken out of arrays"
        object.__setattr__(self, "_field", Field(self.path))

    def __call__(self, record: bytes) -> bytes:
        for place in _innermost_first(self._field.places(record)):
            record = _without(record, place)
        return record


@dataclass(frozen=True)
class Hashing:
    """Puts the SHA-256 of a value in its place: 64 lower-case hexadecimal digits.

    Of a text, its UTF-8; of anything else, its JSON as it is written. null and texts that are empty
    stay: their hash would be one identity that many people share. *normalize* trims a text and
    makes it lower-case before, as Adobe does with e-mail addresses.
    """

    path: Steps
    normalize: bool = False
    _field: Field = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_field", Field(self.path))

    def __call__(self, record: bytes) -> bytes:
        for place in _innermost_first(self._field.places(record)):
            if hashed := self._hashed(record[place.start : place.end]):
                record = record[: place.start] + hashed + record[place.end :]
        return record

    def _hashed(self, written: bytes) -> bytes:
        value = value_of(written)
        if value is None:
            return b""
        if isinstance(value, str) and written.startswith(b'"'):
            text = value.strip().lower() if self.normalize else value
            if not text:
                return b""
            written = text.encode("utf-8", "surrogatepass")
        return b'"%b"' % sha256(written).hexdigest().encode()


@dataclass(frozen=True)
class Setting:
    """Gives a field one value, in every record. The path has names only."""

    path: tuple[str, ...]
    value: Scalar

    def __call__(self, record: bytes) -> bytes:
        """Raises CannotChangeError where the path leads through something that is no object."""
        if self._fields[-1].last(record):
            for place in _innermost_first(self._fields[-1].places(record)):
                record = record[: place.start] + self._written + record[place.end :]
            return record
        for depth in range(len(self.path) - 1, 0, -1):
            if within := self._fields[depth - 1].last(record):
                return self._added(record, within.start, depth)
        return self._added(record, record.index(b"{"), 0)

    def _added(self, record: bytes, start: int, depth: int) -> bytes:
        """The record with what is missing of the path right behind the brace of that object."""
        if record[start : start + 1] != b"{":
            shown = ".".join(self.path[:depth])
            raise CannotChangeError(f"{shown} is no object, so that nothing can be set in it")
        missing = self._written
        for name in reversed(self.path[depth + 1 :]):
            missing = b"{%b:%b}" % (_json(name), missing)
        at = start + 1
        comma = b"" if record[at:].lstrip(_BLANK).startswith(b"}") else b","
        return record[:at] + _json(self.path[depth]) + b":" + missing + comma + record[at:]

    @cached_property
    def _written(self) -> bytes:
        return _json(self.value)

    @cached_property
    def _fields(self) -> list[Field]:
        return [Field(self.path[:depth]) for depth in range(1, len(self.path) + 1)]


Change = Removing | Hashing | Setting


def _innermost_first(places: Sequence[Place]) -> list[Place]:
    """From the last to the first, so that places before a change stay where they are."""
    return sorted(places, key=lambda place: place.start, reverse=True)


def _without(record: bytes, place: Place) -> bytes:
    """The record without a member, and without the comma that set it off."""
    if after := _COMMA_AFTER.match(record, place.end):
        return record[: place.member] + record[after.end() :]
    before = record[: place.member]
    return _COMMA_BEFORE.sub(b"", before) + record[place.end :]


def _json(value: Scalar) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
