"""How is one request put to the inlet, and what came back?

Everything that aiohttp, TLS and the network can raise is turned into `Unavailable` here, once.
"""

import io
import os
import random
import ssl
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

import aiohttp
from yarl import URL

from agent import __version__
from agent.errors import ConfigError, Unavailable

_LARGE_BODY = 2**20  # beyond it aiohttp wants a stream
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
    read_token: Callable[[], str | None] = lambda: None  # raises ConfigError
    proxy: str | None = None
    verify: bool = True
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class InletLimits:
    """Seconds for each phase of a request, seconds a connection lives, bytes an answer may have."""

    connect: float
    answer: float
    total: float
    connection_age: float
    max_in_flight: int
    answer_bytes: int


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

    def __init__(self, address: InletAddress, limits: InletLimits) -> None:
        self._url = URL(address.url, encoded=True)
        self._limits = limits
        self._ssl = _tls(address) if self._url.scheme == "https" else True
        self._proxy = address.proxy or _proxy_from_environment(self._url)
        self._address = address
        self._current: _Generation | None = None
        self._headers: dict[bool, dict[str, str]] = {}  # by whether the body is gzipped
        self.read_token()

    def read_token(self) -> None:
        """Take the token as it is now. Raises ConfigError where it cannot be read."""
        plain = {
            "Content-Type": "application/json",
            "User-Agent": f"aep-agent/{__version__}",
            **self._address.headers,
        }
        if token := self._address.read_token():
            plain["Authorization"] = f"Bearer {token}"
        self._headers = {False: plain, True: {**plain, "Content-Encoding": "gzip"}}

    async def post(self, body: bytes, *, gzipped: bool) -> Answer:
        """Send one body. Raises Unavailable where no whole answer came back."""
        generation = await self._generation()
        generation.requests += 1
        try:
            async with generation.session.post(
                self._url,
                data=body if len(body) <= _LARGE_BODY else io.BytesIO(body),
                headers=self._headers[gzipped],
                allow_redirects=False,
                proxy=self._proxy,
            ) as response:
                return Answer(
                    response.status,
                    await self._read(response),
                    response.headers.get("Retry-After"),
                )
        except TimeoutError as error:
            raise Unavailable(_too_late(error)) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unavailable(_readable(error)) from error
        finally:
            generation.requests -= 1
            if generation.retired and not generation.requests:
                await generation.session.close()

    async def close(self) -> None:
        """Close all connections."""
        if self._current:
            await self._current.session.close()

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.content.iter_any():
            parts.append(part)
            size += len(part)
            if size > self._limits.answer_bytes:
                response.close()
                raise Unavailable(f"the answer is longer than {self._limits.answer_bytes} bytes")
        return b"".join(parts)

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
            timeout=aiohttp.ClientTimeout(
                total=limits.total, sock_connect=limits.connect, sock_read=limits.answer
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
        )


def reason(status: int) -> str:
    """A status as people know it: `503 Service Unavailable`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _tls(address: InletAddress) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=address.ca_file)
        if address.cert_file:
            context.load_cert_chain(address.cert_file, address.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"inlet.tls: cannot load the certificates: {error}") from error
    if not address.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _proxy_from_environment(url: URL) -> str | None:
    """HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as every other program reads them."""
    proxy = urllib.request.getproxies().get(url.scheme)
    if not proxy or urllib.request.proxy_bypass(f"{url.host}:{url.port}"):
        return None
    scheme, found, _ = proxy.partition("://")
    if found and scheme.lower() not in ("http", "https"):
        raise ConfigError(
            f"{url.scheme}_proxy in the environment: found a proxy of the kind {scheme}; write"
            " http://host:port, unset it, or name the inlet's host in no_proxy"
        )
    return proxy if found else f"http://{proxy}"


def _too_late(error: TimeoutError) -> str:
    """Which phase took too long, in words without the URL that aiohttp puts in its own."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time (inlet.timeouts.connect)"
    if isinstance(error, aiohttp.SocketTimeoutError):
        return "no answer in time (inlet.timeouts.answer)"
    return "not sent and answered in time (inlet.timeouts.total)"


def _readable(error: Exception) -> str:
    """The error in words without a URL, which aiohttp puts in some.

    Whoever knows the URL of an inlet can write to it, and that of a proxy may hold a password.
    """
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed before the answer"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect to {error.host}:{error.port}: {error.os_error or 'refused'}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status}"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off"
    if isinstance(error, OSError) and error.errno:
        return f"the connection failed: {os.strerror(error.errno)}"
    return type(error).__name__
