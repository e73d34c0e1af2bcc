"""How are mapping sets kept and tried? Data Prep's client.

Its path segment is `conversion`; lists are `data` with `_page`, and need both limit and start. A
mapping set that is put is a new version of it, and none can be deleted. [Data Prep
API; platform facts 4.4]
"""

from typing import Any

from agent.aep.paging import Pages, is_last
from agent.aep.services import Service

_PAGE = 100


class DataPrep(Service):
    """Mapping sets and the expressions in them."""

    name = "Data Prep"
    root = "/data/foundation/conversion"

    async def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a mapping set: its `id` and `version`, and who made it when."""
        return await self._kept("POST", "mappingSets", body=body)

    async def get(self, id: str, version: int | None = None) -> dict[str, Any]:
        """A mapping set, as it is now or was in a version. Raises NotFound."""
        query = [] if version is None else [("version", str(version))]
        return dict(await self.object("GET", "mappingSets", id, query=query))

    async def put(self, id: str, body: dict[str, Any]) -> dict[str, Any]:
        """Make a new version of a mapping set: its `id` and `version`."""
        return await self._kept("PUT", "mappingSets", id, body=body)

    async def find(self, name: str | None = None) -> list[dict[str, Any]]:
        """Mapping sets of this name, or all."""
        found: list[dict[str, Any]] = []
        pages, start = Pages(self.name, self.path("mappingSets")), 0
        named = [] if name is None else [("name", name)]
        while True:
            query = [*named, ("limit", str(_PAGE)), ("start", str(start))]
            call = self.call("GET", "mappingSets", query=query)
            reply = await self.session.ask(call)
            page = self.listed(call, reply, "data")
            found += page
            start += len(page)
            if is_last(reply.body, len(page), _PAGE):
                return [each for each in found if name is None or each.get("name") == name]
            pages.go_to(str(start))

    async def validate(self, body: dict[str, Any]) -> list[dict[str, Any]]:
        """What the platform thinks of each mapping: `status` and `errors`."""
        call = self.call("POST", "mappingSets", "validate", body=body, repeatable=True)
        reply = await self.session.ask(call)
        return self.listed(call, reply, "validationResponse")

    async def preview(
        self, records: list[dict[str, Any]], mapping_set: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """What becomes of each record: `data`, and `errors` where there are any."""
        body = {"data": records, "mappingSet": mapping_set}
        call = self.call("POST", "mappingSets", "preview", body=body, repeatable=True)
        reply = await self.session.ask(call)
        return self.listed(call, reply, None)

    async def functions(self) -> list[dict[str, Any]]:
        """The functions that expressions may call."""
        call = self.call("GET", "languages", "el", "functions")
        reply = await self.session.ask(call)
        return self.listed(call, reply, None)

    async def _kept(self, method: str, *parts: str, body: dict[str, Any]) -> dict[str, Any]:
        call = self.call(method, *parts, body=body)
        reply = await self.session.ask(call)
        kept = reply.body if isinstance(reply.body, dict) else {}
        if not isinstance(kept.get("id"), str) or not isinstance(kept.get("version"), int):
            raise self.unusable(call, reply, "the answer holds no id and version")
        return dict(kept)
