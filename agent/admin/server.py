"""Where can an operator look at the agent? An HTTP listener that only reads.

What answers is loaded when somebody asks first: an agent that nobody looks at goes without, 2 MB.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from agent.admin.access import Access, is_local
from agent.admin.health import Verdict
from agent.config.admin import AdminSettings
from agent.delivery.tap import Tap
from agent.errors import ConfigError
from agent.sources.encryption import encryption_of
from agent.sources.listening import Listeners, Listening
from agent.sources.push.entering import Tokens
from agent.sources.readiness import Readiness
from agent.telemetry.meters import Meters

if TYPE_CHECKING:
    from agent.admin.connections import Connections


class Admin:
    """Serves the status page, /metrics, /livez, /readyz, /status and an index of them."""

    def __init__(
        self,
        settings: AdminSettings,
        meters: Mapping[str, Meters],
        status: Callable[[float, str], Mapping[str, object]],
        ready: Callable[[], Verdict],
        live: Callable[[], Verdict],
        taps: Callable[[], Mapping[str, Tap]] = dict,
    ) -> None:
        """`settings.listen` is host:port or [ipv6]:port, port 0 for any; `start` listens there, and
        `serve` answers.

        `status` is shown as JSON, without what looks like a secret; it is told how many of the
        last seconds are asked for, and of which flow. `ready` and `live` return whether all is
        well and a line on why.
        `taps`, by the names of flows, are where records can be looked at.
        """
        self._settings = settings
        self._meters = meters
        self._status = status
        self._ready = ready
        self._live = live
        self._taps = taps
        self._listeners = Listeners(Listening(settings.listen or "", key="admin.listen"))
        self._connections: Connections | None = None

    def start(self) -> None:
        """Listen; raises ConfigError, which says what to change, where that is not possible."""
        _check(self._settings.listen or "")
        self._tokens = Tokens(self._settings.read_token, self._settings.token_file)
        self._tls = _context(self._settings)
        self._listeners.open()
        for each in self._listeners.sockets:
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # who does not read an answer must not keep its place; connections inherit it
                milliseconds = max(1, int(self._settings.idle_timeout * 1000))
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, milliseconds)

    async def serve(self) -> None:
        """Answer whoever asks, from the first one on; never returns."""
        await _visited(self._listeners.sockets)
        await asyncio.to_thread(import_module, "agent.admin.routes")
        await self._open()
        await asyncio.get_running_loop().create_future()

    async def _open(self) -> None:
        from agent.admin.connections import Connections
        from agent.admin.routes import Answers, application

        settings, tokens = self._settings, self._tokens
        listen = settings.listen or ""

        def access() -> Access:
            token = tokens.current()
            return Access(token, is_local(listen), settings.hosts, settings.open_metrics)

        answers = Answers(self._meters, self._status, self._ready, self._live, self._taps)
        connections = Connections(
            application(answers, access),
            most=settings.max_connections,
            idle_timeout=settings.idle_timeout,
            tls=self._tls,
        )
        self._connections = connections
        await connections.open(self._listeners.sockets)

    async def stop(self) -> None:
        """Stop listening; answers under way get two seconds. Stopping twice is fine."""
        connections, self._connections = self._connections, None
        if connections is not None:
            await connections.close()
        self._listeners.close()

    @property
    def address(self) -> str:
        """host:port it really listens on; empty while it does not listen."""
        return next(iter(self._listeners.addresses), "")


async def _visited(sockets: Sequence[socket.socket]) -> None:
    """Wait until somebody connects to one of these."""
    readiness: Readiness[socket.socket] = Readiness()
    for each in sockets:
        readiness.add(each.fileno(), each)
    try:
        while not await readiness.wait(None):
            pass
    finally:
        readiness.close()


def _context(settings: AdminSettings) -> ssl.SSLContext | None:
    try:
        encryption = encryption_of(settings.tls)
    except ConfigError as error:
        raise ConfigError(f"admin.{error}") from error
    return encryption.renewing() if encryption else None


def _check(listen: str) -> None:
    host, colon, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    digits = port.isascii() and port.isdigit()
    if not (colon and host and digits and int(port) < 65536) or (":" in host) != bracketed:
        raise ConfigError(
            f"admin.listen: found {listen!r}; write host:port, such as 127.0.0.1:9600 or [::1]:9600"
        )
