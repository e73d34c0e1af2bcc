"""How do requests reach the agent: connections, how many of them, and what is no HTTP at all?"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from agent.sources.connection import tell_refused
from agent.sources.encryption import Encryption
from agent.sources.listening import BACKLOG, Listeners
from agent.sources.networks import Networks, comes_from
from agent.sources.push import answers
from agent.sources.push.answers import Answer
from agent.sources.push.refusing import too_many_connections
from agent.sources.push.shares import InShares, share_of
from agent.telemetry.meters import Meters

_HANDSHAKE = 10.0  # seconds for a client to be secured by TLS
_TURNED_AWAY_SECONDS = 1.0  # for the answer to arrive: closing at once might overtake it
_LINGER_SECONDS = 3.0  # for a client to send the rest of what was refused, and read the answer
_LAST_REQUESTS = 0.1  # seconds for the requests of who was accepted last
_STOP_SECONDS = 2.0  # for answers that are being written

_Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Watching:
    """What is counted of one source."""

    meters: Meters
    source: str

    def answered(self, status: int) -> None:
        """A request was answered."""
        self.meters.push_requests.add(1, self.source, str(status))


class Listener:
    """Serves HTTP on the sockets of one address."""

    def __init__(
        self,
        listeners: Listeners,
        handler: _Handler,
        watching: "Watching",
        *,
        max_connections: int,
        idle_timeout: float,
        networks: Networks = (),
        encryption: Encryption | None = None,
    ) -> None:
        """*networks* are where clients may come from; none: from everywhere."""
        self._tls = encryption.renewing() if encryption else None
        self._listeners = listeners
        self._servers: list[asyncio.AbstractServer] = []
        self._server = _Server(
            handler,
            watching,
            max_connections,
            networks,
            keepalive_timeout=idle_timeout,
            auto_decompress=False,
            access_log=None,
            logger=_silent(),
            lingering_time=_LINGER_SECONDS,
        )

    async def start(self) -> None:
        """Accept connections from now on."""
        loop = asyncio.get_running_loop()
        for each in self._listeners.sockets:
            is_unix = each.family == socket.AF_UNIX
            create: Any = loop.create_unix_server if is_unix else loop.create_server
            how = {"ssl": self._tls, "ssl_handshake_timeout": _HANDSHAKE} if self._tls else {}
            self._servers.append(await create(self._server, sock=each, backlog=BACKLOG, **how))

    def close(self) -> None:
        """Accept no more; the connections that there are stay."""
        for each in self._servers:
            each.close()
        self._servers.clear()

    async def stop(self) -> None:
        """End all connections, once the answers that are due have been written.

        Who was accepted in the last moment has sent a request, or is about to: it is answered, for
        a connection that is closed before its request was read looks broken to its client.
        """
        self.close()
        if self._server.connections:
            await asyncio.sleep(_LAST_REQUESTS)
        self._server.pre_shutdown()
        await self._server.shutdown(_STOP_SECONDS)


def response(answer: Answer) -> web.Response:
    """An answer as aiohttp wants it."""
    headers = {"Server": "aep-agent"}
    if answer.retry_after is not None:
        headers["Retry-After"] = str(answer.retry_after)
    if answer.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if answer.status == 405:
        headers["Allow"] = "POST"
    return web.Response(
        body=answer.body, status=answer.status, content_type=answer.content_type, headers=headers
    )


class _Server(web.Server):
    """Connections up to a limit."""

    def __init__(
        self,
        handler: _Handler,
        watching: "Watching",
        max_connections: int,
        networks: Networks,
        **options: Any,
    ) -> None:
        super().__init__(handler, **options)
        self.watching = watching
        self._count = 0
        watching.meters.connections_open.read_from(lambda: self._count, watching.source)
        self._max = max_connections
        self._networks = networks
        self._buffer = memoryview(bytearray(share_of(1)))  # what is read is copied out at once
        self._options = options

    def __call__(self) -> asyncio.BaseProtocol:  # type: ignore[override]  # a loop takes any
        if self._count >= self._max:
            self._turn_away("max_connections")
            return _TurnedAway()
        share = share_of(self._count + 1)
        loop = asyncio.get_running_loop()
        connection = _Connection(self, loop=loop, read_bufsize=share // 2, **self._options)
        return InShares(connection, self._buffer[:share], self._admits)

    def _admits(self, transport: asyncio.BaseTransport) -> bool:
        if comes_from(transport.get_extra_info("peername"), self._networks):
            return True
        self._turn_away("not_allowed")
        return False

    def _turn_away(self, reason: str) -> None:
        tell_refused(self.watching.source, reason, self._count, self.watching.meters)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        self._count += 1
        self.watching.meters.connections_accepted.add(1, self.watching.source)
        super().connection_made(handler, transport)

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        self._count -= 1
        super().connection_lost(handler, exc)


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
        server = self._manager
        if isinstance(server, _Server):
            server.watching.answered(status)
        said = "this is not HTTP/1.1 as it should be" if status < 500 else "the agent has failed"
        refusal = response(answers.problem(status, said))
        refusal.force_close()
        return refusal


class _TurnedAway(asyncio.Protocol):
    """A connection too many: it is told so, and what it sends is not looked at."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        refused = too_many_connections()
        answer = answers.problem(refused.status, refused.message)
        # uvloop's transports are not asyncio's by class, only by what they can do
        cast(asyncio.Transport, transport).write(
            b"HTTP/1.1 503 Service Unavailable\r\nServer: aep-agent\r\nConnection: close\r\n"
            b"Retry-After: %d\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (
                refused.retry_after or 1,
                answer.content_type.encode(),
                len(answer.body),
                answer.body,
            )
        )
        asyncio.get_running_loop().call_later(_TURNED_AWAY_SECONDS, transport.close)


def _silent() -> logging.Logger:
    """What clients do wrong is counted and answered, and not logged with a traceback each."""
    logger = logging.getLogger("agent.push.http")
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    return logger
