"""Which datasets are there, and what became of what was put into them? Catalog's client.

It lists objects by id, without a word about pages, and answers with references such as
`@/dataSets/5f…`. Records that did not land are fetched from Data Access. [Catalog API, Data Access
API; platform facts 4.2, 4.3]
"""

import re
from collections.abc import AsyncIterator
from typing import Any

from agent.aep.calls import Call
from agent.aep.paging import Pages, is_last
from agent.aep.services import Query, Service
from agent.errors import NotFound

_PAGE = 100  # the most there may be
_REF = re.compile(r"@/dataSets/([^/]+)")


class Catalog(Service):
    """Datasets, and the batches that records arrive in."""

    name = "Catalog"
    root = "/data/foundation/catalog"

    async def create_dataset(self, body: dict[str, Any]) -> str:
        """Make a dataset; its id."""
        return await self._reference(self.call("POST", "dataSets", body=body))

    async def dataset(self, id: str) -> dict[str, Any]:
        """A dataset, its `id` among the rest. Raises NotFound."""
        return await self._one("dataSets", id)

    async def find_datasets(self, name: str | None = None) -> list[dict[str, Any]]:
        """Datasets of this name, or all; each with its `id`."""
        is_plain = name is not None and re.fullmatch(r"[\w .:/@+-]+", name)
        filters = [("property", f"name=={name}")] if is_plain else []
        found = await self._listed("dataSets", filters)
        return [each for each in found if name is None or each.get("name") == name]

    async def patch_dataset(self, id: str, body: dict[str, Any]) -> None:
        """Change those keys of a dataset that *body* has."""
        await self.ask("PATCH", "dataSets", id, body=body, repeatable=True)

    async def delete_dataset(self, id: str) -> None:
        """Delete a dataset. Raises NotFound where there was none."""
        await self.ask("DELETE", "dataSets", id)

    async def batches(
        self, dataset: str, status: str | None = None, *, since: int | None = None
    ) -> list[dict[str, Any]]:
        """The batches of a dataset, oldest first, each with its `id`.

        *status* is one such as `failed`; *since* is in milliseconds since 1970.
        """
        filters = [("dataSet", dataset)]
        filters += [("status", status)] if status else []
        filters += [("createdAfter", str(since))] if since is not None else []
        found = await self._listed("batches", filters)
        return [each for each in found if status in (None, each.get("status"))]

    async def failed_records(self, batch: str) -> AsyncIterator[bytes]:
        """The records of a batch that did not land, one JSON object each, with `_errors`."""
        access = DataAccess(self.session)
        for file in await access.failed_files(batch):
            async for line in access.failed_lines(batch, file):
                if line.strip():
                    yield line

    async def _one(self, kind: str, id: str) -> dict[str, Any]:
        call = self.call("GET", kind, id)
        found = _keyed((await self.session.ask(call)).body)
        for each in found:
            if each["id"] == id:
                return each
        raise NotFound("there is none with this id", service=self.name, call=call.shown)

    async def _listed(self, kind: str, filters: Query) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        pages, start = Pages(self.name, self.path(kind)), 0
        while True:
            paging = [("orderBy", "asc:created"), ("limit", str(_PAGE)), ("start", str(start))]
            call = self.call("GET", kind, query=[*filters, *paging])
            reply = await self.session.ask(call)
            if not isinstance(reply.body, dict):
                raise self.unusable(call, reply, "the answer holds no objects by id")
            page = _keyed(reply.body)
            found |= {each["id"]: each for each in page}
            start += len(page)
            if len(page) < _PAGE:
                return list(found.values())
            pages.go_to(str(start))

    async def _reference(self, call: Call) -> str:
        reply = await self.session.ask(call)
        first = reply.body[0] if isinstance(reply.body, list) and reply.body else None
        found = _REF.fullmatch(first) if isinstance(first, str) else None
        if found is None:
            raise self.unusable(call, reply, "the answer holds no @/dataSets/…")
        return found[1]


class DataAccess(Service):
    """Files of what did not land."""

    name = "Data Access"
    root = "/data/foundation/export"

    async def failed_files(self, batch: str) -> list[str]:
        """The names of the files with records of a batch that did not land."""
        names: list[str] = []
        pages, start = Pages(self.name, self.path("batches", batch, "failed")), 0
        while True:
            query = [("limit", str(_PAGE)), ("start", str(start))]
            call = self.call("GET", "batches", batch, "failed", query=query)
            reply = await self.session.ask(call)
            page = self.listed(call, reply, "data")
            names += [str(each["name"]) for each in page if each.get("name") is not None]
            start += len(page)
            if is_last(reply.body, len(page), _PAGE):
                return [name for name in names if not name.startswith("_")]
            pages.go_to(str(start))

    def failed_lines(self, batch: str, file: str) -> AsyncIterator[bytes]:
        """The lines of one of these files."""
        query = [("path", file)]
        headers = {"Accept": "*/*"}
        call = self.call("GET", "batches", batch, "failed", query=query, headers=headers)
        return self.session.lines(call)


def _keyed(body: object) -> list[dict[str, Any]]:
    """Objects by id as a list, each with its id."""
    if not isinstance(body, dict):
        return []
    return [{**each, "id": id} for id, each in body.items() if isinstance(each, dict)]
