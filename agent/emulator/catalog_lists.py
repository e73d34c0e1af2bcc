"""Which of Catalog's objects does a query mean, in what order, and which part of them?

Lists are objects keyed by id without a word about pages: `limit` (20, at most 100) and `start`,
`orderBy=asc:created,desc:name`, `property=name==x` (also `=`, `!=`, `<`, `<=`, `>`, `>=`, `~regex`,
or a name alone for those that have it; several must all hold, commas are "or"), `tags=name:value`,
`properties=name,tags` for some keys only, and keys by their own names (`name=x`).
"""

import operator
from collections.abc import Iterable
from typing import Any

from multidict import MultiMapping

from agent.emulator import refusals
from agent.emulator.filters import Condition, condition, rank, value_at
from agent.emulator.refusals import Refused

Keyed = Iterable[tuple[str, dict[str, Any]]]

_LIMIT = 20
_LIMIT_MAX = 100
_CREATED = {"createdAfter": operator.gt, "createdBefore": operator.lt}


def chosen(objects: Keyed, query: MultiMapping[str], by_name: tuple[str, ...]) -> dict[str, Any]:
    """Those that the query means; `by_name` are the keys it may name by themselves.

    Raises Refused where it cannot be understood.
    """
    conditions = [_alternatives(text) for text in query.getall("property", [])]
    found = [
        (id_, each)
        for id_, each in objects
        if all(any(one.is_met_by(each) for one in several) for several in conditions)
        and _is_meant(each, query, by_name)
    ]
    found = _ordered(found, query.get("orderBy", ""))
    limit = min(_count(query, "limit", _LIMIT), _LIMIT_MAX)
    start = _count(query, "start", 0)
    return {id_: projected(each, query) for id_, each in found[start : start + limit]}


def projected(object_: dict[str, Any], query: MultiMapping[str]) -> dict[str, Any]:
    """Only the keys that `properties` names, where it names any."""
    names = [name for text in query.getall("properties", []) for name in text.split(",") if name]
    return {name: object_[name] for name in names if name in object_} if names else object_


def _is_meant(each: dict[str, Any], query: MultiMapping[str], by_name: tuple[str, ...]) -> bool:
    if not all(_is_tagged(each, text) for text in query.getall("tags", [])):
        return False
    for key, compared in _CREATED.items():
        if key in query and not compared(each["created"], _count(query, key, 0)):
            return False
    return all(str(each.get(name)) in query.getall(name) for name in by_name if name in query)


def _alternatives(text: str) -> list[Condition]:
    try:
        return [condition(part) for part in text.split(",")]
    except ValueError as error:
        raise bad(str(error)) from None


def _is_tagged(each: dict[str, Any], text: str) -> bool:
    name, _, value = text.partition(":")
    values = (each.get("tags") or {}).get(name)
    return values is not None and value in ("", "*", *values)


def _ordered(found: list[tuple[str, Any]], text: str) -> list[tuple[str, Any]]:
    for part in reversed([part.strip() for part in text.split(",") if part.strip()]):
        direction, colon, key = part.partition(":")
        if not colon or direction not in ("asc", "desc"):
            raise bad(f"orderBy: found {part!r}; write asc:created or desc:created")
        found = sorted(
            found,
            key=lambda pair: rank(value_at(pair[1], key)),
            reverse=direction == "desc",
        )
    return found


def _count(query: MultiMapping[str], name: str, default: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal()):
        raise bad(f"{name}: found {text!r}, which is not a whole number")
    return int(text)


def bad(detail: str) -> Refused:
    """A 400 in Catalog's words."""
    return refusals.as_placeholder(400, "BadRequestError", detail)
