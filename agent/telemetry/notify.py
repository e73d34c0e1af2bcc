"""How does systemd hear of the agent? By the protocol of sd_notify(3): lines in one datagram.

It says in the environment where it listens, and how often it wants to hear that all is well.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Self

_PATIENCE = 1.0  # seconds that a datagram may wait for room; longer, and it is not sent


class ServiceManager:
    """Who started the agent as a service, and wants to be told how it is."""

    def __init__(self, address: str, watchdog: float | None) -> None:
        """*address* is a path, or an abstract name after `@`.

        *watchdog*: seconds after which silence counts as death; None where it does not.
        """
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.watchdog = watchdog

    @classmethod
    def of(cls, environ: Mapping[str, str] = os.environ) -> Self | None:
        """The one that started this process; None where there is none, or it does not listen."""
        address = environ.get("NOTIFY_SOCKET", "")
        return cls(address, _watchdog(environ)) if address.startswith(("/", "@")) else None

    def tell(self, **said: str | int) -> None:
        """Tell all of this at once, as `tell(READY=1, STATUS="running")`; what cannot be is lost.

        A value is one line: what follows a newline would be another word of the protocol.
        """
        lines = [f"{name}={' '.join(str(value).splitlines())}" for name, value in said.items()]
        content = "\n".join(lines).encode(errors="backslashreplace")
        kind = socket.SOCK_DGRAM
        with suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sender:
            sender.settimeout(_PATIENCE)
            sender.sendto(content, self._address)


def _watchdog(environ: Mapping[str, str]) -> float | None:
    """What it says for another process is not meant for this one."""
    try:
        meant_for = int(environ.get("WATCHDOG_PID") or os.getpid())
        microseconds = int(environ.get("WATCHDOG_USEC", ""))
    except ValueError:
        return None
    return microseconds / 1e6 if microseconds > 0 and meant_for == os.getpid() else None
