"""How do requests reach the admin listener: how many at once, for how long, and what is no HTTP?

This module imports aiohttp.web: `agent.admin.server` imports it when somebody asks first.
"""

import asyncio
import logging
import socket
import ssl
from collections.abc import Iterable
from typing import Any, cast

from aiohttp import web

_HANDSHAKE = 10.0  # seconds for a client to be secured by TLS
_LINE_BYTES = 4096  # of a request's first line, and of each header
_HEADERS_MOST = 50
_STOP_GRACE = 2.0  # seconds for answers that are being written
_TURNED_AWAY = b"too many connections: admin.max_connections\n"


class Connections:
    """Serves an application on sockets that listen, from `open` until `close`."""

    def __init__(
        self,
        app: web.Application,
        *,
        most: int,
        idle_timeout: float,
        tls: ssl.SSLContext | None,
    ) -> None:
        self._most = most
        self._tls = tls
        self._options: dict[str, Any] = {
            "access_log": None,
            "logger": _silent(),
            "keepalive_timeout": idle_timeout,
            "lingering_time": _STOP_GRACE,
            "max_line_size": _LINE_BYTES,
            "max_field_size": _LINE_BYTES,
            "max_headers": _HEADERS_MOST,
        }
        self._runner = web.AppRunner(app, shutdown_timeout=_STOP_GRACE, **self._options)
        self._servers: list[asyncio.Server] = []

    async def open(self, sockets: Iterable[socket.socket]) -> None:
        """Answer on these, which are ours from now on."""
        await self._runner.setup()
        loop = asyncio.get_running_loop()
        how: dict[str, Any] = (
            {"ssl": self._tls, "ssl_handshake_timeout": _HANDSHAKE} if self._tls else {}
        )
        for each in sockets:
            self._servers.append(await loop.create_server(self._accepted, sock=each, **how))

    async def close(self) -> None:
        """Listen no more; answers under way get two seconds."""
        for each in self._servers:
            each.close()
        self._servers.clear()
        await self._runner.cleanup()

    def _accepted(self) -> asyncio.BaseProtocol:
        server = self._runner.server
        assert server, "nothing is accepted before it is open"
        if len(server.connections) >= self._most:
            return _TooMany()
        return _Connection(server, loop=asyncio.get_running_loop(), **self._options)


class _Connection(web.RequestHandler):
    """One that is answered in our words even where it does not speak HTTP."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        said = "this is not HTTP/1.1 as it should be" if status < 500 else "the agent has failed"
        answer = web.Response(text=said + "\n", status=status, headers={"Server": "aep-agent"})
        answer.force_close()
        return answer


class _TooMany(asyncio.Protocol):
    """A connection too many: it is told so, and what it sends is not looked at."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's by class, only by what they can do
        opened = cast(asyncio.Transport, transport)
        opened.write(
            b"HTTP/1.1 503 Service Unavailable\r\nServer: aep-agent\r\nConnection: close\r\n"
            b"Retry-After: 1\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%b"
            % (len(_TURNED_AWAY), _TURNED_AWAY)
        )
        opened.close()


def _silent() -> logging.Logger:
    """What clients do wrong is answered, and not logged with a traceback each."""
    logger = logging.getLogger("agent.admin.http")
    logger.propagate = False
    logger.addHandler(logging.NullHandler())
    return logger
