"""How are connections and flows made, found and changed? Flow Service's client.

It lists as `items`, also for one object, with a continuationToken; an etag includes its quotes and
is sent back as it came. [Flow Service API; platform facts 3.4]
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from agent.aep.paging import Pages, next_parameter
from agent.aep.services import Query, Service, equal
from agent.errors import NotFound

Kind = Literal["connections", "sourceConnections", "targetConnections", "flows"]
Operations = Sequence[dict[str, Any]]  # JSON Patch

_PAGE = 100
_PLAIN = re.compile(r"[\w .:/@+-]+")  # what a filter surely takes as it is, or in quotes


@dataclass(frozen=True, slots=True)
class Ref:
    """An object as it was left: its id, and the etag that a change of it must show."""

    id: str
    etag: str


class FlowService(Service):
    """Base, source and target connections, and flows."""

    name = "Flow Service"
    root = "/data/foundation/flowservice"

    async def create(self, kind: Kind, body: dict[str, Any]) -> Ref:
        """Make an object. Its error says where it may exist after all (`maybe_done`)."""
        return await self._changed("POST", kind, body=body)

    async def get(self, kind: str, id: str) -> dict[str, Any]:
        """The object. Raises NotFound."""
        call = self.call("GET", kind, id)
        reply = await self.session.ask(call)
        items = self.listed(call, reply, "items")
        if not items:
            raise NotFound("there is none with this id", service=self.name, call=call.shown)
        return items[0]

    async def find(self, kind: str, **wanted: object) -> list[dict[str, Any]]:
        """Every object that has these values, by dotted path, on whichever page; all without any.

        The platform filters, and what it gives is compared again: a filter it does not understand
        must not make a stranger ours.
        """
        filters: list[tuple[str, str]] = []
        for path, value in wanted.items():
            if isinstance(value, str) and _PLAIN.fullmatch(value):
                shown = f'"{value}"' if " " in value else value
                filters.append(("property", f"{path}=={shown}"))
        return [each for each in await self._listed(kind, filters) if equal(each, wanted)]

    async def patch(self, kind: Kind, id: str, operations: Operations, etag: str) -> Ref:
        """Change an object as it is at this etag. Raises Outdated where it is another by now."""
        headers = {"If-Match": etag}
        return await self._changed("PATCH", kind, id, body=list(operations), headers=headers)

    async def delete(self, kind: Kind, id: str) -> None:
        """Delete an object. Raises NotFound where there was none."""
        await self.ask("DELETE", kind, id)

    async def act(self, kind: Kind, id: str, op: str) -> Ref:
        """Have an action done: `enable`, `disable` and so on. Twice is once."""
        query = [("op", op)]
        return await self._changed("POST", kind, id, "action", query=query, repeatable=True)

    async def flow_spec(self, *names_or_ids: str) -> dict[str, Any]:
        """The first of these flow specs that there is. Raises NotFound where there is none."""
        for wanted in names_or_ids:
            for path in ("id", "name"):
                if found := await self.find("flowSpecs", **{path: wanted}):
                    return found[0]
        raise NotFound(
            f"there is no flow spec {' or '.join(names_or_ids)}",
            service=self.name,
            call=f"GET {self.path('flowSpecs')}",
            next_step="check that this organisation has the source",
        )

    async def runs(self, flow_id: str) -> list[dict[str, Any]]:
        """The runs of a flow."""
        return await self.find("runs", flowId=flow_id)

    async def _listed(self, kind: str, filters: Query) -> list[dict[str, Any]]:
        # of specs only `property` is documented
        size = [] if kind in ("flowSpecs", "connectionSpecs") else [("limit", str(_PAGE))]
        found: list[dict[str, Any]] = []
        pages, token = Pages(self.name, self.path(kind)), None
        while True:
            more: Query = [("continuationToken", token)] if token else []
            call = self.call("GET", kind, query=[*filters, *size, *more])
            reply = await self.session.ask(call)
            found += self.listed(call, reply, "items")
            token = pages.go_to(next_parameter(reply.body, "continuationToken"))
            if token is None:
                return found

    async def _changed(self, method: str, *parts: str, query: Query = (), **more: Any) -> Ref:
        """Make a call that is answered with an id and an etag."""
        call = self.call(method, *parts, query=query, **more)
        reply = await self.session.ask(call)
        body = reply.body if isinstance(reply.body, dict) else {}
        items = body.get("items")
        if isinstance(items, list) and items and isinstance(items[0], dict):
            body = items[0]
        id, etag = body.get("id"), body.get("etag", "")
        if not isinstance(id, str) or not isinstance(etag, str):
            raise self.unusable(call, reply, "the answer holds no id and etag")
        return Ref(id, etag)
