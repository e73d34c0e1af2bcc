"""On which sockets are records received, how are they framed, and what may a client take up?"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from agent.config.fields import Duration, FileMode, FilePath, Listen, Network, Size, Text, Whole
from agent.config.formats import Received
from agent.config.section import Section

StreamFraming = Literal["newline", "octet_counted", "nul", "length_prefixed", "json_seq"]


class _Stream(Received):
    """What sources of connections have in common."""

    framing: StreamFraming = Field(
        default="newline",
        description="How records are told apart: newline, syslog's octet counts, NUL, four bytes of"
        " length before each, or JSON text sequences.",
    )
    max_connections: Annotated[int, Whole("1", "1000000")] = Field(
        default=10_000,
        description="Connections at the same time; further ones are refused, and counted.",
        examples=[10_000],
    )
    idle_timeout: Annotated[float | None, Duration("1s", "30d", optional=True)] = Field(
        default=None,
        description="Silence after which a connection is closed; unset waits for ever, since many"
        " shippers lose what they write to a connection that was closed.",
        examples=["1h"],
    )
    unfinished_timeout: Annotated[float, Duration("100ms", "1d")] = Field(
        default=300.0,
        description="Time a record may take to come; then it is a dead letter and the connection"
        " closed.",
        examples=["5m"],
    )
    max_unfinished_bytes: Annotated[int, Size("64KB", "1TiB")] = Field(
        default=67_108_864,
        description="Bytes of unfinished records of all connections; beyond it, the connection with"
        " most of them is closed.",
        examples=["64MiB"],
    )


class ListenerTlsSettings(Section):
    """tls: how connections are secured, and whether clients must prove who they are."""

    cert_file: Annotated[Path, FilePath("the path of a PEM file")] = Field(
        description="PEM file of the certificate that clients see; it is read again when renewed.",
        examples=["/etc/aep-agent/agent.pem"],
    )
    key_file: Annotated[Path | None, FilePath("the path of a PEM file", optional=True)] = Field(
        default=None,
        description="PEM file of the key of cert_file; unset where cert_file holds both.",
        examples=["/etc/aep-agent/agent.key"],
    )
    client_ca_file: Annotated[Path | None, FilePath("the path of a PEM file", optional=True)] = (
        Field(
            default=None,
            description="PEM file of who vouches for clients, who then need a certificate each.",
            examples=["/etc/aep-agent/clients-ca.pem"],
        )
    )


class TcpSource(_Stream):
    """Records from TCP connections, as many as there are clients."""

    type: Literal["tcp"] = Field(description="tcp: records from TCP connections.")
    listen: Annotated[str, Listen("internet")] = Field(
        description="Address to listen on; systemd or systemd:NAME takes sockets that it opened.",
        examples=["127.0.0.1:5170", "systemd:records"],
    )
    name: Annotated[str | None, Text("a name", optional=True)] = Field(
        default=None,
        description="Name in receipts, dead letters and metrics; unset uses type and address.",
        examples=["shippers"],
    )
    reuse_port: bool = Field(
        default=False,
        description="Whether several agents may listen there, the kernel sharing out connections.",
    )
    allow: tuple[Annotated[str, Network()], ...] = Field(
        default=(),
        description="Networks that clients may connect from; none means from everywhere.",
        examples=[["10.0.0.0/8", "::1"]],
    )
    tls: ListenerTlsSettings | None = Field(
        default=None,
        description="Certificates; unset, connections are not encrypted.",
        examples=[{"cert_file": "/etc/aep-agent/agent.pem"}],
    )


class UnixSource(_Stream):
    """Records from connections to a Unix socket."""

    type: Literal["unix"] = Field(description="unix: records from a Unix stream socket.")
    listen: Annotated[str, Listen("unix")] = Field(
        description="Path of the socket to listen on, @name for an abstract one, or systemd:NAME.",
        examples=["/run/aep-agent/records.sock"],
    )
    name: Annotated[str | None, Text("a name", optional=True)] = Field(
        default=None,
        description="Name in receipts, dead letters and metrics; unset uses type and path.",
        examples=["local"],
    )
    mode: Annotated[int, FileMode()] = Field(
        default=0o660,
        description="Permissions of the socket's file; who may write to it may send records.",
        examples=["0660"],
    )


class UdpSource(Received):
    """Records from UDP datagrams, one or several lines in each."""

    type: Literal["udp"] = Field(description="udp: records from UDP datagrams.")
    listen: Annotated[str, Listen("internet")] = Field(
        description="Address to listen on; systemd or systemd:NAME takes sockets that it opened.",
        examples=["127.0.0.1:5170", "systemd:records"],
    )
    name: Annotated[str | None, Text("a name", optional=True)] = Field(
        default=None,
        description="Name in receipts, dead letters and metrics; unset uses type and address.",
        examples=["devices"],
    )
    reuse_port: bool = Field(
        default=False,
        description="Whether several agents may listen there, the kernel sharing out senders.",
    )
    receive_buffer: Annotated[int | None, Size("4KiB", "1GiB", optional=True)] = Field(
        default=None,
        description="Bytes the kernel keeps until they are read; unset takes up to 8MiB, as far as"
        " it allows.",
        examples=["16MiB"],
    )


class UnixDatagramSource(Received):
    """Records from the datagrams of a Unix socket, one or several lines in each."""

    type: Literal["unix_datagram"] = Field(
        description="unix_datagram: records from a Unix datagram socket."
    )
    listen: Annotated[str, Listen("unix")] = Field(
        description="Path of the socket to listen on, @name for an abstract one, or systemd:NAME.",
        examples=["/run/aep-agent/records.dgram"],
    )
    name: Annotated[str | None, Text("a name", optional=True)] = Field(
        default=None,
        description="Name in receipts, dead letters and metrics; unset uses type and path.",
        examples=["local"],
    )
    mode: Annotated[int, FileMode()] = Field(
        default=0o660,
        description="Permissions of the socket's file; who may write to it may send records.",
        examples=["0660"],
    )


ConnectionSettings = TcpSource | UnixSource
SocketSource = ConnectionSettings | UdpSource | UnixDatagramSource


def called(source: SocketSource) -> str:
    """The name of a source: its own, or one made of its type and address."""
    return source.name or f"{source.type} {source.listen}"
