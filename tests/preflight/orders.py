"""Orders thrown by dice: right ones, and ones that are wrong in every way that there is."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

RIGHT: dict[str, list[Any]] = {
    "region": ["FR", "DE"],
    "id": [1, "17", 4711],
    "total": [0, 12.5, "99.9", 9999.99],
    "count": [1, 99, "7"],
    "state": ["open", "paid", "sent"],
    "code": ["ab", "abcde", "é漢"],
    "paid": [True, False, "yes", "no"],
    "day": ["2026-01-02", "2026/01/02", "20260102"],
    "at": ["2026-01-02T03:04:05Z", "2026-01-02 03:04:05.123"],
    "page": ["https://example.com/a?b=c"],
    "mail": ["ada@example.com"],
    "tags": [["a"], ["a", "b", "c"]],
    "lines": [[], [{"sku": "s", "price": 1}], [{"sku": "s"}, {"sku": "t", "price": "2.5"}]],
    "notes": [{}, {"a": 1, "b": 2}],
    "shop": [{"name": "n", "size": 3}, {"name": "n", "unknown": 1}],
    "born": [1970, "1970"],
    "name": ["Ada", "Zoë"],
}
WRONG: dict[str, list[Any]] = {
    "region": ["fr", None, 7],
    "id": ["", "x", [], {"a": 1}, None],
    "total": [-1, 10000, "much", {}, 2**70, True],
    "count": [0, 100, 1.5, "many", []],
    "state": ["lost", 7, ""],
    "code": ["a", "abcdef", 12345678, ["ab"]],
    "paid": ["perhaps", 2, {}],
    "day": ["2026-13-45", "soon", 17],
    "at": ["2026-01-02T25:04:05Z", "later", True],
    "page": ["not a uri \\", 7],
    "mail": ["ada", "a@b@c", 0],
    "tags": [[], ["a", "a"], ["a", "b", "c", "d"], "a", [1, 2], [None]],
    "lines": [[{"price": 1}], [{"sku": "s", "price": -1}], {}, "x", [7]],
    "notes": [{"a": "x"}, {"a": None}, "x", [1]],
    "shop": [{"size": "big"}, 7, [], {"name": {"a": 1}}],
    "born": [0, 99999, "long ago", -5],
    "name": [7, {"first": "Ada"}, ["Ada"], ""],
}
# What an inlet never accepts, and no agent sends.
NO_RECORDS = [b"{", b"[1]", b"7", b'{"a":}', b'"text"', b"\xff{}", b'{"a":1}x', b"nul"]


def lines_of(seed: int, count: int, *, wrong: float = 0.08) -> list[bytes]:
    """So many lines: records, some of them wrong in one way or several, and what is none."""
    dice = Random(seed)
    return [_line(dice, wrong) for _ in range(count)]


def _line(dice: Random, wrong: float) -> bytes:
    throw = dice.random()
    if throw < 0.02:
        return dice.choice(NO_RECORDS)
    order = {name: _value(dice, name, wrong) for name in RIGHT if dice.random() > wrong / 4}
    if throw < 0.06:
        order = dice.choice(_ODD)(order)
    text = json.dumps(order, ensure_ascii=False)
    if dice.random() < 0.5 or "\ud83d" in text:  # half a pair can only be written as an escape
        text = json.dumps(order)
    return text.encode()


def _value(dice: Random, name: str, wrong: float) -> Any:
    return dice.choice(WRONG[name] if dice.random() < wrong else RIGHT[name])


def _nested(order: dict[str, Any]) -> dict[str, Any]:
    deep: Any = 1
    for _ in range(60):
        deep = {"a": [deep]}
    return {**order, "shop": deep}


_ODD: list[Callable[[dict[str, Any]], dict[str, Any]]] = [
    _nested,
    lambda order: {},
    lambda order: {"header": {"flowId": "x", "operations": {"data": "merge"}}, "body": order},
    lambda order: {"header": {"operations": {}}, "body": [order]},
    lambda order: {"header": {}, "body": order},
    lambda order: {**order, "id": 10**30, "total": -(2**63)},
    lambda order: {**order, "name": "\ud83d", "code": "a\u0000b"},
    lambda order: {**order, "name": "x" * 5000},
]
