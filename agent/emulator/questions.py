"""How are the emulator's own routes asked, and how do they answer?"""

from collections.abc import Awaitable, Callable, Iterable

import orjson
from aiohttp import web

from agent.emulator.queries import QueryRefused
from agent.errors import AgentError, ConfigError

_MOST = 10_000
_LONGEST_WAIT = 60.0

Answering = Callable[[web.Request], Awaitable[web.Response]]


class Wrong(AgentError):
    """A request cannot be answered; `status` is that of the answer."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def told(answer: Answering) -> Answering:
    """A route that says what is wrong with a request."""

    async def telling(request: web.Request) -> web.Response:
        try:
            return await answer(request)
        except Wrong as error:
            return problem(str(error), error.status)
        except (ConfigError, QueryRefused) as error:
            return problem(str(error))
        except AgentError as error:
            return problem(str(error), 500)

    return telling


def page(request: web.Request) -> tuple[int, int]:
    """(offset, limit) of a request. Raises Wrong."""
    return (
        _whole(request, "offset", 0, 1 << 60),
        _whole(request, "limit", 100, _MOST),
    )


def _whole(request: web.Request, name: str, default: int, most: int) -> int:
    text = request.query.get(name, str(default))
    if not (text.isascii() and text.isdecimal()) or int(text) > most:
        raise Wrong(f"{name}: found {text!r}; write a whole number up to {most}")
    return int(text)


def seconds_of(text: str) -> float:
    """How long to wait. Raises Wrong."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= _LONGEST_WAIT:
        raise Wrong(f"wait: found {text!r}; write seconds up to {_LONGEST_WAIT:g}")
    return seconds


def answered(content: object) -> web.Response:
    """A JSON answer that people can read, too."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    return web.Response(body=orjson.dumps(content, option=options), content_type="application/json")


def answered_with(head: dict[str, int], name: str, items: Iterable[bytes]) -> web.Response:
    """An object whose last member is an array of what is JSON already."""
    body = b'%b,"%b":[%b]}\n' % (orjson.dumps(head)[:-1], name.encode(), b",\n".join(items))
    return web.Response(body=body, content_type="application/json")


def problem(message: str, status: int = 400) -> web.Response:
    """An answer that says what is wrong with a request."""
    body = {"status": status, "title": message.splitlines()[0], "errors": message.splitlines()}
    return web.Response(
        status=status, body=orjson.dumps(body), content_type="application/problem+json"
    )
