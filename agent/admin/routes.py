"""What does the admin listener answer? Metrics, health and status, to whoever only reads.

This module imports aiohttp.web: `agent.admin.server` imports it when it starts to listen.
"""

from collections.abc import Awaitable, Callable, Mapping

import orjson
from aiohttp import web

from agent.admin.health import Verdict
from agent.telemetry.meters import Meters
from agent.telemetry.prometheus import render
from agent.telemetry.redaction import scrub_fields

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]

INDEX = """\
aep-agent

/metrics  every metric, as Prometheus text or OpenMetrics
/livez    200 while the event loop turns and work moves, else 503
/readyz   200 while input can be taken, else 503
/status   what the agent is doing, as JSON; ?history=300: and the last minutes by the second
"""

_DIGITS_MOST = 9

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Server": "aep-agent",
}


def application(
    meters: Mapping[str, Meters],
    status: Callable[[float], Mapping[str, object]],
    ready: Callable[[], Verdict],
    live: Callable[[], Verdict],
) -> web.Application:
    """The routes; each answers GET and HEAD, and 405 to anything else."""

    async def metrics(request: web.Request) -> web.Response:
        accept = ",".join(request.headers.getall("Accept", []))
        body, content_type = render(meters, accept)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def state(request: web.Request) -> web.Response:
        return _json(scrub_fields(status(_seconds(request.query.get("history", "0")))))

    async def index(request: web.Request) -> web.Response:
        return web.Response(text=INDEX)

    app = web.Application(middlewares=[_refuse_bodies])
    app.on_response_prepare.append(_set_headers)
    app.router.add_get("/", index)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/status", state)
    app.router.add_get("/livez", _probe(live))
    app.router.add_get("/readyz", _probe(ready))
    return app


def _probe(ask: Callable[[], Verdict]) -> Route:
    async def answer(request: web.Request) -> web.Response:
        well, reason = ask()
        status = 200 if well else 503
        if "application/json" in request.headers.get("Accept", ""):
            return _json({"ok": well, "reason": reason}, status)
        return web.Response(text=reason + "\n", status=status)

    return answer


def _seconds(asked: str) -> float:
    """How much of the last minutes is asked for: whole seconds. Raises HTTPBadRequest."""
    if not asked.isascii() or not asked.isdigit() or len(asked) > _DIGITS_MOST:
        raise web.HTTPBadRequest(text="history: write whole seconds, such as /status?history=300\n")
    return float(asked)


def _json(value: Mapping[str, object], status: int = 200) -> web.Response:
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return web.Response(body=body, status=status, content_type="application/json")


@web.middleware
async def _refuse_bodies(request: web.Request, handler: Route) -> web.StreamResponse:
    if request.body_exists:
        refusal = web.Response(text="nothing here reads a request body\n", status=413)
        refusal.force_close()
        return refusal
    return await handler(request)


async def _set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
