"""On which sockets are records received, how are they framed, and what may a client take up?"""

from typing import Annotated, Literal

from agent.config.fields import Listen
from agent.config.formats import Received
from agent.config.listening import ListeningSource, OnFile, OnNetwork, OnPort
from agent.config.quantities import Duration, Size, Whole
from agent.config.section import setting

Framing = Literal["newline", "octet_counted", "nul", "length_prefixed", "json_seq"]


class _Connected(ListeningSource, Received):
    """What sources of connections have in common."""

    framing: Framing = setting(
        default="newline",
        description="How records are told apart: newline, syslog's octet counts, NUL, four bytes of"
        " length before each, or JSON text sequences.",
    )
    max_connections: Annotated[int, Whole("1", "1000000")] = setting(
        default=10_000,
        description="Connections at the same time; further ones are refused, and counted.",
        examples=[10_000],
    )
    idle_timeout: Annotated[float | None, Duration("1s", "30d", optional=True)] = setting(
        default=None,
        description="Silence after which a connection is closed; unset waits for ever, since many"
        " shippers lose what they write to a connection that was closed.",
        examples=["1h"],
    )
    unfinished_timeout: Annotated[float, Duration("100ms", "1d")] = setting(
        default=300.0,
        description="Time a record may take to come; then it is a dead letter and the connection"
        " closed.",
        examples=["5m"],
    )
    max_unfinished_bytes: Annotated[int, Size("64KB", "1TiB")] = setting(
        default=67_108_864,
        description="Bytes of unfinished records of all connections; beyond it, the connection with"
        " most of them is closed.",
        examples=["64MiB"],
    )


class TcpSource(OnNetwork, OnPort, _Connected):
    """Records from TCP connections, as many as there are clients."""

    type: Literal["tcp"] = setting(description="tcp: records from TCP connections.")
    listen: Annotated[str, Listen("internet")] = setting(
        description="Address to listen on; systemd or systemd:NAME takes sockets that it opened.",
        examples=["127.0.0.1:5170", "systemd:records"],
    )


class UnixSource(OnFile, _Connected):
    """Records from connections to a Unix socket."""

    type: Literal["unix"] = setting(description="unix: records from a Unix stream socket.")
    listen: Annotated[str, Listen("unix")] = setting(
        description="Path of the socket to listen on, @name for an abstract one, or systemd:NAME.",
        examples=["/run/aep-agent/records.sock"],
    )


class UdpSource(OnPort, ListeningSource, Received):
    """Records from UDP datagrams, one or several lines in each."""

    type: Literal["udp"] = setting(description="udp: records from UDP datagrams.")
    listen: Annotated[str, Listen("internet")] = setting(
        description="Address to listen on; systemd or systemd:NAME takes sockets that it opened.",
        examples=["127.0.0.1:5170", "systemd:records"],
    )
    receive_buffer: Annotated[int | None, Size("4KiB", "1GiB", optional=True)] = setting(
        default=None,
        description="Bytes the kernel keeps until they are read; unset takes up to 8MiB, as far as"
        " it allows.",
        examples=["16MiB"],
    )


class UnixDatagramSource(OnFile, ListeningSource, Received):
    """Records from the datagrams of a Unix socket, one or several lines in each."""

    type: Literal["unix_datagram"] = setting(
        description="unix_datagram: records from a Unix datagram socket."
    )
    listen: Annotated[str, Listen("unix")] = setting(
        description="Path of the socket to listen on, @name for an abstract one, or systemd:NAME.",
        examples=["/run/aep-agent/records.dgram"],
    )


ConnectionSettings = TcpSource | UnixSource
SocketSource = ConnectionSettings | UdpSource | UnixDatagramSource
