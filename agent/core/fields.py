"""What is the value of a field, and where in the bytes of a record does it stand?

A record is never parsed and written anew. Where its fields are asked for, a decoder that builds
nothing finds the member of the top level, and only the bytes of that one are looked at. What this
decoder gives up on, and whatever could be found twice or be written with escapes, is walked through
token by token instead.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import msgspec

from agent.conditions import ABSENT, EACH, Json, Steps, Value
from agent.core.grammar import tokens

_QUOTE, _BACKSLASH = b'"'[0], b"\\"[0]
_OPENING, _CLOSING = ("object", "array"), ("close_object", "close_array")
_BEYOND = (msgspec.DecodeError, RecursionError, UnicodeDecodeError)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands in a record; `member` is where its name begins, if it has one."""

    member: int
    start: int
    end: int


class Reader:
    """Reads the values of some fields of many records."""

    def __init__(self, paths: Sequence[Steps]) -> None:
        names = _names(paths)
        self._fields = [(f"f{names.index(str(path[0]))}", path) for path in paths]
        self._decode = _decoder(names).decode

    def values(self, record: bytes) -> list[Value]:
        """The value of each field. Of a name that is there twice, the last one counts."""
        try:
            found = self._decode(record)
            return [_at(getattr(found, name), path) for name, path in self._fields]
        except _BEYOND:
            return [_walked(record, path) for _, path in self._fields]


class Field:
    """Finds one field in many records, wherever it stands."""

    def __init__(self, path: Steps) -> None:
        self.path = path

    def places(self, record: bytes) -> list[Place]:
        """Every place of the field, in order: more than one where names, or `[*]`, say so."""
        if self._may_be_escaped(record):
            return list(walk(record, self.path))
        named = list(self._name.finditer(record))
        if not named:
            return []
        if len(named) > 1 or record[named[0].start() - 1] == _BACKSLASH:
            return list(walk(record, self.path))
        try:
            found = self._decoder.decode(record).f0
        except _BEYOND:
            return list(walk(record, self.path))
        if found is msgspec.UNSET:
            return []
        start, end = named[0].end(), named[0].end() + len(found)
        if len(self.path) == 1:
            return [Place(named[0].start(), start, end)]
        within = walk(record[start:end], self.path[1:])
        return [
            Place(start + place.member, start + place.start, start + place.end) for place in within
        ]

    def last(self, record: bytes) -> Place | None:
        """Its place where of names that are there twice only the last one counts."""
        text, at, place = record, 0, None
        for depth, step in enumerate(self.path):
            places = self._first.places(text) if depth == 0 else list(walk(text, (step,)))
            if not places:
                return None
            found = places[-1]
            place = Place(at + found.member, at + found.start, at + found.end)
            text, at = record[place.start : place.end], place.start
        return place

    @cached_property
    def _first(self) -> "Field":
        return Field(self.path[:1])

    def _may_be_escaped(self, record: bytes) -> bool:
        return b"\\u" in record or b"/" in self._literal

    @cached_property
    def _literal(self) -> bytes:
        return json.dumps(self.path[0], ensure_ascii=False).encode()

    @cached_property
    def _name(self) -> re.Pattern[bytes]:
        return re.compile(re.escape(self._literal) + rb"[ \t\r\n]*:[ \t\r\n]*")

    @cached_property
    def _decoder(self) -> msgspec.json.Decoder[Any]:
        return _decoder([cast("str", self.path[0])])


def _walked(record: bytes, path: Steps) -> Value:
    """The value of a field, found token by token."""
    last = Field(path).last(record)
    return ABSENT if last is None else value_of(record[last.start : last.end])


def value_of(text: bytes) -> Json:
    """A JSON value. One that is nested too deeply for this is read as a text."""
    if text[0] == _QUOTE and b"\\" not in text:
        return text[1:-1].decode()
    try:
        return cast("Json", json.loads(text))
    except RecursionError:
        return text.decode()


def walk(text: bytes, path: Steps) -> Iterator[Place]:
    """Every place of a path in a JSON value, which must be sound. Keeps no recursion."""
    around: list[_Container] = []  # what is open at this place
    wanted: list[Place] = []  # those of them which are meant, not ended yet
    member, name, is_name = 0, b"", False
    for token in tokens(text):
        kind, start = token.lastgroup, token.start(token.lastgroup or 0)
        container = around[-1] if around else None
        if kind == "comma":
            assert container
            container.index += 1
            is_name = container.is_object
        elif kind == "colon":
            continue
        elif kind in _CLOSING:
            if around.pop().is_meant:
                place = wanted.pop()
                yield Place(place.member, place.start, token.end())
            is_name = False
        elif is_name:
            member, name, is_name = start, token[0].strip(b" \t\r\n"), False
        else:
            on_path = container is None or container.leads(path, len(around), name)
            is_meant = on_path and len(around) == len(path)
            begins = member if container and container.is_object else start
            if kind in _OPENING:
                around.append(_Container(kind == "object", on_path and not is_meant, is_meant))
                is_name = kind == "object"
                if is_meant:
                    wanted.append(Place(begins, start, 0))
            elif is_meant:
                yield Place(begins, start, token.end())


@dataclass(slots=True)
class _Container:
    """An object or array that is open: is it on the path, or what the path leads to?"""

    is_object: bool
    on_path: bool
    is_meant: bool
    index: int = 0

    def leads(self, path: Steps, depth: int, name: bytes) -> bool:
        """Whether what stands in it at this place is on the path."""
        if not self.on_path:
            return False
        step = path[depth - 1]
        if isinstance(step, int):
            return not self.is_object and step in (self.index, EACH)
        return self.is_object and json.loads(name) == step


def _names(paths: Sequence[Steps]) -> list[str]:
    return list(dict.fromkeys(cast("str", path[0]) for path in paths))


def _decoder(names: Sequence[str]) -> msgspec.json.Decoder[Any]:
    """Finds members of the top level, and builds nothing of them."""
    fields = [
        (
            f"f{number}",
            msgspec.Raw | msgspec.UnsetType,
            msgspec.field(default=msgspec.UNSET, name=name),
        )
        for number, name in enumerate(names)
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Found", fields, gc=False))


def _at(raw: msgspec.Raw | msgspec.UnsetType, path: Steps) -> Value:
    if isinstance(raw, msgspec.UnsetType):
        return ABSENT
    value: Any = value_of(bytes(raw))
    for step in path[1:]:
        if isinstance(step, int):
            if not isinstance(value, list) or step >= len(value):
                return ABSENT
        elif not isinstance(value, dict) or step not in value:
            return ABSENT
        value = value[step]
    return cast("Json", value)
