"""How are schemas and their parts made, found and described? Schema Registry's client.

It lists as `results` with `_page`; what is answered depends on Accept, which names a version where
one component is asked for. [Schema Registry API; platform facts 4.1]
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from agent.aep.paging import Pages
from agent.aep.services import Query, Service

Kind = Literal["schemas", "fieldgroups", "classes", "datatypes", "behaviors", "unions"]

_PAGE = 100
_LIST = "application/vnd.adobe.xed-id+json"
_DESCRIPTORS = "application/vnd.adobe.xdm-v2+json"
_ALT_ID = re.compile(r"_([^.]+)\.")
_IN_ID = re.compile(r"https?://ns\.adobe\.com/([^/]+)/")


class SchemaRegistry(Service):
    """Schemas, field groups, classes, data types and descriptors."""

    name = "Schema Registry"
    root = "/data/foundation/schemaregistry"
    _tenant: str | None = None

    async def stats(self) -> dict[str, Any]:
        """What the organisation has; `tenantId` is among it."""
        return dict(await self.object("GET", "stats"))

    async def tenant(self) -> str:
        """The organisation's own namespace: its fields stand below `_TENANT`."""
        if self._tenant is None:
            call = self.call("GET", "stats")
            reply = await self.session.ask(call)
            tenant = reply.body.get("tenantId") if isinstance(reply.body, dict) else None
            if not isinstance(tenant, str) or not tenant:
                raise self.unusable(call, reply, "the answer holds no tenantId")
            self._tenant = tenant
        return self._tenant

    async def create(self, kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
        """Make a component of our own: the whole of it, with `$id` and `meta:altId`."""
        return dict(await self.object("POST", "tenant", kind, body=body))

    async def get(
        self, kind: Kind, ref: str, *, full: bool = False, version: int = 1
    ) -> dict[str, Any]:
        """A component by `$id` or `meta:altId`; *full*: everything it refers to in its place.

        Raises NotFound.
        """
        form = "xed-full" if full else "xed"
        headers = {"Accept": f"application/vnd.adobe.{form}+json; version={version}"}
        return dict(await self.object("GET", await self._home(ref), kind, ref, headers=headers))

    async def find(
        self, kind: Kind, *, title: str | None = None, container: str = "tenant"
    ) -> list[dict[str, Any]]:
        """Components by title (all of them without one): title, `$id`, `meta:altId`, version."""
        is_plain = title is not None and re.fullmatch(r"[\w .:/@+-]+", title)
        filters = [("property", f"title=={title}")] if is_plain else []
        found = await self._listed(filters, container, kind, accept=_LIST)
        return [each for each in found if title is None or each.get("title") == title]

    async def patch(
        self, kind: Kind, ref: str, operations: Sequence[dict[str, Any]]
    ) -> dict[str, Any]:
        """Change a component of our own by JSON Patch: the whole of it afterwards."""
        return dict(await self.object("PATCH", "tenant", kind, ref, body=list(operations)))

    async def delete(self, kind: Kind, ref: str) -> None:
        """Delete a component of our own. Raises NotFound where there was none."""
        await self.ask("DELETE", "tenant", kind, ref)

    async def describe(self, descriptor: dict[str, Any]) -> dict[str, Any]:
        """Make a descriptor, of an identity say: the whole of it, with `@id`."""
        return dict(await self.object("POST", "tenant", "descriptors", body=descriptor))

    async def descriptors(self, schema: str | None = None) -> list[dict[str, Any]]:
        """The descriptors of a schema, by its `$id`; without one, all of them."""
        found = await self._listed([], "tenant", "descriptors", accept=_DESCRIPTORS)
        return [each for each in found if schema in (None, each.get("xdm:sourceSchema"))]

    async def delete_descriptor(self, id: str) -> None:
        """Delete a descriptor by its `@id`. Raises NotFound where there was none."""
        await self.ask("DELETE", "tenant", "descriptors", id)

    async def _home(self, ref: str) -> str:
        """The container that a component is in: ours, or the one that all share."""
        found = _IN_ID.match(ref) or _ALT_ID.match(ref)
        if found is None:
            return "tenant"
        return "tenant" if found[1] == await self.tenant() else "global"

    async def _listed(self, filters: Query, *parts: str, accept: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        order = "@id" if parts[-1] == "descriptors" else "title"
        query = [*filters, ("orderby", order), ("limit", str(_PAGE))]
        pages, start = Pages(self.name, self.path(*parts)), None
        while True:
            more: Query = [("start", start)] if start else []
            call = self.call("GET", *parts, query=[*query, *more], headers={"Accept": accept})
            reply = await self.session.ask(call)
            if order == "@id" and isinstance(reply.body, dict) and "results" not in reply.body:
                reply = replace(reply, body={"results": _by_type(reply.body)})
            found += self.listed(call, reply, "results")
            page = reply.body.get("_page")
            following = page.get("next") if isinstance(page, dict) else None
            start = pages.go_to(str(following) if following else None)
            if start is None:
                return found


def _by_type(body: dict[str, Any]) -> list[dict[str, Any]]:
    """Descriptors as older registries list them: by their type."""
    lists = [each for each in body.values() if isinstance(each, list)]
    return [each for found in lists for each in found if isinstance(each, dict)]
