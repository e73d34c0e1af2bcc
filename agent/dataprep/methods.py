"""Which methods of Java's strings, lists and maps can be called on a value, and what do they give?

Those that people call in mappings. A method of null is null, as JEXL has it where it is lenient.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agent.dataprep import patterns
from agent.dataprep.evaluation import bound
from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions import strings
from agent.dataprep.values import compare, equal, integer_of, kind_of, text, text_of

Method = Callable[..., Any]


def _substring(own: str, start: Any, end: Any = None) -> str:
    first = integer_of(start)
    behind = len(own) if end is None else integer_of(end)
    if not 0 <= first <= behind <= len(own):
        raise EvaluationError(f"there is no substring from {first} to {behind}")
    return own[first:behind]


def _char_at(own: str, place: Any) -> str:
    return _substring(own, place, integer_of(place) + 1)


def _concat(own: str, other: Any) -> str:
    bound(len(own) + len(text(other)))
    return own + text(other)


def _split(own: str, pattern: Any) -> list[str]:
    parts = patterns.split(text(pattern), own)
    while len(parts) > 1 and not parts[-1]:  # as Java does
        parts.pop()
    return parts


def _code(own: str) -> int:
    code = 0
    for unit in own:
        code = (31 * code + ord(unit)) & 0xFFFFFFFF
    return code - (1 << 32) if code >= 1 << 31 else code


_STRING: Mapping[str, Method] = {
    "equals": lambda own, other: own == other,
    "equalsIgnoreCase": lambda own, other: isinstance(other, str) and own.lower() == other.lower(),
    "compareTo": lambda own, other: compare(own, text(other)),
    "compareToIgnoreCase": lambda own, other: compare(own.lower(), text(other).lower()),
    "length": len,
    "isEmpty": lambda own: not own,
    "isBlank": lambda own: not own.strip(),
    "contains": lambda own, other: text(other) in own,
    "startsWith": lambda own, other: own.startswith(text(other)),
    "endsWith": lambda own, other: own.endswith(text(other)),
    "indexOf": lambda own, other, start=0: own.find(text(other), max(integer_of(start), 0)),
    "lastIndexOf": lambda own, other: own.rfind(text(other)),
    "substring": _substring,
    "charAt": _char_at,
    "concat": _concat,
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": lambda own: own.strip(" \t\r\n\f\v"),
    "strip": str.strip,
    "replace": lambda own, old, new: strings.replacestr(own, text(old), text(new)),
    "replaceAll": lambda own, old, new: patterns.replaced(text(old), own, text(new)),
    "replaceFirst": lambda own, old, new: patterns.replaced(text(old), own, text(new), 1),
    "matches": lambda own, pattern: patterns.fullmatch(text(pattern), own) is not None,
    "split": _split,
    "hashCode": _code,
}


def _element(own: list[Any], place: Any) -> Any:
    at = integer_of(place)
    if not 0 <= at < len(own):
        raise EvaluationError(f"an array of {len(own)} elements has none at {at}")
    return own[at]


_LIST: Mapping[str, Method] = {
    "get": _element,
    "size": len,
    "isEmpty": lambda own: not own,
    "contains": lambda own, other: any(equal(each, other) for each in own),
    "indexOf": lambda own, other: next((at for at, it in enumerate(own) if equal(it, other)), -1),
    "equals": lambda own, other: own == other,
}
_MAP: Mapping[str, Method] = {
    "get": lambda own, key: own.get(text_of(key)),
    "getOrDefault": lambda own, key, value: own.get(text_of(key), value),
    "containsKey": lambda own, key: text_of(key) in own,
    "containsValue": lambda own, value: any(equal(each, value) for each in own.values()),
    "keySet": list,
    "values": lambda own: list(own.values()),
    "size": len,
    "isEmpty": lambda own: not own,
    "equals": lambda own, other: own == other,
}
_ANY: Mapping[str, Method] = {"equals": equal, "toString": text_of}
NAMES = frozenset({*_STRING, *_LIST, *_MAP, *_ANY})


def call(own: Any, name: str, values: list[Any]) -> Any:
    """The answer of the value's method. Raises EvaluationError where it has none of that name."""
    if own is None:
        return None
    table = _STRING if isinstance(own, str) else _LIST if isinstance(own, list) else _MAP
    methods = table if isinstance(own, str | list | dict) else {}
    method = methods.get(name) or _ANY.get(name)
    if method is None:
        raise EvaluationError(f"{kind_of(own)} has no method {name}")
    try:
        return method(own, *values)
    except TypeError:
        raise EvaluationError(f"{name} is not called with {len(values)} values") from None
