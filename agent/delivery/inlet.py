"""How is one request put to the inlet, and what came back?

Everything that aiohttp, TLS and the network can raise is turned into `Unavailable` here, once.
"""

import io
import random
import time
from dataclasses import dataclass, field
from http import HTTPStatus

from yarl import URL

from agent import __version__
from agent.aep.http_client import aiohttp
from agent.aep.tokens import FixedToken, Tokens
from agent.aep.transport import (
    DIRECT,
    Phases,
    Route,
    proxy_for,
    read_whole,
    readable,
    tls,
    too_late,
)
from agent.errors import Unavailable

_LARGE_BODY = 2**20  # beyond it aiohttp wants a stream
_TOKEN_REFUSED = (401, 403)
_AGE_SPREAD = 0.1  # connections of a fleet should not all be replaced at once


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one request, read whole."""

    status: int
    body: bytes
    retry_after: str | None


@dataclass(frozen=True, slots=True)
class InletAddress:
    """Where requests go and what they carry besides the body."""

    url: str
    headers: dict[str, str]
    route: Route = DIRECT


@dataclass(frozen=True, slots=True)
class InletLimits(Phases):
    """Besides what bounds a request: the seconds a connection lives, and how many there may be."""

    connection_age: float
    max_in_flight: int


@dataclass(slots=True)
class _Generation:
    """A session and the connections it keeps, replaced as a whole when it is old."""

    session: aiohttp.ClientSession
    expires_at: float
    requests: int = 0
    retired: bool = field(default=False)


def batch_url(url: str) -> str:
    """The address that takes many records a request: `batch/` goes in after `/collection/`."""
    head, found, tail = url.partition("/collection/")
    if not found or tail.startswith("batch/"):
        return url
    return f"{head}/collection/batch/{tail}"


def single_url(url: str) -> str:
    """The address that takes one record a request."""
    return url.replace("/collection/batch/", "/collection/", 1)


class Inlet:
    """The platform's end of the pipeline, over HTTP connections that are kept and aged."""

    def __init__(
        self, address: InletAddress, limits: InletLimits, tokens: Tokens | None = None
    ) -> None:
        """Without *tokens* requests carry none. Raises ConfigError for bad certificates."""
        self._url = URL(address.url, encoded=True)
        self._limits = limits
        self._proxy = proxy_for(self._url, address.route)
        self._ssl = tls(self._url, address.route, self._proxy)
        self._address = address
        self._seen = address.route.files()
        self._tokens = tokens or FixedToken()
        self._token: str | None = None  # the one in the headers
        self._current: _Generation | None = None
        self._headers = self._headers_with(None)

    def _headers_with(self, token: str | None) -> dict[bool, dict[str, str]]:
        """What requests carry, by whether the body is gzipped."""
        plain = {
            "Content-Type": "application/json",
            "User-Agent": f"aep-agent/{__version__}",
            **self._address.headers,
        }
        if token:
            plain["Authorization"] = f"Bearer {token}"
        return {False: plain, True: {**plain, "Content-Encoding": "gzip"}}

    async def post(self, body: bytes, *, gzipped: bool) -> Answer:
        """Send one body.

        Raises Unavailable where no whole answer came back, and Unauthorized where there is no token
        to send it with. A token that is refused is reported to whoever issues them.
        """
        token = await self._tokens.current()
        if token != self._token:
            self._token, self._headers = token, self._headers_with(token)
        headers = self._headers[gzipped]
        generation = await self._generation()
        generation.requests += 1
        try:
            async with generation.session.post(
                self._url,
                data=body if len(body) <= _LARGE_BODY else io.BytesIO(body),
                headers=headers,
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                if token and response.status in _TOKEN_REFUSED:
                    self._tokens.refused(token)
                return Answer(
                    response.status,
                    await read_whole(response, self._limits.answer_bytes),
                    response.headers.get("Retry-After"),
                )
        except TimeoutError as error:
            raise Unavailable(too_late(error)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(readable(error)) from error
        finally:
            generation.requests -= 1
            if generation.retired and not generation.requests:
                await generation.session.close()

    def become(self, other: "Inlet") -> None:
        """Send as another one would, that has sent nothing, from the next request on.

        What is under way is answered on the connections it has, which are kept where nothing is new
        about the way: address, proxy, limits, and what is in the files of certificates.
        """
        if (self._address, self._limits, self._seen) != (
            other._address,
            other._limits,
            other._seen,
        ):
            self._url, self._ssl, self._proxy = other._url, other._ssl, other._proxy
            self._address, self._limits, self._seen = other._address, other._limits, other._seen
            if self._current:
                self._current.expires_at = 0.0
        self._tokens, self._token = other._tokens, None
        self._headers = self._headers_with(None)

    async def close(self) -> None:
        """Close all connections."""
        if self._current:
            await self._current.session.close()

    async def _generation(self) -> _Generation:
        now = time.monotonic()
        current = self._current
        if current and now < current.expires_at:
            return current
        spread = 1 + _AGE_SPREAD * random.uniform(-1, 1)
        self._current = _Generation(self._session(), now + self._limits.connection_age * spread)
        if current:
            current.retired = True
            if not current.requests:
                await current.session.close()
        return self._current

    def _session(self) -> aiohttp.ClientSession:
        limits = self._limits
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=limits.max_in_flight, ssl=self._ssl),
            timeout=limits.timeout(),
            cookie_jar=aiohttp.DummyCookieJar(),
        )


def reason(status: int) -> str:
    """A status as people know it: `503 Service Unavailable`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)
