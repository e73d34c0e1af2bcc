"""What was found wrong with records, told by its kind however many records it met?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

KINDS_MAX = 1000  # of errors, and of warnings; further ones are counted together
_OTHERS = "further kinds, not told apart"
_NAMES_NO_VALUE = frozenset({"required", "additionalProperties", "type"})
_PARTICULAR = re.compile(r"'[^']*'|\"[^\"]*\"|\[[^\]]*\]|\d+")
_INDEX = re.compile(r"/\d+(?=/|$)")
_SAMPLE_BYTES = 2000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record stands: a line, from 1, of a source."""

    source: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


@dataclass(slots=True)
class Kind:
    """One way in which records are wrong: a keyword at a place in the record, in words.

    `message` and `sample`, the beginning of a record, are those of the first one; of the first few
    kinds it may be the whole record. `places` are the first few.
    """

    keyword: str
    pointer: str
    message: str
    sample: bytes
    count: int = 0
    places: list[Place] = field(default_factory=list)


class Kinds:
    """Kinds by what makes them one, in the order in which they were met."""

    def __init__(self, places_max: int, whole_max: int = 0) -> None:
        self._whole_max = whole_max
        self._places_max = places_max
        self._found: dict[tuple[str, ...], Kind] = {}

    def __iter__(self) -> Iterator[Kind]:
        """The most frequent first."""
        return iter(sorted(self._found.values(), key=lambda kind: -kind.count))

    def __len__(self) -> int:
        return len(self._found)

    def add(self, keyword: str, pointer: str, message: str, record: bytes, place: Place) -> None:
        """One record is wrong in this way."""
        general = _INDEX.sub("/*", pointer)
        # a message that names a value is another one for each record
        words = message if keyword in _NAMES_NO_VALUE else _PARTICULAR.sub("…", message)
        key = (keyword, general) if keyword in _BY_PLACE else (keyword, general, words)
        found = self._of(key, Kind(keyword, general, message, record))
        found.count += 1
        self._note(found, [place])

    def merge(self, other: "Kinds") -> None:
        """Take in what was found in later records."""
        for key, kind in other._found.items():
            found = self._of(key, Kind(kind.keyword, kind.pointer, kind.message, kind.sample))
            found.count += kind.count
            self._note(found, kind.places)

    def _of(self, key: tuple[str, ...], new: Kind) -> Kind:
        if key not in self._found and len(self._found) >= KINDS_MAX:
            key, new = (_OTHERS,), Kind(_OTHERS, "", "", new.sample)
        if key not in self._found:
            if len(self._found) >= self._whole_max:
                new.sample = new.sample[:_SAMPLE_BYTES]
            self._found[key] = new
        return self._found[key]

    def _note(self, kind: Kind, places: list[Place]) -> None:
        for place in places[: self._places_max - len(kind.places)]:
            if place not in kind.places[-1:]:  # a record may be wrong twice in one way
                kind.places.append(place)


# What these say of a value is different for each, and the schema says one thing of a place.
_BY_PLACE = frozenset(
    {
        *("format", "pattern", "enum", "minLength", "maxLength", "minItems", "maxItems"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "uniqueItems", "oneOf"),
        *("invalid_json", "invalid_utf8", "not_an_object", "too_large", "profile_size"),
    }
)


class Findings:
    """What became of records: how many there were, and would not be taken, and why."""

    def __init__(self, places_max: int, whole_max: int = 0) -> None:
        self.records = 0
        self.rejected = 0
        self.warned = 0
        self.bytes = 0
        self.errors = Kinds(places_max, whole_max)
        self.warnings = Kinds(places_max)

    def merge(self, later: "Findings") -> None:
        """Take in what became of later records."""
        self.records += later.records
        self.rejected += later.rejected
        self.warned += later.warned
        self.bytes += later.bytes
        self.errors.merge(later.errors)
        self.warnings.merge(later.warnings)

    def as_json(self) -> dict[str, Any]:
        """For scripts."""
        return {
            "records": self.records,
            "bytes": self.bytes,
            "would_land": self.records - self.rejected,
            "rejected": self.rejected,
            "with_warnings": self.warned,
            "errors": [_as_object(kind) for kind in self.errors],
            "warnings": [_as_object(kind) for kind in self.warnings],
        }


def _as_object(kind: Kind) -> dict[str, Any]:
    return {
        "keyword": kind.keyword,
        "pointer": kind.pointer,
        "message": kind.message,
        "count": kind.count,
        "places": [{"source": place.source, "line": place.line} for place in kind.places],
        "sample": kind.sample[:_SAMPLE_BYTES].decode("utf-8", "backslashreplace"),
    }
