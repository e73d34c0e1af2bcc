"""What does somebody see who opens the emulator in a browser?

One page, made of the files beside this module: plain HTML, CSS and JavaScript modules, served as
they are. It asks the routes below /_emulator for everything it shows, and nobody else for anything.
`look.css`, `elements.js`, `figures.js` and `chart.js` know nothing of the emulator.
"""

from functools import cache
from hashlib import sha256
from importlib import resources

from aiohttp import web

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_PAGE = "index.html"

# Records are written by anybody: nothing in them may ever run, or fetch anything.
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-cache",  # which is to ask whether it changed
}


class ConsoleRoutes:
    """The page at / and its parts below /_console."""

    def routes(self) -> list[web.RouteDef]:
        """The routes to serve."""
        return [
            web.get("/", self.page),
            web.get("/_console/{name}", self.part),
        ]

    async def page(self, request: web.Request) -> web.Response:
        """The page itself."""
        return _answer(request, _PAGE)

    async def part(self, request: web.Request) -> web.Response:
        """A style sheet, a script or a picture of it."""
        name = request.match_info["name"]
        if name not in parts():
            raise web.HTTPNotFound
        return _answer(request, name)


@cache
def parts() -> dict[str, bytes]:
    """The files of the page by name, read once."""
    files = resources.files(__name__).iterdir()
    return {file.name: file.read_bytes() for file in files if _suffix(file.name) in _TYPES}


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]


def _answer(request: web.Request, name: str) -> web.Response:
    content = parts()[name]
    tag = sha256(content).hexdigest()[:16]
    headers = {**HEADERS, "ETag": f'"{tag}"'}
    if any(each.value == tag for each in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    return web.Response(
        body=content, content_type=_TYPES[_suffix(name)], charset="utf-8", headers=headers
    )
