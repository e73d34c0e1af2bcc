import os
import socket
import stat
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from agent.errors import ConfigError
from agent.sources import inherited
from agent.sources.listening import Listeners, Listening

STREAM, DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM


class Opener:
    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def __call__(
        self, address: str, kind: socket.SocketKind = STREAM, **wanted: object
    ) -> Listeners:
        listeners = Listeners(Listening(address, kind, **wanted))  # type: ignore[arg-type]
        self._stack.callback(listeners.close)
        listeners.open()
        return listeners


@pytest.fixture
def listen() -> Iterator[Opener]:
    with ExitStack() as stack:
        yield Opener(stack)


def connected(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), timeout=5):
        return True


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "0.0.0.0"])
def test_a_host_and_a_port_are_listened_on_under_all_addresses_of_the_host(
    listen: Opener, host: str
) -> None:
    listeners = listen(f"{host}:0")
    assert listeners.sockets
    assert all(connected(address) for address in listeners.addresses)
    assert all(not each.getblocking() for each in listeners.sockets)


def test_a_socket_that_somebody_else_closed_is_nowhere_and_no_error(listen: Opener) -> None:
    listeners = listen("127.0.0.1:0")
    listeners.sockets[0].close()
    assert listeners.addresses == []


def test_a_port_that_is_taken_is_a_configuration_error_that_says_what_to_do(
    listen: Opener,
) -> None:
    [address] = listen("127.0.0.1:0").addresses
    with pytest.raises(ConfigError, match=r"Address already in use\): another program") as error:
        listen(address, key="sources.0.listen")
    assert str(error.value).startswith(f"sources.0.listen: cannot listen on {address} (")


def test_a_port_is_free_again_although_a_connection_of_an_earlier_run_lingers(
    listen: Opener,
) -> None:
    listeners = listen("127.0.0.1:0")
    [address] = listeners.addresses
    peer = socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2])))
    listeners.sockets[0].setblocking(True)
    ours, _ = listeners.sockets[0].accept()
    ours.close()
    peer.close()
    listeners.close()
    assert listen(address).addresses == [address]


def test_agents_that_agree_on_it_share_a_port(listen: Opener) -> None:
    [address] = listen("127.0.0.1:0", reuse_port=True).addresses
    assert listen(address, reuse_port=True).addresses == [address]
    with pytest.raises(ConfigError):
        listen(address)


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("192.0.2.1:5170", "this machine does not have that address"),
        ("a..b:5170", "there is no such host"),
        ("/no/such/directory/s.sock", "create it"),
        ("/tmp/" + "x" * 200, "107 bytes at most"),
    ],
)
def test_where_nothing_can_listen_the_error_says_why(
    listen: Opener, address: str, advice: str
) -> None:
    with pytest.raises(ConfigError, match=advice):
        listen(address)


@pytest.mark.parametrize("kind", [STREAM, DATAGRAM])
@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_a_unix_socket_has_the_mode_that_was_asked_for_and_goes_at_the_end(
    listen: Opener, tmp_path: Path, kind: socket.SocketKind, mode: int
) -> None:
    path = tmp_path / "agent.sock"
    before = os.umask(0o027)
    try:
        listeners = listen(str(path), kind, mode=mode)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert listeners.addresses == [str(path)]
    with socket.socket(socket.AF_UNIX, kind) as peer:
        peer.connect(str(path))
    listeners.close()
    assert not path.exists()


@pytest.mark.parametrize("kind", [STREAM, DATAGRAM])
def test_the_file_that_a_dead_process_left_is_replaced_and_that_of_a_live_one_is_not(
    listen: Opener, tmp_path: Path, kind: socket.SocketKind
) -> None:
    path = tmp_path / "agent.sock"
    with socket.socket(socket.AF_UNIX, kind) as dead:
        dead.bind(str(path))
    inode = path.stat().st_ino
    listeners = listen(str(path), kind)
    assert len(listeners.sockets) == 1
    for other in (STREAM, DATAGRAM):
        with pytest.raises(ConfigError, match="another program listens there"):
            listen(str(path), other)
    assert path.exists()
    assert path.stat().st_ino != inode or listeners.addresses == [str(path)]


def test_a_file_that_is_no_socket_is_left_alone(listen: Opener, tmp_path: Path) -> None:
    path = tmp_path / "agent.sock"
    path.write_text("precious")
    with pytest.raises(ConfigError, match="a file that is no socket is there"):
        listen(str(path))
    assert path.read_text() == "precious"


def test_the_file_of_another_process_that_took_over_is_not_removed(
    listen: Opener, tmp_path: Path
) -> None:
    path = tmp_path / "agent.sock"
    listeners = listen(str(path))
    path.rename(tmp_path / "elsewhere")
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        listeners.close()
        assert path.exists()


def test_an_abstract_name_has_no_file(listen: Opener) -> None:
    name = f"@aep-agent-test-{os.getpid()}"
    listeners = listen(name)
    assert listeners.addresses == [name]
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect("\0" + name[1:])
    with pytest.raises(ConfigError, match="another program listens there"):
        listen(name)


@pytest.mark.parametrize(
    "environ",
    [{}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_PID": "x"}, {"LISTEN_FDS": "2"}],
)
def test_sockets_that_systemd_did_not_pass_are_missed_in_words(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"no sockets came from systemd for systemd:records"):
        inherited.claim("systemd:records", STREAM, environ)
