"""Who stands between a client and the platform, hands everything on, and remembers the requests."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import aiohttp
from aiohttp import web

_OF_THE_CONNECTION = ("host", "transfer-encoding", "content-length", "content-encoding")


@dataclass(frozen=True)
class Sent:
    """One request, and the status it was answered with."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: Any
    status: int


@dataclass
class Recorder:
    """Everything that went through."""

    url: str
    sent: list[Sent] = field(default_factory=list)


@asynccontextmanager
async def recording(platform: str) -> AsyncIterator[Recorder]:
    """An address whose requests are handed on to *platform*."""
    async with aiohttp.ClientSession(auto_decompress=True) as session:

        async def hand_on(request: web.Request) -> web.Response:
            raw = await request.read()
            headers = _kept(request.headers)
            async with session.request(
                request.method, platform + request.raw_path, data=raw, headers=headers
            ) as answer:
                content = await answer.read()
            recorder.sent.append(
                Sent(
                    request.method,
                    request.rel_url.raw_path,
                    parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True),
                    dict(request.headers),
                    json.loads(raw) if raw else None,
                    answer.status,
                )
            )
            return web.Response(status=answer.status, body=content, headers=_kept(answer.headers))

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", hand_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        recorder = Recorder(f"http://{host}:{port}")
        try:
            yield recorder
        finally:
            await runner.cleanup()


def _kept(headers: Any) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name.lower() not in _OF_THE_CONNECTION}
