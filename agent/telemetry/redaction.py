"""What may be said aloud? Turns any value into plain text, numbers, lists and mappings that hold
no secret and no record.

A secret is known by the name it goes under, by its shape (`Bearer …`, a JWT, credentials in a
URL), or because its owner registered it with `redact`. Records travel as bytes, so bytes are never
shown: only their length is.
"""

import dataclasses
import json
import re
from array import array
from collections.abc import Mapping, Set
from itertools import islice
from urllib.parse import quote, quote_plus

Plain = None | bool | int | float | str | list["Plain"] | dict[str, "Plain"]

REDACTED = "[redacted]"

_SHORTEST_SECRET = 4  # replacing "a" everywhere would hide the lines, not the secret
_LONGEST_SEARCHED = 1 << 20
_LONGEST_SHOWN = 8192
_MOST_ITEMS = 100
_DEEPEST = 6

_SECRET_NAMES = (
    r"token|authorization|secret|passw(?:or)?d|passphrase|credential|cookie"
    r"|api[-_ ]?key|private[-_ ]?key"
)
_SECRET_NAME = re.compile(_SECRET_NAMES, re.IGNORECASE)
_RECORD_NAMES = frozenset({"record", "body"})

# Every repetition below is bounded or stops at a character it cannot match, so that a hostile text
# costs time in proportion to its length.
_ASSIGNED = re.compile(
    rf"""((?:{_SECRET_NAMES})[\w-]{{0,40}}
    (?: ["']?\s{{0,3}}[:=]\s{{0,3}} | ["']\s{{0,3}},\s{{0,3}}(?=b?["']) ))
    (?: b?"(?:[^"\\]|\\.)*"? | b?'(?:[^'\\]|\\.)*'? | (?:(?:bearer|basic)\s+)?[^\s"'&,;}}\])]+ )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_BEARER = re.compile(r"\b(bearer)\s{1,3}[^\s\"',;]+", re.IGNORECASE)
_USERINFO = re.compile(r"://[^/\s?#]*@")
_JWT = re.compile(r"\beyJ[\w-]{8,256}\.[\w-]+(?:\.[\w-]*)?")


class _Registered:
    """The secrets their owners told us of, as one pattern that finds any of them."""

    def __init__(self) -> None:
        self._spellings: dict[str, frozenset[str]] = {}
        self.pattern: re.Pattern[str] | None = None

    def add(self, value: str) -> None:
        self._spellings[value] = _spellings(value)
        self._compile()

    def remove(self, value: str) -> None:
        if self._spellings.pop(value, None):
            self._compile()

    def _compile(self) -> None:
        spelled: set[str] = set().union(*self._spellings.values())
        longest_first = sorted(spelled, key=len, reverse=True)
        self.pattern = re.compile("|".join(map(re.escape, longest_first))) if spelled else None


_registered = _Registered()


def redact(value: str) -> None:
    """Never show `value` again, in any usual spelling; under 4 characters it is ignored."""
    if len(value) >= _SHORTEST_SECRET:
        _registered.add(value)


def forget(value: str) -> None:
    """Stop looking for `value`: it has expired, another took its place."""
    _registered.remove(value)


def scrub(value: object) -> Plain:
    """`value` made plain, harmless and of bounded size; never raises."""
    return _scrubbed(value, _DEEPEST)


def scrub_fields(fields: Mapping[str, object]) -> dict[str, Plain]:
    """As `scrub`, for named values: secrets and records are recognised by name too."""
    return _scrubbed_items(fields, _DEEPEST)


def scrub_text(text: str, *, keep_end: bool = False) -> str:
    """`text` without secrets and of bounded length: its beginning is kept, or its end."""
    if len(text) > _LONGEST_SEARCHED:
        return f"[{len(text)} characters]"
    text = str.__str__(text)
    if _registered.pattern is not None:
        text = _registered.pattern.sub(REDACTED, text)
    text = _ASSIGNED.sub(rf"\1{REDACTED}", text)
    text = _BEARER.sub(rf"\1 {REDACTED}", text)
    text = _USERINFO.sub(f"://{REDACTED}@", text)
    text = _JWT.sub(REDACTED, text)
    if not text.isascii():  # lone surrogates (file names that are not UTF-8) cannot be written
        text = text.encode("utf-8", "backslashreplace").decode()
    return _clipped(text, keep_end)


def _clipped(text: str, keep_end: bool) -> str:
    cut = len(text) - _LONGEST_SHOWN
    if cut <= 0:
        return text
    if keep_end:
        return f"[{cut} characters cut] {text[cut:]}"
    return f"{text[:_LONGEST_SHOWN]} [{cut} characters cut]"


def _scrubbed(value: object, depth: int) -> Plain:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float):
        return float(value)
    if isinstance(value, int):
        return int(value) if abs(value) < 1 << 63 else hex(value)
    if isinstance(value, str):
        return scrub_text(value)
    if isinstance(value, array):  # numbers and nothing else, however many
        return list(value.tolist())
    if isinstance(value, bytes | bytearray | memoryview):
        return f"[{_size(value)} bytes]"
    if isinstance(value, BaseException):
        return scrub_text(_said_by(value))
    if depth == 0:
        return f"[{type(value).__name__}]"
    try:
        return _scrubbed_inside(value, depth - 1)
    except Exception:  # noqa: BLE001 - what cannot be read must not stop the speaker
        return f"[{type(value).__name__}]"


def _scrubbed_inside(value: object, depth: int) -> Plain:
    if isinstance(value, Mapping):
        return _scrubbed_items(value, depth)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return _scrubbed_items({name: getattr(value, name, None) for name in names}, depth)
    if isinstance(value, list | tuple | Set):
        shown: list[Plain] = [_scrubbed(item, depth) for item in islice(value, _MOST_ITEMS)]
        if len(value) > _MOST_ITEMS:
            shown.append(f"[{len(value) - _MOST_ITEMS} more]")
        return shown
    return scrub_text(_text(value))


def _scrubbed_items(items: Mapping[str, object], depth: int) -> dict[str, Plain]:
    shown: dict[str, Plain] = {}
    for key, value in islice(items.items(), _MOST_ITEMS):
        name = _text(key)
        shown[scrub_text(name)] = _scrubbed_named(name, value, depth)
    if len(items) > _MOST_ITEMS:
        shown["more"] = f"[{len(items) - _MOST_ITEMS} more]"
    return shown


def _scrubbed_named(name: str, value: object, depth: int) -> Plain:
    if name.lower() in _RECORD_NAMES:
        unit = "characters" if isinstance(value, str) else "bytes"
        size = _size(value)
        return "[not shown]" if size is None else f"[{size} {unit}]"
    if _SECRET_NAME.search(name) and value is not None and not isinstance(value, bool):
        return REDACTED
    return _scrubbed(value, depth)


def _size(value: object) -> int | None:
    if isinstance(value, memoryview):
        return value.nbytes
    return len(value) if isinstance(value, str | bytes | bytearray) else None


def _said_by(error: BaseException) -> str:
    words = _text(error)
    name = type(error).__name__
    return f"{name}: {words}" if words else name


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - nor must what cannot be put in words
        return f"[{type(value).__name__}]"


def _spellings(value: str) -> frozenset[str]:
    """How `value` looks in a URL, in JSON, in a literal and in a literal of its bytes."""
    raw = value.encode("utf-8", "surrogateescape")
    spelled = (
        value,
        quote(raw, safe=""),
        quote(raw),
        quote_plus(raw),
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        repr(raw)[2:-1],
    )
    return frozenset(spelled)
