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

import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import orjson
from aiohttp import web

from agent.emulator.calls import Caller, answered, caller
from agent.emulator.flow import actions, listing, patching, runs
from agent.emulator.flow.connections import Connections
from agent.emulator.flow.flows import Flows
from agent.emulator.flow.kinds import Body, Kind, quoted
from agent.emulator.flow.problems import Problem, provider
from agent.emulator.flow.source_connections import SourceConnections
from agent.emulator.flow.specs import WITH_TRANSFORMATION_NAME, connection_specs, flow_specs
from agent.emulator.flow.target_connections import TargetConnections
from agent.emulator.platform import Platform
from agent.emulator.resources import Resource
from agent.emulator.state import State

PATH = "/data/foundation/flowservice"
Answering = Callable[[web.Request], Awaitable[web.Response]]


class FlowRoutes:
    """The routes of Flow Service."""

    def __init__(self, state: State) -> None:
        self._platform = state.platform

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        made: list[web.RouteDef] = []
        for kind in (Connections, SourceConnections, TargetConnections, Flows):
            made += _KindRoutes(kind(self._platform)).routes()
        made += _RunRoutes(self._platform).routes()
        made += _SpecRoutes("connectionSpecs", connection_specs()).routes()
        made += _SpecRoutes("flowSpecs", flow_specs()).routes()
        return [*made, web.get(f"{PATH}/connections/{{id}}/test", _refusing(self.test))]

    async def test(self, request: web.Request) -> web.Response:
        """Every connection works."""
        _named(self._platform, "connections", request)
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
            web.get(path, _refusing(self.every)),
            web.post(path, _refusing(self.make)),
            web.post(f"{path}/search", _refusing(self.search)),
            web.get(one, _refusing(self.one)),
            web.post(f"{one}/action", _refusing(self.act)),
        ]
        for form in (one, f"{one}/"):
            made.append(web.patch(form, _refusing(self.patch)))
            made.append(web.delete(form, _refusing(self.remove)))
        return made

    async def every(self, request: web.Request) -> web.Response:
        """A page of them, or their number."""
        asked = listing.parse(request.query.items(), self._kind.fields)
        return self._page(asked, request)

    async def search(self, request: web.Request) -> web.Response:
        """As `every`, the query being in the body."""
        token = request.query.get("continuationToken")
        asked = listing.of_search(await _object(request), token, self._kind.fields)
        return self._page(asked, request)

    async def make(self, request: web.Request) -> web.Response:
        """A new one."""
        made = self._kind.made(await _object(request), _who(request))
        where = {"Location": f"{PATH}/{self._kind.name}/{made.id}"}
        return answered(_reference(made), 201, headers=where)

    async def one(self, request: web.Request) -> web.Response:
        """One, in a list of its own."""
        found = self._named(request)
        return answered({"items": [self._kind.item(found, _root(request))]})

    async def patch(self, request: web.Request) -> web.Response:
        """Change one."""
        operations = await _json(request)
        found = self._named(request)
        if "If-Match" not in request.headers:
            raise Problem("1403-400")
        _check_version(request, found)
        body = patching.patched(found.body, operations)
        return answered(_reference(self._kind.changed(found, body, _who(request))))

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
            _check_version(request, found)
        action, sub_actions = request.query.get("op"), request.query.getall("subOp", [])
        state = actions.state_after(action, sub_actions, found.body["state"])
        if state != found.body["state"]:
            found = self._kind.moved(found, state, _who(request), str(action).lower())
        return answered(_reference(found))

    def _page(self, asked: listing.Listing, request: web.Request) -> web.Response:
        root = _root(request)
        lying = self._resources.all(sandbox=_who(request).sandbox)
        items = (self._kind.item(each, root) for each in lying)
        return answered(asked.answer(self._kind.name, items))

    def _named(self, request: web.Request) -> Resource:
        return _named(self._kind.platform, self._kind.name, request)


class _RunRoutes:
    """Runs, which nobody but the platform makes or changes."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[web.RouteDef]:
        path = f"{PATH}/runs"
        refused = _refusing(self.write)
        return [
            web.get(path, _refusing(self.every)),
            web.get(f"{path}/{{id}}", _refusing(self.one)),
            web.post(f"{path}/search", _refusing(self.search)),
            web.post(path, refused),
            web.put(f"{path}/{{id}}", refused),
            web.post(f"{path}/{{id}}/action", refused),
        ]

    async def every(self, request: web.Request) -> web.Response:
        """A page of them, or their number."""
        asked = listing.parse(request.query.items(), runs.FIELDS)
        return answered(asked.answer("runs", self._all(request)))

    async def search(self, request: web.Request) -> web.Response:
        """As `every`, the query being in the body."""
        token = request.query.get("continuationToken")
        asked = listing.of_search(await _object(request), token, runs.FIELDS)
        return answered(asked.answer("runs", self._all(request)))

    async def one(self, request: web.Request) -> web.Response:
        """One, in a list of its own."""
        id_ = request.match_info["id"]
        found = [run for run in self._all(request) if run["id"] == id_]
        if not found:
            raise Problem("1439-404", type="runs", id=id_)
        return answered({"items": found})

    async def write(self, request: web.Request) -> web.Response:
        """Not for users."""
        raise Problem("1427-400")

    def _all(self, request: web.Request) -> Iterator[Body]:
        return runs.every(self._platform, _who(request).sandbox)


class _SpecRoutes:
    """Specs, which are Adobe's to write."""

    def __init__(self, name: str, specs: list[Body]) -> None:
        self._name = name
        self._specs = specs
        self._fields = frozenset(field for spec in specs for field in spec)

    def routes(self) -> list[web.RouteDef]:
        path = f"{PATH}/{self._name}"
        return [
            web.get(path, _refusing(self.every)),
            web.get(f"{path}/{{id}}", _refusing(self.one)),
            web.post(f"{path}/search", _refusing(self.search)),
            web.post(path, _refusing(self.write)),
            web.put(f"{path}/{{id}}", _refusing(self.write)),
        ]

    async def every(self, request: web.Request) -> web.Response:
        """Those that are asked for."""
        query = [(name, _as_spelt(value)) for name, value in request.query.items()]
        return answered(listing.parse(query, self._fields).answer(self._name, self._specs))

    async def search(self, request: web.Request) -> web.Response:
        """As `every`, the query being in the body."""
        token = request.query.get("continuationToken")
        asked = listing.of_search(await _object(request), token, self._fields)
        return answered(asked.answer(self._name, self._specs))

    async def one(self, request: web.Request) -> web.Response:
        """One, in a list of its own."""
        id_ = request.match_info["id"]
        found = [spec for spec in self._specs if spec["id"] == id_]
        if not found:
            raise Problem("1439-404", type=self._name, id=id_)
        return answered({"items": found})

    async def write(self, request: web.Request) -> web.Response:
        """Not for users."""
        raise Problem("1426-400")


def _as_spelt(expression: str) -> str:
    """A filter for the name that somebody corrected finds the spec that is called "Steam"."""
    return expression.replace("Stream data with transformation", WITH_TRANSFORMATION_NAME)


def _refusing(answering: Answering) -> Answering:
    """The same, with problems put into the service's words."""

    async def answer(request: web.Request) -> web.Response:
        who = caller(request)
        try:
            return await answering(request)
        except Problem as problem:
            raise problem.refused(who.request_id) from None

    return answer


def _who(request: web.Request) -> Caller:
    if "x-sandbox-id" in request.headers:
        raise Problem("2110-400")
    return caller(request)


def _named(platform: Platform, kind: str, request: web.Request) -> Resource:
    id_ = request.match_info["id"]
    found = platform[kind].get(id_, sandbox=_who(request).sandbox)
    if found is None:
        raise Problem("1439-404", type=kind, id=id_)
    return found


def _check_version(request: web.Request, found: Resource) -> None:
    """If-Match names the version with its quotation marks, or as it stands between them."""
    given = request.headers["If-Match"].strip()
    if given not in (quoted(found.etag), found.etag, "*"):
        shown = re.sub(r'^"|"$', "", given)
        raise Problem("1404-412", version=shown, id=found.id)


def _reference(resource: Resource) -> Body:
    return {"id": resource.id, "etag": quoted(resource.etag)}


def _root(request: web.Request) -> str:
    return str(request.url.origin())


async def _json(request: web.Request) -> Any:
    text = await request.read()
    if not text.strip():
        raise Problem("1405-400")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise provider(f"the body is not JSON: {error}") from None


async def _object(request: web.Request) -> Body:
    parsed = await _json(request)
    if not parsed:
        raise Problem("1405-400")
    if not isinstance(parsed, dict):
        raise provider("the body is no JSON object")
    return parsed
