"""What does Flow Service answer of runs and specs, which users can only read?"""

from collections.abc import Iterator

from aiohttp import web

from agent.emulator.calls import answered
from agent.emulator.flow import listing, runs
from agent.emulator.flow.kinds import Body
from agent.emulator.flow.problems import Problem
from agent.emulator.flow.requests import PATH, object_of, refusing, who
from agent.emulator.flow.specs import WITH_TRANSFORMATION_NAME
from agent.emulator.platform import Platform


class RunRoutes:
    """Runs, which nobody but the platform makes or changes."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        path = f"{PATH}/runs"
        refused = refusing(self.write)
        return [
            web.get(path, refusing(self.every)),
            web.get(f"{path}/{{id}}", refusing(self.one)),
            web.post(f"{path}/search", refusing(self.search)),
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
        asked = listing.of_search(await object_of(request), token, runs.FIELDS)
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
        return runs.every(self._platform, who(request).sandbox)


class SpecRoutes:
    """Specs, which are Adobe's to write."""

    def __init__(self, name: str, specs: list[Body]) -> None:
        self._name = name
        self._specs = specs
        self._fields = frozenset(field for spec in specs for field in spec)

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        path = f"{PATH}/{self._name}"
        return [
            web.get(path, refusing(self.every)),
            web.get(f"{path}/{{id}}", refusing(self.one)),
            web.post(f"{path}/search", refusing(self.search)),
            web.post(path, refusing(self.write)),
            web.put(f"{path}/{{id}}", refusing(self.write)),
        ]

    async def every(self, request: web.Request) -> web.Response:
        """Those that are asked for."""
        query = [(name, _as_spelt(value)) for name, value in request.query.items()]
        return answered(listing.parse(query, self._fields).answer(self._name, self._specs))

    async def search(self, request: web.Request) -> web.Response:
        """As `every`, the query being in the body."""
        token = request.query.get("continuationToken")
        asked = listing.of_search(await object_of(request), token, self._fields)
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
