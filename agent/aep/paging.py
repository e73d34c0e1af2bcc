"""How do lists of the platform go on? In a dialect for each service; what they share is here."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from agent.errors import PlatformError

PAGES_MAX = 1000


def next_parameter(answer: Mapping[str, Any], name: str) -> str | None:
    """What the link to the next page says of a query parameter, wherever that link leads.

    Flow Service writes `_links.next.href: "/flows?continuationToken=…"`, without its own path.
    """
    links = answer.get("_links")
    following = links.get("next") if isinstance(links, Mapping) else None
    href = following.get("href") if isinstance(following, Mapping) else following
    if not isinstance(href, str):
        return None
    found = parse_qs(href.partition("?")[2]).get(name)
    return found[0] if found and found[0] else None


class Pages:
    """Says of each page where the next one begins, and notices a list that turns in a circle."""

    def __init__(self, service: str, path: str) -> None:
        self._service = service
        self._path = path
        self._seen: set[str] = set()

    def go_to(self, place: str | None) -> str | None:
        """The *place* of the next page, unless there is none. Raises PlatformError in a circle."""
        if place is None:
            return None
        if place in self._seen or len(self._seen) >= PAGES_MAX:
            raise PlatformError(
                f"its list does not end after {len(self._seen)} pages",
                service=self._service,
                call=f"GET {self._path}",
                next_step="choose narrower, or give Adobe's support the call",
            )
        self._seen.add(place)
        return place


def is_last(answer: object, count: int, asked: int) -> bool:
    """Whether a page of so many objects is the last one, where so many were *asked* for.

    What `_page` says is the limit may be less than what was asked.
    """
    page = answer.get("_page") if isinstance(answer, Mapping) else None
    limit = page.get("limit") if isinstance(page, Mapping) else None
    full = min(asked, limit) if isinstance(limit, int) and limit > 0 else asked
    return count < full
