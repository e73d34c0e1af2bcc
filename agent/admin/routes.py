"""What does the admin listener answer? The status page, metrics, health and status.

This module imports aiohttp.web: `agent.admin.server` imports it when somebody asks first. A route
that is added here asks for the token, where one is set, unless `Access` says otherwise.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from agent.admin import page
from agent.admin.access import Access
from agent.admin.health import Verdict
from agent.admin.tapping import Tapping, Taps
from agent.look.serving import Page
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters
from agent.telemetry.redaction import scrub_fields

Route = Callable[[web.Request], Awaitable[web.StreamResponse]]

INDEX = """\
aep-agent

/         this list; in a browser, the status page
/metrics  every metric, as Prometheus text or OpenMetrics
/livez    200 while the event loop turns and work moves, else 503
/readyz   200 while input can be taken, else 503
/status   what the agent is doing, as JSON; ?history=300: and the last minutes by the second
/tap      a few of the records that pass, redacted, where a token is set; see aep-agent tap
"""

_PARTS = "/_page"
_DIGITS_MOST = 9
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

log = get_logger("admin")


@dataclass(frozen=True, slots=True)
class Answers:
    """Where what is answered comes from. `status` is told how many of the last seconds to tell of.

    Of several flows it tells those of all together, and of the one that it is told by name.
    """

    meters: Mapping[str, Meters]
    status: Callable[[float, str], Mapping[str, object]]
    ready: Callable[[], Verdict]
    live: Callable[[], Verdict]
    taps: Taps


def application(answers: Answers, access: Callable[[], Access]) -> web.Application:
    """The routes; each answers GET and HEAD, and 405 to anything else."""
    shown = Page(page.__name__, _PARTS)
    tapping = Tapping(answers.taps, access)

    async def metrics(request: web.Request) -> web.Response:
        from agent.telemetry.prometheus import render  # a megabyte, for whoever scrapes

        accept = ",".join(request.headers.getall("Accept", []))
        body, content_type = render(answers.meters, accept)
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def state(request: web.Request) -> web.Response:
        told = scrub_fields(answers.status(_seconds(request), request.query.get("flow", "")))
        if not access().is_private:
            _without_words(told)
        return _json(told)

    async def index(request: web.Request) -> web.Response:
        if "text/html" in request.headers.get("Accept", ""):
            answer = await shown.page(request)
        else:
            answer = web.Response(text=INDEX)
        answer.headers["Vary"] = "Accept"
        return answer

    app = web.Application(middlewares=[_tell_failures, _guard(access), _refuse_bodies])
    app.on_response_prepare.append(set_headers)
    app.router.add_get("/", index)
    app.router.add_get(f"{_PARTS}/{{name}}", shown.part)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/status", state)
    app.router.add_get("/tap", tapping.answer, allow_head=False)
    app.on_shutdown.append(tapping.end)
    app.router.add_get("/livez", _probe(answers.live))
    app.router.add_get("/readyz", _probe(answers.ready))
    return app


def _probe(ask: Callable[[], Verdict]) -> Route:
    async def answer(request: web.Request) -> web.Response:
        well, reason = ask()
        status = 200 if well else 503
        if "application/json" in request.headers.get("Accept", ""):
            return _json({"ok": well, "reason": reason}, status)
        return web.Response(text=reason + "\n", status=status)

    return answer


def _seconds(request: web.Request) -> float:
    """How much of the last minutes is asked for: whole seconds. Raises HTTPBadRequest."""
    asked = request.query.get("history", "0")
    if not asked.isascii() or not asked.isdigit() or len(asked) > _DIGITS_MOST:
        raise web.HTTPBadRequest(text="history: write whole seconds, such as /status?history=300\n")
    return float(asked)


def _without_words(told: dict[str, Any]) -> None:
    """Take away what the platform said of records, which may repeat some of what is in them."""
    for each in (told, *(told.get("flows") or {}).values()):
        for letter in each.get("last_dead_letters", ()) if isinstance(each, dict) else ():
            if isinstance(letter, dict):
                letter["message"] = None


def _json(value: Mapping[str, object], status: int = 200) -> web.Response:
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    return web.Response(body=body, status=status, content_type="application/json")


def _guard(access: Callable[[], Access]) -> Any:
    @web.middleware
    async def guard(request: web.Request, handler: Route) -> web.StreamResponse:
        refusal = access().refusal(
            request.method if request.match_info.http_exception is None else "GET",
            request.path,
            host=request.headers.get("Host", ""),
            authorization=request.headers.get("Authorization"),
            is_page=request.path == "/" or request.path.startswith(f"{_PARTS}/"),
        )
        if refusal is None:
            return await handler(request)
        answer = web.Response(text=refusal.says + "\n", status=refusal.status)
        if refusal.status == 401:
            answer.headers["WWW-Authenticate"] = 'Bearer realm="aep-agent"'
        return answer

    return guard


@web.middleware
async def _tell_failures(request: web.Request, handler: Route) -> web.StreamResponse:
    """An answer that fails is told in the log, by the name of its route: never by what was sent."""
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception:
        resource = request.match_info.route.resource
        log.exception("an answer failed", route=resource.canonical if resource else None)
        return web.Response(text="the agent could not tell; its log says why\n", status=500)


@web.middleware
async def _refuse_bodies(request: web.Request, handler: Route) -> web.StreamResponse:
    if request.body_exists:
        refusal = web.Response(text="nothing here reads a request body\n", status=413)
        refusal.force_close()
        return refusal
    return await handler(request)


async def set_headers(_request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Have browsers be careful, where a page does not say how itself."""
    response.headers["Server"] = "aep-agent"
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
