"""A platform whose answers are written in the test, on a real socket, and clients that ask it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from agent.aep.platform import Platform
from agent.config.platform import PlatformSettings
from agent.config.validating import validated

ORG = "0123456789ABCDEF@AdobeOrg"
TOKEN = "p8e-planted-token"
QUICK = {"retry_initial": "1ms", "retry_max": "5ms"}


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any


@dataclass
class Answer:
    """What to answer; without a status the connection is closed without a word."""

    body: Any = None
    status: int | None = 200
    headers: dict[str, str] = field(default_factory=dict)


class Scripted:
    """Answers in the order given, the last one for ever; or as a function says."""

    def __init__(self, *answers: Answer | Callable[[Asked], Answer]) -> None:
        self.asked: list[Asked] = []
        self.url = ""
        self._answers = list(answers)

    @property
    def calls(self) -> list[str]:
        """The method and path of every request."""
        return [f"{each.method} {each.path}" for each in self.asked]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        asked = Asked(
            request.method,
            request.rel_url.raw_path,
            parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True),
            dict(request.headers),
            json.loads(raw) if raw and request.content_type == "application/json" else raw,
        )
        self.asked.append(asked)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if callable(answer):
            answer = answer(asked)
        if answer.status is None:
            assert request.transport
            request.transport.abort()
            return web.Response()
        body = answer.body
        if not isinstance(body, bytes):
            body = b"" if body is None else json.dumps(body).encode()
        return web.Response(status=answer.status, body=body, headers=answer.headers)


@asynccontextmanager
async def asking(
    *answers: Answer | Callable[[Asked], Answer], **settings: Any
) -> AsyncIterator[tuple[Platform, Scripted]]:
    """A platform that answers like this, and a client of it."""
    script = Scripted(*answers)
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/{path:.*}", script.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    script.url = f"http://{host}:{port}"
    try:
        async with asyncio.timeout(10), client(script.url, **settings) as platform:
            yield platform, script
    finally:
        await runner.cleanup()


def client(url: str, **settings: Any) -> Platform:
    """A client of the platform at *url*."""
    chosen = {"url": url, "org_id": ORG, "token": TOKEN, "api_key": "key", **QUICK, **settings}
    chosen = {name: value for name, value in chosen.items() if value is not None}
    return Platform.of(validated(PlatformSettings, chosen))
