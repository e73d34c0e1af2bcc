"""Which page of which items is asked for?

`property` chooses, `orderby` sorts, `limit` cuts, and what is left over is reached with the
`continuationToken` of the answer, which stands for the whole query. `count=true` asks for a number
and nothing else. Without a limit a page has 100 items.
"""

import base64
import binascii
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agent.emulator.flow import filters
from agent.emulator.flow.filters import Filter, Projection
from agent.emulator.flow.problems import Problem

PAGE = 100
MOST = 1000
_KNOWN = ("property", "limit", "orderby", "count", "continuationToken")

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Listing:
    """A query, understood."""

    chosen: tuple[Filter, ...] = ()
    shown: tuple[str, ...] | None = None  # None: everything
    order: str | None = None
    is_descending: bool = False
    limit: int = PAGE
    only_count: bool = False
    start: int = 0
    after: str | None = None  # the id of the last item of the page before
    asked: tuple[tuple[str, str], ...] = ()  # the query itself, without the token

    def answer(self, kind: str, items: Iterable[Item]) -> dict[str, Any]:
        """The page, or the number of items."""
        wanted = [item for item in items if all(each.chooses(item) for each in self.chosen)]
        if self.only_count:
            return {"count": len(wanted)}
        if self.order is not None:
            wanted = _sorted(wanted, self.order, self.is_descending)
        start = self._first(wanted)
        page = wanted[start : start + self.limit]
        links: dict[str, Any] = {}
        if start + self.limit < len(wanted):
            token = _token(self.asked, start + self.limit, page[-1]["id"])
            links = {"next": {"href": f"/{kind}?continuationToken={token}"}}
        if self.shown is not None:
            page = [{name: item[name] for name in self.shown if name in item} for item in page]
        return {"items": page, "_links": links}

    def _first(self, wanted: Sequence[Item]) -> int:
        """Where the page begins: behind the last item seen, though others came or went."""
        for index, item in enumerate(wanted):
            if item["id"] == self.after:
                return index + 1
        return min(self.start, len(wanted))


def parse(query: Iterable[tuple[str, str]], fields: frozenset[str]) -> Listing:
    """Understand a query over items with these fields. Raises Problem."""
    asked = list(query)
    start, after = 0, None
    for name, value in asked:
        if name not in _KNOWN:
            raise Problem("1451-400", name=name)
        if not value.strip():
            raise Problem("1453-400", name=f"{name}=")
    if token := dict(asked).get("continuationToken"):
        asked, start, after = _continued(token)
    one = dict(asked)
    if "limit" in one and _is_true(one):
        raise Problem("1401-400")
    parsed = [filters.parse(value, fields) for name, value in asked if name == "property"]
    shown = [name for each in parsed if isinstance(each, Projection) for name in each.names]
    order, is_descending = _order(one.get("orderby"), fields)
    return Listing(
        chosen=tuple(each for each in parsed if isinstance(each, Filter)),
        shown=tuple(shown) or None,
        order=order,
        is_descending=is_descending,
        limit=_limit(one.get("limit")),
        only_count=_is_true(one),
        start=start,
        after=after,
        asked=tuple(asked),
    )


def of_search(body: Mapping[str, Any], token: str | None, fields: frozenset[str]) -> Listing:
    """Understand what is posted to /search; the query string reads `property=…&property=…`.

    The word `property=` may be left out. Raises Problem.
    """
    if token is not None:
        return parse([("continuationToken", token)], fields)
    parts = str(body.get("queryString") or "").split("&")
    asked = [("property", part.removeprefix("property=")) for part in parts if part.strip()]
    names = {
        "limit": "limit",
        "orderby": "orderby",
        "count": "count",
        "projectionFields": "property",
    }
    for name, as_query in names.items():
        if body.get(name) not in (None, False, ""):
            asked.append((as_query, "true" if body[name] is True else str(body[name])))
    return parse(asked, fields)


def _is_true(one: Mapping[str, str]) -> bool:
    text = one.get("count", "false").lower()
    if text not in ("true", "false"):
        raise Problem("1452-400", value=text, name="count")
    return text == "true"


def _limit(text: str | None) -> int:
    if text is None:
        return PAGE
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise Problem("1452-400", value=text, name="limit")
    return int(text)


def _order(text: str | None, fields: frozenset[str]) -> tuple[str | None, bool]:
    if text is None:
        return None, False
    sign, name = (text[0], text[1:]) if text[0] in "+- " else ("", text)  # a bare + reads as space
    if name[:1] in ("+", "-", " "):
        raise Problem("1432-400")
    if name.partition(".")[0] not in fields:
        raise Problem("1433-400", name=text)
    return name, sign == "-"


def _sorted(items: list[Item], order: str, is_descending: bool) -> list[Item]:
    def key(item: Item) -> tuple[int, float, str]:
        value = next(filters.values_at(item, order), None)
        if isinstance(value, int | float):
            return (0, value, "")
        return (1, 0, value) if isinstance(value, str) else (2, 0, "")

    return sorted(items, key=key, reverse=is_descending)


def _token(asked: Sequence[tuple[str, str]], start: int, after: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([asked, start, after])).decode().rstrip("=")


def _continued(token: str) -> tuple[list[tuple[str, str]], int, str]:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        asked, start, after = orjson.loads(text)
        return [(str(name), str(value)) for name, value in asked], int(start), str(after)
    except (binascii.Error, ValueError, TypeError):
        raise Problem("1452-400", value=token, name="continuationToken") from None
