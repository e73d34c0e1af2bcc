"""Is this text JSON, and where do the parts of its outermost value lie?

The slow and complete answer: it follows RFC 8259 to any depth without recursion and takes escapes
of lone surrogates, both of which the fast parser refuses although they are legal.
"""

import re

_BLANK = re.compile(rb"[ \t\n\r]*+")
_STRING = re.compile(
    rb'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+"',
)
_SCALAR = re.compile(
    _STRING.pattern + rb"|-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|true|false|null"
)
_KEY = re.compile(rb"[ \t\n\r]*+(" + _STRING.pattern + rb")[ \t\n\r]*+:[ \t\n\r]*+")
_COMMA, _OBJECT, _ARRAY = b",{["
_CLOSERS = {_OBJECT: ord("}"), _ARRAY: ord("]")}


class NotJson(ValueError):
    """The text breaks JSON's grammar; the message says at which byte."""


def whole(text: bytes) -> bytes:
    """The one value that `text` holds, without the blanks round it. Raises NotJson."""
    start = _blank(text, 0)
    end = _value_end(text, start)
    _require_nothing_after(text, end)
    return text[start:end]


def elements(array: bytes) -> list[bytes]:
    """The raw elements of the array that `array` holds, blanks round it allowed. Raises NotJson."""
    start = _blank(array, 0)
    at = _blank(array, _after(array, start, _ARRAY))
    found: list[bytes] = []
    if _byte(array, at) != _CLOSERS[_ARRAY]:
        while True:
            end = _value_end(array, at)
            found.append(array[at:end])
            at = _blank(array, end)
            if _byte(array, at) != _COMMA:
                break
            at = _blank(array, at + 1)
    _require_nothing_after(array, _after(array, at, _CLOSERS[_ARRAY]))
    return found


def members(text: bytes) -> list[tuple[bytes, bytes]]:
    """The raw (quoted key, value) pairs of the object that `text` holds. Raises NotJson."""
    start = _blank(text, 0)
    at = _blank(text, _after(text, start, _OBJECT))
    found: list[tuple[bytes, bytes]] = []
    if _byte(text, at) != _CLOSERS[_OBJECT]:
        while True:
            key, at = _key(text, at)
            end = _value_end(text, at)
            found.append((key, text[at:end]))
            at = _blank(text, end)
            if _byte(text, at) != _COMMA:
                break
            at += 1
    _require_nothing_after(text, _after(text, at, _CLOSERS[_OBJECT]))
    return found


def _value_end(text: bytes, at: int) -> int:
    """Where the value starting at `at` ends; its containers are open on a stack, not on ours."""
    open_ones: list[int] = []
    while True:
        kind = _byte(text, at)
        if kind in _CLOSERS:
            at = _blank(text, at + 1)
            if _byte(text, at) != _CLOSERS[kind]:
                open_ones.append(kind)
                at = _first_value(text, at, kind)
                continue
            at += 1
        else:
            at = _scalar_end(text, at)
        at = _close(text, at, open_ones)
        if not open_ones:
            return at
        at = _first_value(text, at + 1, open_ones[-1])


def _close(text: bytes, at: int, open_ones: list[int]) -> int:
    """Leave the containers that end here; return the place of the comma, or the end of it all."""
    while open_ones:
        at = _blank(text, at)
        if _byte(text, at) == _COMMA:
            return at
        at = _after(text, at, _CLOSERS[open_ones.pop()])
    return at


def _first_value(text: bytes, at: int, container: int) -> int:
    return _key(text, at)[1] if container == _OBJECT else _blank(text, at)


def _key(text: bytes, at: int) -> tuple[bytes, int]:
    match = _KEY.match(text, at)
    if match is None:
        raise NotJson(f'expected "key": at byte {at}')
    return match[1], match.end()


def _scalar_end(text: bytes, at: int) -> int:
    match = _SCALAR.match(text, at)
    if match is None:
        raise NotJson(f"expected a value at byte {at}")
    return match.end()


def _after(text: bytes, at: int, expected: int) -> int:
    if _byte(text, at) != expected:
        raise NotJson(f"expected '{chr(expected)}' at byte {at}")
    return at + 1


def _require_nothing_after(text: bytes, end: int) -> None:
    end = _blank(text, end)
    if end != len(text):
        raise NotJson(f"expected nothing more at byte {end}")


def _blank(text: bytes, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _byte(text: bytes, at: int) -> int:
    return text[at] if at < len(text) else -1
