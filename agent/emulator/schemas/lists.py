"""Which page of the registry's components does a query mean?

`orderby=title` (or `-title`, or several) is needed where `limit` or `start` is given; `start` is
the last value of the page before, and a page is longer than `limit` where that value is several
components'. `property=title==x` filters by one key.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from multidict import MultiMapping

from agent.emulator.filters import Condition, condition, rank, value_at
from agent.emulator.refusals import Refused
from agent.emulator.schemas.errors import Words

_LIMIT = 300
_LIMIT_MAX = 500
_DATES = {
    "created": "repo:createdDate",
    "updated": "repo:lastModifiedDate",
}
Component = dict[str, Any]


class Page:
    """The part of `components` that `query` asks for. Raises Refused."""

    def __init__(
        self, components: list[Component], path: str, query: MultiMapping[str], words: Words
    ) -> None:
        self._words = words
        self._orderby = query.get("orderby", "")
        if not self._orderby and ("limit" in query or "start" in query):
            raise words.bad("limit and start need orderby, such as orderby=title")
        conditions = _conditions(query, words.bad)
        chosen = [each for each in components if all(one.is_met_by(each) for one in conditions)]
        keys = [key.strip() for key in (self._orderby or "updated").split(",")]
        for key in reversed(keys):
            chosen.sort(key=lambda each: rank(_sorted_by(each, key)), reverse=key.startswith("-"))
        limit = self._limit(query)
        rest = _from(chosen, keys[0], query.get("start"))
        self.components = _whole_page(rest, keys[0], limit)
        self._next: Any = None
        if len(self.components) < len(rest) and self.components:
            self._next = _sorted_by(self.components[-1], keys[0])
        asked = [(name, each) for name, each in query.items() if name != "start"]
        self._following = f"{path}?{urlencode([*asked, ('start', str(self._next))])}"

    def as_json(self, shown: Callable[[Component], Any]) -> dict[str, Any]:
        """The page as the registry answers it."""
        following = None if self._next is None else self._following
        return {
            "results": [shown(each) for each in self.components],
            "_page": {
                "orderby": self._orderby or "updated",
                "next": None if self._next is None else str(self._next),
                "count": len(self.components),
            },
            "_links": {"next": following},
        }

    def _limit(self, query: MultiMapping[str]) -> int:
        text = query.get("limit", str(_LIMIT))
        if not (text.isascii() and text.isdecimal()):
            raise self._words.bad(f"limit: found {text!r}; write a whole number up to {_LIMIT_MAX}")
        return min(int(text), _LIMIT_MAX)


def _conditions(query: MultiMapping[str], bad: Callable[[str], Refused]) -> list[Condition]:
    try:
        return [condition(text) for text in query.getall("property", [])]
    except ValueError as error:
        raise bad(str(error)) from None


def _sorted_by(component: Component, key: str) -> Any:
    name = key.lstrip("+-")
    if name in _DATES:
        return component.get("meta:registryMetadata", {}).get(_DATES[name], 0)
    return value_at(component, name)


def _from(components: list[Component], key: str, start: str | None) -> list[Component]:
    """Those strictly behind the value that `start` is."""
    if start is None:
        return components
    behind = []
    for each in components:
        found = _sorted_by(each, key)
        is_number = isinstance(found, int) and start.lstrip("-").isdecimal()
        before, here = rank(int(start) if is_number else start), rank(found)
        if here < before if key.startswith("-") else here > before:
            behind.append(each)
    return behind


def _whole_page(components: list[Component], key: str, limit: int) -> list[Component]:
    """At most `limit`, and those that share the last one's value."""
    page = components[:limit]
    for each in components[limit:]:
        if not page or _sorted_by(each, key) != _sorted_by(page[-1], key):
            break
        page.append(each)
    return page
