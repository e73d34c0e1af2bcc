"""Who may read what on the admin listener? Decisions over what a request carries.

Probes answer anybody, for a kubelet has no token and learns one line. All else asks for the token
where there is one. Where there is none, a page of another site must not read along: a browser that
was led here by a name of its own (DNS rebinding) sends that name, and is refused by it.
"""

import hmac
import socket
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import ip_address

PROBES = frozenset({"/livez", "/readyz"})
METRICS = "/metrics"
_SAFE = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why not, and what to do about it."""

    status: int
    says: str


_UNKNOWN = Refusal(401, "send the agent's token: Authorization: Bearer … (admin.token)")
_NO_TOKEN = Refusal(403, "this changes something, and needs admin.token to be set and sent")


@dataclass(frozen=True, slots=True)
class Access:
    """What is asked of those who ask. `local`: only this machine can reach the listener."""

    token: str | None
    local: bool
    hosts: Collection[str] = ()  # names it is known by, beside its own
    open_metrics: bool = False

    @property
    def is_private(self) -> bool:
        """Whether who may read the status is one of us, who may read the platform's words, too."""
        return self.local or self.token is not None

    def refusal(
        self, method: str, path: str, *, host: str, authorization: str | None, is_page: bool
    ) -> Refusal | None:
        """Why this is not answered; None where it is. *is_page*: it is the same for everybody."""
        if path in PROBES and method in _SAFE:
            return None
        known = self.token is not None and self._is_token(authorization)
        if known:
            return None
        if not self._is_ours(host, path):
            return Refusal(
                421,
                f"{_shown(host)} is not known here: ask by address, or write it into admin.hosts",
            )
        if is_page and method in _SAFE:
            return None
        if method not in _SAFE:
            return _NO_TOKEN if self.token is None else _UNKNOWN
        if self.token is None or (path == METRICS and self.open_metrics):
            return None
        return _UNKNOWN

    def _is_token(self, authorization: str | None) -> bool:
        scheme, _, given = (authorization or "").strip().partition(" ")
        offered = given.strip().encode("utf-8", "surrogateescape")
        expected = (self.token or "").encode()
        return scheme.lower() == "bearer" and hmac.compare_digest(offered, expected)

    def _is_ours(self, host: str, path: str) -> bool:
        """Whether somebody who means us would ask for this name: an address is never another's.

        Beyond this machine, who scrapes metrics asks by whatever name the network gave.
        """
        name = _name_of(host)
        if not name or name == "localhost" or name.endswith(".localhost") or _is_address(name):
            return True
        if path == METRICS and not self.local:
            return True
        return name in {each.lower() for each in self.hosts} or name in _own_names()


def is_local(listen: str) -> bool:
    """Whether only this machine can reach that host:port."""
    host = listen.rpartition(":")[0].strip("[]")
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _own_names() -> set[str]:
    own = socket.gethostname().lower()
    return {own, own.partition(".")[0]}


def _name_of(host: str) -> str:
    """The Host header without its port; empty where there is none, as in HTTP/1.0."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.partition(":")[0].removesuffix(".")


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _shown(host: str) -> str:
    """What a stranger wrote, fit to be said."""
    return repr(host[:100])
