"""Is a component that somebody wrote a JSON schema at all, and if not, where is it none?"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

DEPTH_MAX = 64  # schemas within schemas
_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")


def problem(component: Mapping[str, Any]) -> str | None:
    """What is wrong with the keywords of a component, after the place; None where nothing is."""
    return _problem(component, "#", 0)


def _problem(schema: Any, place: str, depth: int) -> str | None:
    if not isinstance(schema, Mapping):
        return f"{place}: found {_shown(schema)}; write a schema, which is an object"
    if depth > DEPTH_MAX:
        return f"{place}: schemas lie within each other more than {DEPTH_MAX} deep"
    for keyword, (is_right, wanted) in _KEYWORDS.items():
        if keyword in schema and not is_right(schema[keyword]):
            return f"{place}/{keyword}: found {_shown(schema[keyword])}; write {wanted}"
    within = _within(schema)
    return next(
        (found for step, inner in within if (found := _problem(inner, place + step, depth + 1))),
        None,
    )


def _within(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The schemas within a schema whose keywords are right, and how to get there."""
    for keyword in ("properties", "definitions"):
        for name, inner in schema.get(keyword, {}).items():
            yield f"/{keyword}/{name}", inner
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index, inner in enumerate(schema.get(keyword, ())):
            yield f"/{keyword}/{index}", inner
    for keyword in ("items", "additionalProperties"):
        inner = schema.get(keyword, True)
        if not isinstance(inner, bool):
            yield f"/{keyword}", inner


def _is_text(found: Any) -> bool:
    return isinstance(found, str)


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


def _is_count(found: Any) -> bool:
    return isinstance(found, int) and not isinstance(found, bool) and found >= 0


def _is_list_of_texts(found: Any) -> bool:
    return isinstance(found, list) and all(isinstance(each, str) for each in found)


def _is_object(found: Any) -> bool:
    return isinstance(found, Mapping)


def _is_list(found: Any) -> bool:
    return isinstance(found, list)


_KEYWORDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "type": (lambda found: _is_text(found) and found in _TYPES, f"one of {', '.join(_TYPES)}"),
    **dict.fromkeys(
        ("$ref", "title", "description", "format", "pattern", "meta:xdmType", "meta:class"),
        (_is_text, "a text"),
    ),
    "meta:refProperty": (
        lambda found: _is_text(found) or _is_list_of_texts(found),
        "a JSON pointer, or a list of them",
    ),
    "meta:enum": (lambda found: _is_object(found) or _is_list(found), "an object"),
    **dict.fromkeys(("properties", "definitions"), (_is_object, "an object")),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "enum"), (_is_list, "a list")),
    **dict.fromkeys(
        ("required", "meta:extends", "meta:intendedToExtend", "meta:immutableTags"),
        (_is_list_of_texts, "a list of texts"),
    ),
    **dict.fromkeys(
        ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), (_is_number, "a number")
    ),
    **dict.fromkeys(
        ("minLength", "maxLength", "minItems", "maxItems"), (_is_count, "a whole number from 0")
    ),
}


def _shown(found: Any) -> str:
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:57]}..."
