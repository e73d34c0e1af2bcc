"""How is a page served? Its files by name, with a policy that lets nothing else run.

This module imports aiohttp.web: who only might serve a page imports it when it does.
"""

from hashlib import sha256

from aiohttp import web

from agent.look import HEADERS, TYPES, parts, suffix

_PAGE = "index.html"


class Page:
    """One page at /, and its parts below a prefix."""

    def __init__(self, package: str, prefix: str) -> None:
        """*package* holds its files, *prefix* such as /_page is where the page looks for them."""
        self._package = package
        self._prefix = prefix

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [web.get("/", self.page), web.get(f"{self._prefix}/{{name}}", self.part)]

    async def page(self, request: web.Request) -> web.Response:
        """The page itself."""
        return self._answer(request, _PAGE)

    async def part(self, request: web.Request) -> web.Response:
        """A style sheet, a script or a picture of it."""
        name = request.match_info["name"]
        if name not in parts(self._package):
            raise web.HTTPNotFound
        return self._answer(request, name)

    def _answer(self, request: web.Request, name: str) -> web.Response:
        content = parts(self._package)[name]
        tag = sha256(content).hexdigest()[:16]
        headers = {**HEADERS, "ETag": f'"{tag}"'}
        if any(each.value == tag for each in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        kind = TYPES[suffix(name)]
        return web.Response(body=content, content_type=kind, charset="utf-8", headers=headers)
