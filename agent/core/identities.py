"""Which records carry no id of their own, and which one does each of them get, every time?

The id is a hash of the record's bytes, and where it is to tell equal records apart, of the place
they were read from. There is no clock, no chance and no count in it: what is sent again after a
lost answer, read again after a crash or replayed from a dead letter is the same event again.

The bytes belong to the hash of a place too: a pipe begins at offset 0 in every run, and a rotated
file under the name of the one before. Without them, new records would get the ids of old ones.
"""

import json
import re
from binascii import hexlify
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from itertools import repeat
from typing import Any, Literal

import msgspec

from agent.core.grammar import keys
from agent.record import Span

_ID_LENGTH = 32  # hexadecimal digits: 128 bits
_AFTER_NAME = len(b'":"",') + _ID_LENGTH  # what is spliced in after the field's name
_DIGITS = bytes.maketrans(b"\0\1", b"01")


@dataclass(frozen=True)
class Identities:
    """Adds ids. The name of the field must be of letters, digits, `_`, `-` and `.` only."""

    by: Literal["position", "content"]
    field: str = "_id"

    @cached_property
    def added_bytes(self) -> int:
        """How much longer a record gets."""
        return len('"') + len(self.field) + _AFTER_NAME

    def add(self, records: list[bytes], spans: Sequence[Span]) -> tuple[list[bytes], bytes]:
        """The records, each with an id, and a bit for each that got its id here (see `Batch`).

        The spans say where they stand. An id goes right behind the opening brace.
        """
        lacking = self._lacking(records)
        if not any(lacking):
            return records, b""
        places = (
            self._places(records, spans) if self.by == "position" else repeat(b"", len(records))
        )
        given = [
            self._with_id(record, place) if lacks else record
            for record, place, lacks in zip(records, places, lacking, strict=True)
        ]
        return given, _bits(lacking)

    def _with_id(self, record: bytes, place: bytes) -> bytes:
        id_ = hexlify(sha256(record + place).digest()[: _ID_LENGTH // 2])
        # an object without a quote has no member, and takes a blank where others take the comma
        end = b'",' if b'"' in record else b'" '
        return record.replace(b"{", self._opening + id_ + end, 1)

    @cached_property
    def _opening(self) -> bytes:
        return b'{"%b":"' % self.field.encode()

    @staticmethod
    def _places(records: Sequence[bytes], spans: Sequence[Span]) -> Iterator[bytes]:
        """Of each record, the source and the offset. A newline, as no record has, begins them.

        Where offsets are not known, the line takes their place.
        """
        first = 0
        for span in spans:
            source = b"\n" + span.source.encode("utf-8", "backslashreplace")
            if not span.newline:
                yield from (b"%b:line %d" % (source, span.line + n) for n in range(span.count))
                first += span.count
                continue
            offset = span.offset
            for record in records[first : first + span.count]:
                yield b"%b:%d" % (source, offset)
                offset += len(record) + span.newline
            first += span.count

    def _lacking(self, records: Sequence[bytes]) -> list[bool]:
        """Of each record, whether it lacks the field at its top level."""
        whole = b"\n".join(records)
        if b"\\" not in whole and not self._name.search(whole):  # neither in escapes nor plainly
            return [True] * len(records)
        decode = self._decoder.decode
        try:
            return [decode(record).id is msgspec.UNSET for record in records]
        except (msgspec.DecodeError, RecursionError):
            return list(map(self._lacks, records))

    def _lacks(self, record: bytes) -> bool:
        try:
            return self._decoder.decode(record).id is msgspec.UNSET
        except (msgspec.DecodeError, RecursionError):  # legal, and yet beyond this decoder
            return all(json.loads(key) != self.field for key in keys(record))

    @cached_property
    def _name(self) -> re.Pattern[bytes]:
        return re.compile(re.escape(self.field.encode()))  # twice as fast as `in`, as measured

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        field = msgspec.field(default=msgspec.UNSET, name=self.field)
        found = msgspec.defstruct(
            "Found", [("id", msgspec.Raw | msgspec.UnsetType, field)], gc=False
        )
        return msgspec.json.Decoder(found)


def without(records: Sequence[bytes], ids_added: bytes) -> list[bytes]:
    """The records as they were before `add`, whatever the field was called."""
    if not ids_added:
        return list(records)
    flags = _flags(ids_added, len(records))
    return [
        _stripped(record) if flag else record for record, flag in zip(records, flags, strict=True)
    ]


def chosen(ids_added: bytes, count: int, indexes: Sequence[int]) -> bytes:
    """The bits of some of the records, of *count* in all."""
    if not ids_added:
        return b""
    flags = _flags(ids_added, count)
    return _bits([flags[index] for index in indexes])


def _stripped(record: bytes) -> bytes:
    start = record.index(b"{") + 1
    name_end = record.index(b'"', start + 1)
    return record[:start] + record[name_end + _AFTER_NAME :]


def _bits(flags: Sequence[bool]) -> bytes:
    """Eight flags a byte, lowest bit first; empty where none is set."""
    if not any(flags):
        return b""
    number = int(bytes(flags)[::-1].translate(_DIGITS), 2)
    return number.to_bytes((len(flags) + 7) // 8, "little")


def _flags(bits: bytes, count: int) -> list[bool]:
    number = int.from_bytes(bits, "little")
    return [digit == "1" for digit in reversed(f"{number:0{count}b}")]
