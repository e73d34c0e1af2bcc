"""How are calls of the control plane made: over which connections, and what does an answer mean?"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Self
from urllib.parse import urlencode

import orjson
from yarl import URL

from agent import __version__
from agent.aep.bearers import Bearer
from agent.aep.calls import Call, CallLimits, Failure, Reply, Tried
from agent.aep.http_client import aiohttp
from agent.aep.transport import (
    DIRECT,
    Route,
    proxy_for,
    read_whole,
    readable,
    tls,
    too_late,
)
from agent.core import platform_errors, retrying
from agent.core.platform_errors import Said
from agent.errors import (
    CredentialsRefused,
    NotFound,
    Outdated,
    PlatformAway,
    PlatformError,
    Unavailable,
)
from agent.telemetry.redaction import scrub_text

_CONNECTIONS = 4


class _Broken(Exception):
    """The connection broke, or could not be made."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error


async def _once(
    request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Send a request once: aiohttp would repeat GET, PUT and DELETE after these, and not tell."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise _Broken(error) from error


class Session:
    """Calls of the control plane over connections that are kept; use it with `async with`.

    Raises ConfigError where TLS or the proxy cannot be had as configured.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        sandbox: str | None,
        bearer: Bearer,
        limits: CallLimits,
        route: Route = DIRECT,
    ) -> None:
        self._url = url.rstrip("/")
        self._headers = {"User-Agent": f"aep-agent/{__version__}", **headers}
        self._sandbox = sandbox
        self._bearer = bearer
        self._limits = limits
        address = URL(self._url)
        self._proxy = proxy_for(address, route)
        self._ssl = tls(address, route, self._proxy, system_too=True, section="platform.tls")
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._session:
            await self._session.close()

    async def token(self) -> str:
        """The token that calls carry now."""
        return await self._bearer.current()

    async def ask(self, call: Call) -> Reply:
        """Make a call until it succeeds. Raises PlatformError where it does not.

        Only a DELETE that finds nothing when it is made again has succeeded before.
        """
        tried = Tried(call, self._limits, self._bearer)
        while True:
            token = await self._bearer.current()
            try:
                return await self._once(call, token)
            except Failure as failure:
                is_gone = call.method == "DELETE" and isinstance(failure.error, NotFound)
                if is_gone and tried.in_doubt:
                    return Reply(204, {}, None)
                await asyncio.sleep(tried.wait_after(failure, token))

    async def lines(self, call: Call) -> AsyncIterator[bytes]:
        """The lines of a successful answer's body, however long that is.

        Raises PlatformError. Once a line was given, the call is not made again.
        """
        tried = Tried(call, self._limits, self._bearer)
        began = False
        while True:
            token = await self._bearer.current()
            try:
                async with self._answered(call, token) as response:
                    async for line in self._lines_of(response):
                        began = True
                        yield line
                return
            except Failure as failure:
                if began:
                    raise failure.error from None
                await asyncio.sleep(tried.wait_after(failure, token))

    async def _lines_of(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        unfinished: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            *lines, rest = part.split(b"\n")
            if lines:
                yield b"".join([*unfinished, lines[0]])
                for line in lines[1:]:
                    yield line
                unfinished, size = [], 0
            unfinished.append(rest)
            size += len(rest)
            if size > self._limits.answer_bytes:
                raise Unavailable(f"a line is longer than {self._limits.answer_bytes} bytes")
        if size:
            yield b"".join(unfinished)

    async def _once(self, call: Call, token: str) -> Reply:
        async with self._answered(call, token) as response:
            body = await read_whole(response, self._limits.answer_bytes)
            headers = dict(response.headers)
            status = response.status
        if not body.strip():
            return Reply(status, headers, None)
        try:
            return Reply(status, headers, orjson.loads(body))
        except orjson.JSONDecodeError:
            said = platform_errors.read(body)
            error = self._error(PlatformAway, call, status, said, headers)
            error.next_step = "check platform.url, and whether a proxy or a login page answers"
            raise Failure(error, passing=True, undone=False) from None

    @asynccontextmanager
    async def _answered(self, call: Call, token: str) -> AsyncIterator[aiohttp.ClientResponse]:
        """One request that succeeds: its answer, whose body is still to be read."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=_CONNECTIONS, ssl=self._ssl),
                timeout=self._limits.timeout(),
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=(_once,),
            )
        try:
            async with self._session.request(
                call.method,
                self._address(call),
                data=None if call.body is None else orjson.dumps(call.body),
                headers=self._headers_of(call, token),
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                if not 200 <= response.status < 300:
                    body = await read_whole(response, self._limits.answer_bytes)
                    raise self._refused(call, response, body)
                yield response
        except Unavailable as error:
            raise self._unanswered(call, str(error), undone=False) from error
        except TimeoutError as error:
            undone = isinstance(error, aiohttp.ConnectionTimeoutError)
            words = too_late(error, self._limits.section)
            raise self._unanswered(call, words, undone=undone) from error
        except _Broken as broken:
            undone = isinstance(broken.error, aiohttp.ClientConnectorError)
            raise self._unanswered(call, readable(broken.error), undone=undone) from broken
        except (aiohttp.ClientError, OSError, ValueError) as error:
            undone = isinstance(error, aiohttp.ClientConnectorError)
            raise self._unanswered(call, readable(error), undone=undone) from error

    def _address(self, call: Call) -> URL:
        query = f"?{urlencode(call.query)}" if call.query else ""
        return URL(f"{self._url}{call.path}{query}", encoded=True)

    def _headers_of(self, call: Call, token: str) -> dict[str, str]:
        headers = {"Accept": "application/json", **self._headers, **call.headers}
        headers["Authorization"] = f"Bearer {token}"
        if call.sandboxed and self._sandbox:
            headers["x-sandbox-name"] = self._sandbox
        if call.body is not None:
            headers.setdefault("Content-Type", "application/json")
        return headers

    def _refused(self, call: Call, response: aiohttp.ClientResponse, body: bytes) -> Failure:
        """What an answer that is no success means."""
        status, said = response.status, platform_errors.read(body)
        passing = platform_errors.is_passing(status)
        kind = PlatformAway if passing else PlatformError
        if platform_errors.is_missing(status, said):
            kind = NotFound
        elif platform_errors.is_outdated(status, said):
            kind = Outdated
        elif platform_errors.is_about_credentials(status, said):
            kind = CredentialsRefused
        error = self._error(kind, call, status, said, response.headers)
        if kind is PlatformError and not said.by_platform:
            error.message = f"{error.message}, as the platform never does"
        wait = retrying.retry_after(response.headers.get("Retry-After"), time.time())
        return Failure(error, passing, platform_errors.is_undone(status), wait)

    def _unanswered(self, call: Call, reason: str, *, undone: bool) -> Failure:
        error = PlatformAway(
            scrub_text(reason),
            service=call.service,
            call=call.shown,
            next_step="check platform.url and the way to it, or try again later",
        )
        return Failure(error, passing=True, undone=undone)

    def _error(
        self,
        kind: type[PlatformError],
        call: Call,
        status: int,
        said: Said,
        headers: Mapping[str, str],
    ) -> PlatformError:
        return kind(
            scrub_text(said.message),
            service=call.service,
            call=call.shown,
            status=status,
            code=said.code,
            request_id=headers.get("x-request-id") or said.request_id,
            next_step=platform_errors.next_step(status, said),
        )
