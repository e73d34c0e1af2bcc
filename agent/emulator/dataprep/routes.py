"""How are mapping sets kept, listed and replaced?

* GET, POST         /data/foundation/conversion/mappingSets; the list needs both limit and start
* GET, PUT, DELETE  …/mappingSets/{id}[?version=N]; a PUT makes a new version
* GET               …/mappingSets/{id}/mappings[/{mapping}]

Both vocabularies are taken (`mapping_sets`). What makes no sense is refused with every reason there
is (`problems`).
"""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from agent.emulator.calls import answered, caller, object_of
from agent.emulator.dataprep import mapping_sets
from agent.emulator.dataprep.errors import bad, not_found
from agent.emulator.dataprep.problems import problems, schema_of
from agent.emulator.filters import rank, value_at
from agent.emulator.resources import Resource
from agent.emulator.state import State

PATH = "/data/foundation/conversion"
_LIMIT_MAX = 1000


class MappingSetRoutes:
    """The routes to mapping sets."""

    def __init__(self, state: State) -> None:
        self._platform = state.platform
        self._kept = state.platform.mapping_sets
        self._registry = state.registry

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        every, one = f"{PATH}/mappingSets", f"{PATH}/mappingSets/{{id}}"
        return [
            web.get(every, self.every),
            web.post(every, self.make),
            web.get(one, self.one),
            web.put(one, self.replace),
            web.delete(one, self.remove),
            web.get(f"{one}/mappings", self.mappings),
            web.get(f"{one}/mappings/{{mapping}}", self.mapping),
        ]

    async def every(self, request: web.Request) -> web.Response:
        """GET the mapping sets; both limit and start must be given."""
        limit, start = _count(request, "limit"), _count(request, "start")
        limit = min(limit, _LIMIT_MAX)
        name, order = request.query.get("name"), request.query.get("orderBy", "")
        every = [
            shown
            for each in self._kept.all(sandbox=caller(request).sandbox)
            if (shown := mapping_sets.whole(each)) is not None and name in (None, shown.get("name"))
        ]
        direction, _, key = order.rpartition(":")
        if order:
            every.sort(
                key=lambda each: rank(value_at(each, key.lstrip("+-"))),
                reverse=direction == "desc" or key.startswith("-"),
            )
        page = every[start : start + limit]
        links: dict[str, Any] = {"page": _link("{limit}", "{start}", templated=True)}
        if start + limit < len(every):
            links["next"] = _link(limit, start + limit)
        count = {"count": len(page), "limit": limit}
        return answered({"data": page, "_page": count, "_links": links})

    async def make(self, request: web.Request) -> web.Response:
        """POST a mapping set: version 0."""
        body = self._checked(request, await object_of(request, bad))
        who = caller(request)
        made = mapping_sets.made(self._kept, body, who.client_id, who.sandbox)
        return answered(mapping_sets.brief(made))

    async def one(self, request: web.Request) -> web.Response:
        """GET a mapping set, as it is now or in a version."""
        kept = self._named(request)
        shown = self._shown(request, kept)
        if request.query.get("expandSchema") == "true" and "outputSchema" in shown:
            schema = schema_of(shown, self._registry, kept.sandbox)
            if schema is not None:
                resolved = schema.full()
                shown["outputSchema"] = {**shown["outputSchema"], "jsonSchema": resolved}
        return answered(shown)

    async def replace(self, request: web.Request) -> web.Response:
        """PUT a new version of a mapping set."""
        kept = self._named(request)
        body = self._checked(request, await object_of(request, bad))
        replaced = mapping_sets.replaced(self._kept, kept, body, caller(request).client_id)
        return answered(mapping_sets.brief(replaced))

    async def remove(self, request: web.Request) -> web.Response:
        """DELETE a mapping set that no flow names."""
        kept = self._named(request)
        for flow in self._platform.flows.all(sandbox=kept.sandbox):
            if any(
                (each.get("params") or {}).get("mappingId") == kept.id
                for each in flow.body.get("transformations") or []
            ):
                raise bad(f"the mapping set {kept.id} is used by the flow {flow.id}")
        self._kept.remove(kept.id)
        return web.Response(status=204)

    async def mappings(self, request: web.Request) -> web.Response:
        """GET the mappings of a set."""
        return answered(self._shown(request, self._named(request))["mappings"])

    async def mapping(self, request: web.Request) -> web.Response:
        """GET one mapping of a set."""
        id_ = request.match_info["mapping"]
        for each in self._shown(request, self._named(request))["mappings"]:
            if each["id"] == id_:
                return answered(each)
        raise not_found(f"mapping {id_}")

    def _checked(self, request: web.Request, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What is kept of a mapping set. Raises Refused with everything that is wrong with it."""
        schema = schema_of(asked, self._registry, caller(request).sandbox)
        if schema is None:
            raise bad("outputSchema.schemaRef (or xdmSchema): name the schema that is mapped to")
        wrong = problems(asked, schema)
        if wrong:
            raise bad("\n".join(wrong))
        return mapping_sets.stored(asked, schema.id)

    def _named(self, request: web.Request) -> Resource:
        id_ = request.match_info["id"]
        found = self._kept.get(id_, sandbox=caller(request).sandbox)
        if found is None:
            raise not_found(f"mapping set {id_}")
        return found

    def _shown(self, request: web.Request, kept: Resource) -> dict[str, Any]:
        version = _count(request, "version") if "version" in request.query else None
        shown = mapping_sets.whole(kept, version)
        if shown is None:
            raise not_found(f"mapping set {kept.id} in version {version}")
        return shown


def _link(limit: object, start: object, *, templated: bool = False) -> dict[str, Any]:
    return {
        "href": f"{PATH}/mappingSets?limit={limit}&start={start}",
        "templated": templated,
    }


def _count(request: web.Request, name: str) -> int:
    text = request.query.get(name)
    if text is None:
        raise bad(f"Required Integer parameter '{name}' is not present")
    if not (text.isascii() and text.isdecimal()):
        raise bad(f"{name}: found {text!r}, which is not a whole number")
    return int(text)
