"""Where can an operator look at the agent? An HTTP listener that only reads."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from agent.admin.health import Verdict
from agent.errors import ConfigError
from agent.sources.listening import Listeners, Listening
from agent.telemetry.meters import Meters

if TYPE_CHECKING:
    from aiohttp import web

_STOP_GRACE = 2.0
_KEEPALIVE = 75.0


class Admin:
    """Serves /metrics, /livez, /readyz, /status and an index of them."""

    def __init__(
        self,
        listen: str,
        meters: Mapping[str, Meters],
        status: Callable[[float], Mapping[str, object]],
        ready: Callable[[], Verdict],
        live: Callable[[], Verdict],
    ) -> None:
        """`listen` is host:port or [ipv6]:port, port 0 for any; nothing listens before `start`.

        `status` is shown as JSON, without what looks like a secret; it is told how many of the
        last seconds are asked for. `ready` and `live` return whether all is well and a line on why.
        """
        self._listen = listen
        self._meters = meters
        self._status = status
        self._ready = ready
        self._live = live
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listen; raises ConfigError, which says what to change, where that is not possible."""
        from aiohttp import web

        from agent.admin.routes import application

        _check(self._listen)
        listeners = Listeners(Listening(self._listen, key="admin.listen"))
        listeners.open()
        app = application(self._meters, self._status, self._ready, self._live)
        runner = web.AppRunner(
            app, access_log=None, keepalive_timeout=_KEEPALIVE, shutdown_timeout=_STOP_GRACE
        )
        await runner.setup()
        for each in listeners.sockets:  # which belong to the runner from now on
            await web.SockSite(runner, each).start()
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening; answers under way get two seconds. Stopping twice is fine."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    @property
    def address(self) -> str:
        """host:port it really listens on; empty while it does not listen."""
        if self._runner is None:
            return ""
        host, port = self._runner.addresses[0][:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check(listen: str) -> None:
    host, colon, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if bracketed else host
    digits = port.isascii() and port.isdigit()
    if not (colon and host and digits and int(port) < 65536) or (":" in host) != bracketed:
        raise ConfigError(
            f"admin.listen: found {listen!r}; write host:port, such as 127.0.0.1:9600 or [::1]:9600"
        )
