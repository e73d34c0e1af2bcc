"""Is this text exactly one JSON object by the letter of RFC 8259, and if not, what is wrong where?

The second opinion. The decoder of the hot path is fast but gives up on things that are legal
(nesting beyond its recursion limit, escaped lone surrogates); this one keeps no recursion, accepts
just what the grammar accepts, and can say what it expected.
"""

import re
from collections.abc import Iterator

# Whatever stands at a place, something matches there: "fault" where no token does, and at the end.
_TOKEN = re.compile(
    rb"""[ \t\r\n]*+ (?:
      (?P<string>  "  [^"\\\x00-\x1f]*+
                   (?: \\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})  [^"\\\x00-\x1f]*+ )*+  " )
    | (?P<comma>   , )
    | (?P<colon>   : )
    | (?P<scalar>  -?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9.eE+-])
                 | (?:true|false|null)(?![A-Za-z0-9_]) )
    | (?P<object>  \{ )
    | (?P<close_object>  \} )
    | (?P<array>   \[ )
    | (?P<close_array>   \] )
    | (?P<fault>) )""",
    re.VERBOSE,
)

# A string up to where it is closed, or stops being one.
_BROKEN_STRING = re.compile(
    rb"""  "  [^"\\\x00-\x1f]*+
           (?: \\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})  [^"\\\x00-\x1f]*+ )*+ """,
    re.VERBOSE,
)
_SPACE = re.compile(rb"[ \t\r\n]*+")
_BACKSLASH = 0x5C

# What is expected, as people would say it, and for each token that fits, what is expected next.
# After a token that closes, that depends on what was open round it: it was noted on opening.
_AN_OBJECT = "an object"
_FIRST_KEY = "a key in double quotes or }"
_KEY = "a key in double quotes"
_COLON = "a colon"
_MEMBER = "a value"
_AFTER_MEMBER = "a comma or }"
_FIRST_ELEMENT = "a value or ]"
_ELEMENT = "another value"
_AFTER_ELEMENT = "a comma or ]"
_NOTHING_MORE = "nothing more"
_AS_AROUND = ""

_Steps = dict[str | None, str]
_OPENING: _Steps = {"object": _FIRST_KEY, "array": _FIRST_ELEMENT}
_AN_ELEMENT: _Steps = {"string": _AFTER_ELEMENT, "scalar": _AFTER_ELEMENT, **_OPENING}
_NEXT: dict[str, _Steps] = {
    _AN_OBJECT: {"object": _FIRST_KEY},
    _FIRST_KEY: {"string": _COLON, "close_object": _AS_AROUND},
    _KEY: {"string": _COLON},
    _COLON: {"colon": _MEMBER},
    _MEMBER: {"string": _AFTER_MEMBER, "scalar": _AFTER_MEMBER, **_OPENING},
    _AFTER_MEMBER: {"comma": _KEY, "close_object": _AS_AROUND},
    _FIRST_ELEMENT: {**_AN_ELEMENT, "close_array": _AS_AROUND},
    _ELEMENT: _AN_ELEMENT,
    _AFTER_ELEMENT: {"comma": _ELEMENT, "close_array": _AS_AROUND},
    _NOTHING_MORE: {},
}
_AFTER_CLOSING = {
    _AN_OBJECT: _NOTHING_MORE,
    _MEMBER: _AFTER_MEMBER,
    _FIRST_ELEMENT: _AFTER_ELEMENT,
    _ELEMENT: _AFTER_ELEMENT,
}


def object_fault(text: bytes) -> str | None:
    """What keeps *text* from being one JSON object, as a phrase for people; None where it is one.

    *text* must be valid UTF-8: bytes inside strings are not looked at.
    """
    around: list[str] = []  # what is expected after each object and array that is still open
    expected = _AN_OBJECT
    tokens = _TOKEN.finditer(text)
    while True:
        token = next(tokens)
        following = _NEXT[expected].get(token.lastgroup)
        if following is None:
            return _complaint(text, token, expected)
        if token.lastgroup in _OPENING:
            around.append(_AFTER_CLOSING[expected])
        expected = following or around.pop()


def tokens(text: bytes) -> Iterator[re.Match[bytes]]:
    """The tokens of JSON that is sound, each under the name of its group."""
    return (token for token in _TOKEN.finditer(text) if token.lastgroup != "fault")


def keys(record: bytes) -> Iterator[bytes]:
    """The keys of a legal JSON object as they are written: with quotes and escapes."""
    depth, before = 0, b""
    for token in _TOKEN.finditer(record):
        if token.lastgroup in _OPENING:
            depth += 1
        elif token.lastgroup in ("close_object", "close_array"):
            depth -= 1
        elif token.lastgroup == "colon" and depth == 1:
            yield before.strip(b" \t\r\n")
        before = token[0]


def _complaint(text: bytes, token: re.Match[bytes], expected: str) -> str | None:
    """What is wrong where *token* does not fit; None where it is the end of a finished text."""
    at = _SPACE.match(text, token.start()).end()  # type: ignore[union-attr]  # always matches
    if expected == _NOTHING_MORE:
        if at == len(text):
            return None
        return f"the object ends, but more follows at byte {at}: {_shown(text, at)}"
    if at == len(text):
        return f"the text ends at byte {at} where {expected} was expected"
    broken = _BROKEN_STRING.match(text, at)
    if broken and token.lastgroup == "fault" and "string" in _NEXT[expected]:
        return _complaint_of_string(text, at, broken.end())
    return f"expected {expected} at byte {at}, found {_shown(text, at)}"


def _complaint_of_string(text: bytes, begin: int, at: int) -> str:
    """What is wrong with a string that is none from the byte *at* on."""
    if at == len(text):
        return f"the string that begins at byte {begin} is not closed"
    if text[at] == _BACKSLASH:
        return f"found a backslash at byte {at} before what JSON does not escape"
    return f"found {_shown(text, at)} in a string at byte {at}, where it has to be escaped"


def _shown(text: bytes, at: int) -> str:
    """The byte at fault, never more of the record than that: records do not belong in messages."""
    character = text[at : at + 4].decode("utf-8", "replace")[:1]
    return repr(character) if character.isprintable() else f"U+{ord(character):04X}"
