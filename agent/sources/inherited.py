"""Which sockets did systemd open for the agent, so that a restart refuses no connection?

The protocol of sd_listen_fds(3): LISTEN_PID says for whom, LISTEN_FDS how many from descriptor 3
on, LISTEN_FDNAMES their names. What was queued on them while the agent was away is still there.
"""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress

from agent.errors import ConfigError

_FIRST = 3  # SD_LISTEN_FDS_START
_WORD = "systemd"

_claimed: set[int] = set()  # descriptors of this process: each belongs to one source


def is_meant(address: str) -> bool:
    """Whether an address stands for sockets that systemd opened."""
    return address == _WORD or address.startswith(f"{_WORD}:")


def keep_from_children(environ: Mapping[str, str] = os.environ) -> None:
    """Have the sockets that systemd opened go on to no process that this one starts."""
    for descriptor in _passed(environ):
        with suppress(OSError):  # told when it is claimed
            os.set_inheritable(descriptor, False)


def claim(
    address: str, kind: socket.SocketKind, environ: Mapping[str, str] = os.environ
) -> list[socket.socket]:
    """The sockets of that kind behind `systemd`, or `systemd:NAME`, that no other source has.

    Raises ConfigError where there are none.
    """
    name = address.partition(":")[2]
    passed = _passed(environ)
    found = []
    for descriptor, called in passed.items():
        if descriptor in _claimed or (name and called != name):
            continue
        os.set_inheritable(descriptor, False)
        opened = socket.socket(fileno=os.dup(descriptor))
        if opened.type == kind:
            _claimed.add(descriptor)
            found.append(opened)
        else:
            opened.close()
    if not found:
        raise _missing(address, kind, passed)
    return found


def _passed(environ: Mapping[str, str]) -> dict[int, str]:
    """The names by descriptor; none where they are meant for another process."""
    try:
        if int(environ.get("LISTEN_PID", "")) != os.getpid():
            return {}
        count = int(environ.get("LISTEN_FDS", ""))
    except ValueError:
        return {}
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    names += [""] * (count - len(names))
    return dict(zip(range(_FIRST, _FIRST + count), names, strict=False))


def _missing(address: str, kind: socket.SocketKind, passed: Mapping[int, str]) -> ConfigError:
    which = "datagram" if kind == socket.SOCK_DGRAM else "stream"
    if not passed:
        return ConfigError(
            f"sources: no sockets came from systemd for {address}: start the agent by a .socket"
            " unit, or write an address to listen on"
        )
    names = ", ".join(name or "without a name" for name in passed.values())
    return ConfigError(
        f"sources: none of the sockets from systemd ({names}) is a {which} socket for {address}"
        " that is still free: compare FileDescriptorName= and the Listen…= lines of the .socket"
        " unit with the sources"
    )
