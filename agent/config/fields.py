"""How are texts, paths, times and addresses read?"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar, Literal
from urllib.parse import urlsplit

from agent.config.written import Written, Wrong

_PRINTABLE_ASCII = re.compile(r"[!-~]+")
_FILE_MODE = re.compile(r"0?[0-7]{3}")
_SYSTEMD = re.compile(r"systemd(:[!-9;-~]+)?")
_HOST_AND_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):([0-9]{1,5})")


@dataclass(frozen=True)
class _Worded(Written):
    """Text of some sort; `what` says which, completing "found …; write …"."""

    what: str
    optional: bool = False

    @property
    def advice(self) -> str:
        return self.what


@dataclass(frozen=True)
class Text(_Worded):
    """Printable text on one line."""

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not value.strip() or not value.isprintable():
            raise ValueError("not printable text")
        return value


@dataclass(frozen=True)
class Token(_Worded):
    """Text that travels in an HTTP header as one word: printable ASCII without spaces."""

    @property
    def advice(self) -> str:
        return f"{self.what}, in printable ASCII without spaces"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _PRINTABLE_ASCII.fullmatch(value):
            raise ValueError("not one word of printable ASCII")
        return value


@dataclass(frozen=True)
class Moment(Written):
    """A time with its zone, ISO 8601; UTC where none is named."""

    optional: bool = True

    @property
    def advice(self) -> str:
        return "a time such as 2026-03-01T12:05:00Z"

    def read(self, value: object) -> datetime:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True)
class FilePath(_Worded):
    """A path; `~` is the home directory of whoever runs the agent."""

    def read(self, value: object) -> Path:
        if not isinstance(value, str | Path) or not str(value).isprintable() or not str(value):
            raise ValueError("not a path")
        try:
            return Path(value).expanduser()
        except RuntimeError as error:  # `~somebody`, where nobody is called that
            raise ValueError("no such home directory") from error


@dataclass(frozen=True)
class Url(_Worded):
    """An http or https URL with a host; a user and password in it only with `credentials`."""

    credentials: bool = False

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not _PRINTABLE_ASCII.fullmatch(value):
            raise ValueError("not a URL")
        parts = urlsplit(value)
        # Reading `port` raises ValueError when it is not a number up to 65535.
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError("not a URL")
        if parts.username is not None and not self.credentials:
            raise Wrong("the URL without user and password; authenticate with inlet.token")
        return value


@dataclass(frozen=True)
class Address(Written):
    """`host:port` to listen on, or None for not listening at all."""

    optional: bool = True

    @property
    def advice(self) -> str:
        return 'host:port such as 127.0.0.1:9600 or "[::1]:9600", or null to listen nowhere'

    def read(self, value: object) -> str:
        found = _HOST_AND_PORT.fullmatch(value) if isinstance(value, str) else None
        if found is None or int(found[2]) > 65535:
            raise ValueError("not host:port")
        return found[0]


@dataclass(frozen=True)
class Listen(Written):
    """Where a source listens: `host:port`, or a path or `@name`; `systemd` or `systemd:NAME`."""

    family: Literal["internet", "unix", "any"]

    @property
    def advice(self) -> str:
        if self.family != "unix":
            return 'host:port such as 127.0.0.1:5170 or "[::1]:5170", or systemd:NAME'
        return "the path of a socket such as /run/aep-agent/records.sock, @name, or systemd:NAME"

    def read(self, value: object) -> str:
        if not isinstance(value, str) or not value.isprintable():
            raise ValueError("not printable text")
        if _SYSTEMD.fullmatch(value):
            return value
        found = _HOST_AND_PORT.fullmatch(value)
        if self.family == "unix" or (self.family == "any" and not found):
            if not value.startswith(("/", "./", "../", "~/", "@")) or value == "@":
                raise ValueError("neither a path nor a name")
        elif found is None or int(found[2]) > 65535:
            raise ValueError("not host:port")
        return value


@dataclass(frozen=True)
class Network(Written):
    """Addresses that begin alike, as `10.0.0.0/8`, or a single one."""

    @property
    def advice(self) -> str:
        return "a network such as 10.0.0.0/8 or fd00::/8, or an address"

    def read(self, value: object) -> str:
        from ipaddress import ip_network

        if not isinstance(value, str):
            raise ValueError("not text")
        ip_network(value)
        return value


@dataclass(frozen=True)
class FileMode(Written):
    """Permissions of a file, as chmod takes them: octal digits."""

    json_types: ClassVar[tuple[str, ...]] = ("string", "integer")
    pattern: ClassVar[str] = r"^0?[0-7]{3}$|\$\{"

    @property
    def advice(self) -> str:
        return "permissions in octal digits, such as 0660"

    def read(self, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value  # the value itself, and not how it is written
        if not isinstance(value, str) or not _FILE_MODE.fullmatch(value):
            raise ValueError("not octal digits")
        return int(value, 8)
