"""What does Flow Service answer to a call?

* GET    /{kind}                    a page of them (see `listing`); POST makes one: 201, Location
* GET    /{kind}/{id}               {"items": [one]}
* PATCH  /{kind}/{id}               with If-Match; DELETE: 204. Both also with a slash behind
* POST   /{kind}/{id}/action        ?op=ENABLE or DISABLE
* POST   /{kind}/search             {queryString, limit, orderby, count}
* GET    /connectionSpecs, /flowSpecs   and …/{id}; nobody here may write them
* GET    /connections/{id}/test     {"result": true}

where kind is connections, sourceConnections, targetConnections, flows or runs (which only answer).
"""

from aiohttp import web

from agent.emulator.calls import answered
from agent.emulator.flow import actions, listing, patching
from agent.emulator.flow.connections import Connections
from agent.emulator.flow.flows import Flows
from agent.emulator.flow.kinds import Body, Kind, quoted
from agent.emulator.flow.problems import Problem
from agent.emulator.flow.read_only import RunRoutes, SpecRoutes
from agent.emulator.flow.requests import (
    PATH,
    check_version,
    json_of,
    named,
    object_of,
    refusing,
    who,
)
from agent.emulator.flow.source_connections import SourceConnections
from agent.emulator.flow.specs import connection_specs, flow_specs
from agent.emulator.flow.target_connections import TargetConnections
from agent.emulator.resources import Resource
from agent.emulator.state import State


class FlowRoutes:
    """The routes of Flow Service."""

    def __init__(self, state: State) -> None:
        self._platform = state.platform

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        made: list[web.RouteDef] = []
        for kind in (Connections, SourceConnections, TargetConnections, Flows):
            made += _KindRoutes(kind(self._platform)).routes()
        made += RunRoutes(self._platform).routes()
        made += SpecRoutes("connectionSpecs", connection_specs()).routes()
        made += SpecRoutes("flowSpecs", flow_specs()).routes()
        return [*made, web.get(f"{PATH}/connections/{{id}}/test", refusing(self.test))]

    async def test(self, request: web.Request) -> web.Response:
        """Every connection works."""
        named(self._platform, "connections", request)
        return answered({"result": True})


class _KindRoutes:
    """One kind of resource."""

    def __init__(self, kind: Kind) -> None:
        self._kind = kind
        self._resources = kind.resources

    def routes(self) -> list[web.RouteDef]:
        path = f"{PATH}/{self._kind.name}"
        one = f"{path}/{{id}}"
        made = [
            web.get(path, refusing(self.every)),
            web.post(path, refusing(self.make)),
            web.post(f"{path}/search", refusing(self.search)),
            web.get(one, refusing(self.one)),
            web.post(f"{one}/action", refusing(self.act)),
        ]
        for form in (one, f"{one}/"):
            made.append(web.patch(form, refusing(self.patch)))
            made.append(web.delete(form, refusing(self.remove)))
        return made

    async def every(self, request: web.Request) -> web.Response:
        """A page of them, or their number."""
        asked = listing.parse(request.query.items(), self._kind.fields)
        return self._page(asked, request)

    async def search(self, request: web.Request) -> web.Response:
        """As `every`, the query being in the body."""
        token = request.query.get("continuationToken")
        asked = listing.of_search(await object_of(request), token, self._kind.fields)
        return self._page(asked, request)

    async def make(self, request: web.Request) -> web.Response:
        """A new one."""
        made = self._kind.made(await object_of(request), who(request))
        where = {"Location": f"{PATH}/{self._kind.name}/{made.id}"}
        return answered(_reference(made), 201, headers=where)

    async def one(self, request: web.Request) -> web.Response:
        """One, in a list of its own."""
        found = self._named(request)
        return answered({"items": [self._kind.item(found, _root(request))]})

    async def patch(self, request: web.Request) -> web.Response:
        """Change one."""
        operations = await json_of(request)
        found = self._named(request)
        if "If-Match" not in request.headers:
            raise Problem("1403-400")
        check_version(request, found)
        body = patching.patched(found.body, operations)
        return answered(_reference(self._kind.changed(found, body, who(request))))

    async def remove(self, request: web.Request) -> web.Response:
        """Remove one that nothing needs any more."""
        found = self._named(request)
        self._kind.check_removal(found)
        self._resources.remove(found.id)
        return web.Response(status=204)

    async def act(self, request: web.Request) -> web.Response:
        """Enable or disable one."""
        found = self._named(request)
        if "If-Match" in request.headers:
            check_version(request, found)
        action, sub_actions = request.query.get("op"), request.query.getall("subOp", [])
        state = actions.state_after(action, sub_actions, found.body["state"])
        if state != found.body["state"]:
            found = self._kind.moved(found, state, who(request), str(action).lower())
        return answered(_reference(found))

    def _page(self, asked: listing.Listing, request: web.Request) -> web.Response:
        root = _root(request)
        lying = self._resources.all(sandbox=who(request).sandbox)
        items = (self._kind.item(each, root) for each in lying)
        return answered(asked.answer(self._kind.name, items))

    def _named(self, request: web.Request) -> Resource:
        return named(self._kind.platform, self._kind.name, request)


def _reference(resource: Resource) -> Body:
    return {"id": resource.id, "etag": quoted(resource.etag)}


def _root(request: web.Request) -> str:
    return str(request.url.origin())
