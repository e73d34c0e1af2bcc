"""How does an emulator start, listen and end?"""

import contextlib
import errno
import logging
from collections.abc import Awaitable, Callable, Iterator
from types import TracebackType
from typing import Any, Self

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from agent.emulator import answers, broken, console
from agent.emulator.arrivals import Arrivals
from agent.emulator.batches import Batches
from agent.emulator.catalog import Catalog
from agent.emulator.control import ControlRoutes
from agent.emulator.data_routes import DataRoutes
from agent.emulator.dataprep import DataPrep
from agent.emulator.export import Export
from agent.emulator.faults import Script
from agent.emulator.flow.routes import FlowRoutes
from agent.emulator.gateway import Gateway
from agent.emulator.ims import ImsRoutes
from agent.emulator.inlet import InletRoutes
from agent.emulator.observability import Observability
from agent.emulator.options import TOKEN_PATH, EmulatorOptions
from agent.emulator.platform import Platform
from agent.emulator.queries import QueryRefused
from agent.emulator.sandboxes import Sandboxes
from agent.emulator.schemas.descriptors import DescriptorRoutes
from agent.emulator.schemas.routes import SchemaRoutes
from agent.emulator.state import State, WrittenScript
from agent.errors import AgentError

_READ_BUFFER = 1 << 20
_GRACE = 0.2  # seconds for answers under way when the emulator ends
_NO_FAULTS = Script()


class Emulator:
    """The platform on localhost: `async with Emulator(EmulatorOptions()) as emulator: ...`.

    Entering listens, or raises AgentError where that is not possible; leaving closes every
    connection and, unless the options name a directory, forgets everything.
    """

    def __init__(self, options: EmulatorOptions, faults: Script = _NO_FAULTS) -> None:
        self._options = options
        self._faults = faults
        self._state: State | None = None
        self._runner: web.AppRunner | None = None
        self._listening = ""

    async def __aenter__(self) -> Self:
        arrivals = Arrivals(self._options.directory)
        try:
            self._state = State(self._options, arrivals, self._faults)
        except BaseException:
            arrivals.close()  # so that the directory is free for another try
            raise
        sandboxes = Sandboxes(self._state.platform.sandboxes)
        gateway = Gateway(self._state, sandboxes)
        app = web.Application(
            middlewares=[_problems_as_json, gateway.middleware()], client_max_size=1 << 24
        )
        app.add_routes(sandboxes.routes())
        app.add_routes(FlowRoutes(self._state).routes())
        app.add_routes(DescriptorRoutes(self._state.registry).routes())
        app.add_routes(SchemaRoutes(self._state.registry).routes())
        app.add_routes(Catalog(self._state).routes())
        app.add_routes(DataPrep(self._state).routes())
        app.add_routes(Batches(self._state).routes())
        app.add_routes(Export(self._state).routes())
        app.add_routes(Observability(self._state).routes())
        app.add_routes(InletRoutes(self._state).routes())
        if self._options.client_id is not None:
            app.add_routes(ImsRoutes(self._state).routes())
        app.add_routes(ControlRoutes(self._state).routes())
        app.add_routes(DataRoutes(self._state).routes())
        app.add_routes(console.page().routes())
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=_of_own_faults(),
            handler_cancellation=True,  # a hanging answer ends when its client goes
            auto_decompress=False,  # the inlet itself decides about gzip, and bounds it
            read_bufsize=_READ_BUFFER,
            shutdown_timeout=_GRACE,
        )
        await self._runner.setup()
        host, port = self._options.address
        try:
            await web.TCPSite(self._runner, host, port).start()
        except OSError as error:
            await self._close()
            raise AgentError(_why_not(self._options.listen, error)) from None
        host, port = self._runner.addresses[0][:2]
        self._listening = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._close()

    @property
    def listening(self) -> str:
        """The root URL, with the port that was really taken."""
        return self._listening

    @property
    def inlet_url(self) -> str:
        """The inlet's URL for single records; `batch/` goes in after `/collection/`."""
        return f"{self._listening}/collection/{self._options.inlet_id}"

    @property
    def token_url(self) -> str | None:
        """Where tokens are issued; None where no client is known."""
        return None if self._options.client_id is None else self._listening + TOKEN_PATH

    @property
    def flow_id(self) -> str:
        """The ready-made flow."""
        return self._options.flow_id

    @property
    def platform(self) -> Platform:
        """Everything that was provisioned."""
        return self._running.platform

    def stats(self) -> dict[str, Any]:
        """The counters, as /_emulator/stats answers them."""
        return self._running.stats()

    def set_faults(self, script: WrittenScript) -> None:
        """Put a script to work: text, parsed YAML, or a Script; [] ends all. Raises ConfigError."""
        self._running.set_faults(script)

    def revoke_tokens(self) -> None:
        """Let no token be good that was issued so far."""
        self._running.issued.revoke()

    def records(self, *, flow_id: str | None = None) -> Iterator[bytes]:
        """The exact bytes of every accepted record, in order of arrival."""
        for run in self._running.arrivals.records(flow_id=flow_id):
            yield from run

    def rejected(self) -> bytes:
        """The refused records, NDJSON as /_emulator/rejected answers them."""
        return b"".join(self._running.arrivals.rejected())

    def forget_records(self) -> None:
        """Forget accepted and refused records."""
        self._running.forget_records()

    @property
    def _running(self) -> State:
        if self._state is None:
            raise RuntimeError("the emulator is not listening: use it inside `async with`")
        return self._state

    async def _close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._state is not None:
            with contextlib.suppress(QueryRefused):  # then there is no such file
                await self._state.write_parquet()
            self._state.close()
            self._state = None


@web.middleware
async def _problems_as_json(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer unknown paths and methods as the platform would: as problem JSON."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        answer = answers.problem(error.status, f"{request.method} {request.path}", error.reason)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return broken.response(answer)


def _why_not(listen: str, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"cannot listen on {listen}: the address is in use; "
            "stop what listens there, or choose another port (port 0 takes a free one)"
        )
    return f"cannot listen on {listen}: {error.strerror or error}"


def _of_own_faults() -> logging.Logger:
    """What fails here is logged; who does not speak HTTP is answered, without a traceback each."""
    logger = logging.getLogger("agent.emulator.http")
    logger.addFilter(_is_own_fault)
    return logger


def _is_own_fault(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
