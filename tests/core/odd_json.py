"""JSON as nobody would write it: names twice, escapes anywhere, blanks, numbers of any length."""

import json
from typing import Any

from hypothesis import strategies as st

NAMES = ["a", "b", "é", "a b", "s/"]


class Object(list[tuple[str, Any]]):
    """The members of an object as they were written: names twice are there twice."""


def read(text: bytes) -> Any:
    """A JSON text as objects, lists and, for each scalar, what it says; numbers as written."""
    return json.loads(text, object_pairs_hook=Object, parse_int=_Number, parse_float=_Number)


class _Number(str):
    pass


blank = st.sampled_from(["", "", "", " ", "\t", "\r", " \n "])


def _escaped(text: str) -> st.SearchStrategy[str]:
    plain = json.dumps(text, ensure_ascii=False)
    return st.sampled_from(
        [
            plain,
            plain.replace("/", "\\/"),
            json.dumps(text),
            '"' + "".join(f"\\u{ord(each):04x}" for each in text) + '"',
        ]
    )


names = st.sampled_from(NAMES).flatmap(_escaped)
texts = st.sampled_from(
    ["", " ", " A@B.c ", '"a":1', "a", "é{", "\\", "]}", '\\"a', "ÄÖ\u0130"]
).flatmap(_escaped)
scalars = (
    st.sampled_from(
        ["0", "-1.50", "1e999", "123456789012345678901234567890", "true", "null", '"\\ud800"']
    )
    | texts
)


def _wrapped(opening: str, closing: str, parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    joined = st.lists(parts, max_size=4).map(",".join)
    return st.tuples(blank, joined, blank).map(lambda inner: opening + "".join(inner) + closing)


def _padded(part: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(blank, part, blank).map("".join)


def _objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    member = st.tuples(_padded(names), _padded(values)).map(":".join)
    return _wrapped("{", "}", member)


values = st.recursive(
    scalars, lambda inner: _objects(inner) | _wrapped("[", "]", _padded(inner)), max_leaves=8
)
objects = _padded(_objects(values)).map(lambda text: text.encode("utf-8", "surrogatepass"))
