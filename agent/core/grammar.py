"""Is this text exactly one JSON object by the letter of RFC 8259, and if not, what is wrong where?

The second opinion. The decoder of the hot path is fast but gives up on things that are legal
(nesting beyond its recursion limit, escaped lone surrogates); this one keeps no recursion, accepts
just what the grammar accepts, and can say what it expected.
"""

import re

_TOKEN = re.compile(
    rb"""[ \t\r\n]*+ (?:
      (?P<mark>    [{}\[\]:,] )
    | (?P<string>  "  [^"\\\x00-\x1f]*+
                   (?: \\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})  [^"\\\x00-\x1f]*+ )*+  " )
    | (?P<scalar>  -?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9.eE+-])
                 | (?:true|false|null)(?![A-Za-z0-9_]) )
    )""",
    re.VERBOSE,
)
_SPACE = re.compile(rb"[ \t\r\n]*+")

# What may come next, as sets of token classes: marks stand for themselves, "v" is a string or
# another scalar where a value may stand, "k" a string where a key must stand.
_VALUE = frozenset({"{", "[", "v"})
_FIRST_VALUE = _VALUE | {"]"}
_KEY = frozenset({"k"})
_FIRST_KEY = _KEY | {"}"}
_COLON = frozenset({":"})
_AFTER_IN_OBJECT = frozenset({",", "}"})
_AFTER_IN_ARRAY = frozenset({",", "]"})

_WANTED = {
    _VALUE: "a value",
    _FIRST_VALUE: "a value or ]",
    _KEY: "a key in double quotes",
    _FIRST_KEY: "a key in double quotes or }",
    _COLON: "a colon",
    _AFTER_IN_OBJECT: "a comma or }",
    _AFTER_IN_ARRAY: "a comma or ]",
}


def object_fault(text: bytes) -> str | None:
    """What keeps *text* from being one JSON object, as a phrase for people; None where it is one.

    *text* must be valid UTF-8: bytes inside strings are not looked at.
    """
    start = _SPACE.match(text).end()  # type: ignore[union-attr]  # matches the empty string too
    if text[start : start + 1] != b"{":
        return f"expected an object at byte {start}, found {_shown(text, start)}"
    open_marks = bytearray(b"{")
    expected = _FIRST_KEY
    at = start + 1
    while open_marks:
        token = _TOKEN.match(text, at)
        kind = _kind(token, expected) if token else None
        if token is None or kind not in expected:
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            if at >= len(text):
                return f"the text ends at byte {at} where {_WANTED[expected]} was expected"
            return f"expected {_WANTED[expected]} at byte {at}, found {_shown(text, at)}"
        expected = _after(kind, open_marks)
        at = token.end()
    at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
    if at < len(text):
        return f"the object ends at byte {at}, but more follows: {_shown(text, at)}"
    return None


def _kind(token: re.Match[bytes], expected: frozenset[str]) -> str:
    if token["mark"]:
        return token["mark"].decode()
    return "k" if token["string"] and "k" in expected else "v"


def _after(kind: str, open_marks: bytearray) -> frozenset[str]:
    """What may follow a token of this kind; keeps count of what is still open."""
    if kind in "{[":
        open_marks += kind.encode()
        return _FIRST_KEY if kind == "{" else _FIRST_VALUE
    if kind in "}]":
        open_marks.pop()
    in_object = open_marks[-1:] == b"{"
    if kind == "k":
        return _COLON
    if kind == ":":
        return _VALUE
    if kind == ",":
        return _KEY if in_object else _VALUE
    return _AFTER_IN_OBJECT if in_object else _AFTER_IN_ARRAY


def _shown(text: bytes, at: int) -> str:
    """The byte at fault, never more of the record than that: records do not belong in messages."""
    if at >= len(text):
        return "nothing"
    character = text[at : at + 4].decode("utf-8", "replace")[:1]
    return repr(character) if character.isprintable() else f"U+{ord(character):04X}"
