"""How is a host of the platform reached, and how do its failures read?

What aiohttp, TLS and the network raise is put in words without a URL: whoever knows the URL of an
inlet can write to it, and that of a proxy may hold a password.
"""

import os
import ssl
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from yarl import URL

from agent.aep.http_client import aiohttp
from agent.errors import ConfigError, Unavailable


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a host: through which proxy, and trusting whom."""

    proxy: str | None = None  # None: as the environment says
    verify: bool = True
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None

    def files(self) -> tuple[tuple[int, int], ...]:
        """What changes when a file of certificates is written or replaced."""
        found = []
        for path in (self.ca_file, self.cert_file, self.key_file):
            with suppress(OSError):
                if path:
                    state = path.stat()
                    found.append((state.st_ino, state.st_mtime_ns))
        return tuple(found)


DIRECT = Route()


@dataclass(frozen=True, slots=True)
class Phases:
    """Seconds for each phase of a request, and bytes that its answer may have."""

    connect: float
    answer: float
    total: float
    answer_bytes: int

    section: ClassVar[str] = "inlet.timeouts"  # where a person wrote them

    def timeout(self) -> aiohttp.ClientTimeout:
        """The same for aiohttp."""
        return aiohttp.ClientTimeout(
            total=self.total, sock_connect=self.connect, sock_read=self.answer
        )


def tls(
    url: URL,
    route: Route,
    proxy: str | None = None,
    *,
    system_too: bool = False,
    section: str = "inlet.tls",
) -> ssl.SSLContext | bool:
    """Whom to trust at an address, and at the *proxy* before it.

    Raises ConfigError where the certificates cannot be loaded.
    A `ca_file` takes the place of the system's authorities, or is added with `system_too`.
    The *section* is where a person wrote them.
    """
    if url.scheme != "https" and not (proxy or "").startswith("https:"):
        return True
    try:
        context = ssl.create_default_context(cafile=route.ca_file)
        if route.ca_file and system_too:
            context.load_default_certs()
        if route.cert_file:
            context.load_cert_chain(route.cert_file, route.key_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"{section}: cannot load the certificates: {error}") from error
    if not route.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def proxy_for(url: URL, route: Route) -> str | None:
    """The configured proxy, else HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as other programs do."""
    proxy = route.proxy or urllib.request.getproxies().get(url.scheme)
    if not proxy or (not route.proxy and urllib.request.proxy_bypass(f"{url.host}:{url.port}")):
        return None
    scheme, found, _ = proxy.partition("://")
    if found and scheme.lower() not in ("http", "https"):
        raise ConfigError(
            f"{url.scheme}_proxy in the environment: found a proxy of the kind {scheme}; write"
            " http://host:port, unset it, or name the inlet's host in no_proxy"
        )
    return proxy if found else f"http://{proxy}"


async def read_whole(response: aiohttp.ClientResponse, bytes_max: int) -> bytes:
    """The body of an answer. Raises Unavailable where it is longer than that."""
    content = response.content
    parts: list[bytes] = []
    size = 0
    while not content.at_eof():
        part = await content.readany()
        parts.append(part)
        size += len(part)
        if size > bytes_max:
            response.close()
            raise Unavailable(f"the answer is longer than {bytes_max} bytes")
    return parts[0] if len(parts) == 1 else b"".join(parts)


def too_late(error: TimeoutError, section: str = "inlet.timeouts") -> str:
    """Which phase took too long, and the key, in this *section*, that says how long it may."""
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return f"no connection in time ({section}.connect)"
    if isinstance(error, aiohttp.SocketTimeoutError):
        return f"no answer in time ({section}.answer)"
    return f"not sent and answered in time ({section}.total)"


def _no_tls(error: OSError) -> str:
    reason = getattr(error, "reason", None) or "it failed"
    if reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return "what answers there does not speak TLS: should the URL begin with http://?"
    return f"TLS: {reason.lower().replace('_', ' ')}"


def readable(error: Exception) -> str:
    """An error of aiohttp or the network, in words."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the connection was closed before the answer"
    if isinstance(error, aiohttp.ClientConnectorSSLError):
        return f"cannot connect to {error.host}:{error.port}: {_no_tls(error.os_error)}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"cannot connect to {error.host}:{error.port}: {error.os_error or 'refused'}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy answered {error.status}"
    if isinstance(error, aiohttp.ClientResponseError):
        return "what answers there does not speak HTTP as it should"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the answer broke off"
    if isinstance(error, OSError) and error.errno:
        return f"the connection failed: {os.strerror(error.errno)}"
    return type(error).__name__
