"""Which sockets does a source listen on, and what is to be done where it cannot have them?

An address is `host:port`, the path of a Unix socket, `@name` for an abstract one, or `systemd`
and `systemd:NAME` for sockets that systemd opened before the agent began (see
`agent.sources.inherited`). Every failure is a ConfigError that says what to change.
"""

import errno
import os
import re
import socket
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.errors import ConfigError
from agent.sources import inherited

_HOST_AND_PORT = re.compile(r"(?:\[([^\]]+)\]|([^:/@]+)):([0-9]{1,5})")
BACKLOG = 4096  # connections the kernel keeps until they are accepted; it may allow fewer

_ADVICE = {
    errno.EADDRINUSE: "another program listens there: stop it, or choose another address",
    errno.EADDRNOTAVAIL: "this machine does not have that address: choose one of its own",
    errno.EACCES: "that needs more rights: choose a port above 1023, grant CAP_NET_BIND_SERVICE, or"
    " choose another directory",
    errno.EAFNOSUPPORT: "this machine has no IPv6: choose an IPv4 address",
    errno.ENOENT: "its directory does not exist: create it, or choose another path",
    errno.ENAMETOOLONG: "the path of a Unix socket has 107 bytes at most: choose a shorter one",
}


@dataclass(frozen=True, slots=True)
class Listening:
    """What is asked for. `mode` are the permissions of a Unix socket's file."""

    address: str
    kind: socket.SocketKind = socket.SOCK_STREAM
    mode: int = 0o660
    reuse_port: bool = False  # several agents may share the port; the kernel deals out connections
    key: str = "sources"  # of the configuration, for messages

    @property
    def is_inherited(self) -> bool:
        """Whether systemd opened the sockets, and keeps them open when the agent ends."""
        return inherited.is_meant(self.address)


class Listeners:
    """The sockets of one address, non-blocking, from `open` until `close`."""

    def __init__(self, wanted: Listening) -> None:
        self.wanted = wanted
        self.sockets: list[socket.socket] = []
        self._former: Listeners | None = None  # of whom the sockets are, until `succeed`
        self._is_handed_over = False
        self._file: tuple[Path, int] | None = None  # the Unix socket that was made, and its inode

    def open(self) -> None:
        """Have the kernel queue connections or datagrams from now on. Raises ConfigError."""
        wanted = self.wanted
        try:
            if self._former:
                self.sockets += [each.dup() for each in self._former.sockets]
            elif wanted.is_inherited:
                self.sockets += inherited.claim(wanted.address, wanted.kind)
            elif found := _HOST_AND_PORT.fullmatch(wanted.address):
                self._open_internet(found[1] or found[2], int(found[3]))
            else:
                self._open_unix()
            for each in self.sockets:
                each.setblocking(False)
                if wanted.kind == socket.SOCK_STREAM:
                    each.listen(BACKLOG)
        except (OSError, UnicodeError) as error:
            self.close()
            raise _cannot_listen(wanted, error) from error
        except ConfigError:
            self.close()
            raise

    def follow(self, former: "Listeners") -> bool:
        """Open the sockets of another, where these are what is wanted: whether that is so.

        Both listen then, and who connects meanwhile notices nothing.
        """
        mine, theirs = self.wanted, former.wanted
        same = (mine.address, mine.kind, mine.reuse_port)
        if same == (theirs.address, theirs.kind, theirs.reuse_port) and former.sockets:
            self._former = former
        return self._former is not None

    def succeed(self) -> None:
        """Be the one to whom the sockets belong that another has opened, and the file of one."""
        if (former := self._former) is None:
            return
        former._is_handed_over = True
        self._former = None
        self._file, former._file = former._file, None
        if self._file and self.wanted.mode != former.wanted.mode:
            with suppress(OSError):
                self._file[0].chmod(self.wanted.mode)

    def close(self) -> None:
        """Listen no more; twice is fine. The file of a Unix socket goes, if it is still ours."""
        for each in self.sockets:
            each.close()
        self.sockets.clear()
        if self._file:
            path, inode = self._file
            self._file = None
            with suppress(OSError):
                if path.lstat().st_ino == inode:
                    path.unlink()

    @property
    def stay_open(self) -> bool:
        """Whether somebody goes on to listen there when these are closed."""
        return self.wanted.is_inherited or self._is_handed_over

    @property
    def addresses(self) -> list[str]:
        """Where it really listens: the ports that the kernel chose in the place of port 0."""
        return [address_of(each) for each in self.sockets if each.fileno() >= 0]

    def _open_internet(self, host: str, port: int) -> None:
        wanted = self.wanted
        flags = socket.AI_PASSIVE
        for family, kind, protocol, _, place in dict.fromkeys(
            socket.getaddrinfo(host, port, type=wanted.kind, flags=flags)
        ):
            opened = socket.socket(family, kind, protocol)
            self.sockets.append(opened)
            if kind == socket.SOCK_STREAM:
                # connections of an earlier run that linger must not keep the next one waiting
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if wanted.reuse_port:
                opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            if family == socket.AF_INET6:
                opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            opened.bind(place)

    def _open_unix(self) -> None:
        wanted = self.wanted
        opened = socket.socket(socket.AF_UNIX, wanted.kind)
        self.sockets.append(opened)
        if wanted.address.startswith("@"):
            opened.bind("\0" + wanted.address[1:])
            return
        path = Path(wanted.address).expanduser()
        _remove_stale(path, wanted)
        # At no moment may the file let in more than it is meant to: the socket's own mode is that
        # of its file, less what umask takes away, which is put right afterwards.
        os.fchmod(opened.fileno(), wanted.mode)
        opened.bind(str(path))
        self._file = path, path.lstat().st_ino
        path.chmod(wanted.mode)


def address_of(opened: socket.socket) -> str:
    """The address of a socket as it would be written in a configuration."""
    name = opened.getsockname()
    if isinstance(name, tuple):
        host, port = name[:2]
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    if isinstance(name, bytes):
        return "@" + name[1:].decode(errors="replace")
    return str(name)


def _remove_stale(path: Path, wanted: Listening) -> None:
    """Remove the file of a socket nobody listens on any more; raises ConfigError for others."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(found.st_mode):
        raise ConfigError(
            f"{wanted.key}: cannot listen on {wanted.address} (a file that is no socket is there):"
            " choose another path, or remove it"
        )
    with socket.socket(socket.AF_UNIX, wanted.kind) as asking:
        asking.setblocking(False)
        try:
            asking.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except BlockingIOError:
            pass  # somebody listens, and has much to do
        except OSError as error:
            if error.errno != errno.EPROTOTYPE:  # somebody listens, for sockets of the other kind
                raise
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _cannot_listen(wanted: Listening, error: OSError | UnicodeError) -> ConfigError:
    reason, advice = "there is no such host", "choose another address"
    if isinstance(error, OSError) and not isinstance(error, socket.gaierror):
        number = error.errno or (errno.ENAMETOOLONG if "too long" in str(error) else 0)
        reason = os.strerror(number)
        advice = _ADVICE.get(number, advice)
    return ConfigError(f"{wanted.key}: cannot listen on {wanted.address} ({reason}): {advice}")
