"""What does a call of Flow Service ask for? What makes no sense is refused in its own words."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from aiohttp import web

from agent.emulator.calls import Caller, caller
from agent.emulator.flow.kinds import Body, quoted
from agent.emulator.flow.problems import Problem, provider
from agent.emulator.platform import Platform
from agent.emulator.resources import Resource

PATH = "/data/foundation/flowservice"
Answering = Callable[[web.Request], Awaitable[web.Response]]


def refusing(answering: Answering) -> Answering:
    """The same, with problems put into the service's words."""

    async def answer(request: web.Request) -> web.Response:
        request_id = caller(request).request_id
        try:
            return await answering(request)
        except Problem as problem:
            raise problem.refused(request_id) from None

    return answer


def who(request: web.Request) -> Caller:
    """Who calls, and in which sandbox."""
    if "x-sandbox-id" in request.headers:
        raise Problem("2110-400")
    return caller(request)


def named(platform: Platform, kind: str, request: web.Request) -> Resource:
    """The resource of that kind whose id is in the address."""
    id_ = request.match_info["id"]
    found = platform[kind].get(id_, sandbox=who(request).sandbox)
    if found is None:
        raise Problem("1439-404", type=kind, id=id_)
    return found


def check_version(request: web.Request, found: Resource) -> None:
    """If-Match names the version with its quotation marks, or as it stands between them."""
    given = request.headers["If-Match"].strip()
    if given not in (quoted(found.etag), found.etag, "*"):
        shown = re.sub(r'^"|"$', "", given)
        raise Problem("1404-412", version=shown, id=found.id)


async def json_of(request: web.Request) -> Any:
    """The body, which must not be empty."""
    text = await request.read()
    if not text.strip():
        raise Problem("1405-400")
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise provider(f"the body is not JSON: {error}") from None


async def object_of(request: web.Request) -> Body:
    """The body, where only an object makes sense."""
    parsed = await json_of(request)
    if not parsed:
        raise Problem("1405-400")
    if not isinstance(parsed, dict):
        raise provider("the body is no JSON object")
    return parsed
