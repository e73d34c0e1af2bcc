"""Who calls the platform, in which sandbox, and with what body?

The gateway finds out once for every call; the services ask here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from agent.emulator.refusals import Refused


@dataclass(frozen=True, slots=True)
class Caller:
    """What the gateway knows of a call."""

    request_id: str
    client_id: str
    org_id: str
    sandbox: str


CALLER = web.RequestKey("caller", Caller)


def caller(request: web.Request) -> Caller:
    """Who makes this call; every call that passed the gateway has one."""
    return request[CALLER]


def answered(
    content: object,
    status: int = 200,
    *,
    content_type: str = "application/json",
    headers: dict[str, str] | None = None,
) -> web.Response:
    """A JSON answer."""
    body = orjson.dumps(content)
    return web.Response(status=status, body=body, content_type=content_type, headers=headers)


async def json_of(request: web.Request, refused: Callable[[str], Refused]) -> Any:
    """The body as parsed JSON. Raises what `refused` makes of the reason why it is none."""
    text = await request.read()
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        reason = f"the body is not JSON: {error}" if text else "the body is empty"
        raise refused(reason) from None


async def object_of(request: web.Request, refused: Callable[[str], Refused]) -> dict[str, Any]:
    """The body as a JSON object. Raises what `refused` makes of the reason why it is none."""
    parsed = await json_of(request, refused)
    if not isinstance(parsed, dict):
        raise refused("the body is not a JSON object")
    return parsed


def count_in_query(
    request: web.Request,
    name: str,
    refused: Callable[[str], Refused],
    *,
    default: int,
    most: int = 1 << 31,
) -> int:
    """A whole number of the query, at most `most`. Raises what `refused` makes of any other."""
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal():
        raise refused(f"{name}: found {text!r}, which is not a whole number from 0 to {most}")
    return min(int(text), most)
