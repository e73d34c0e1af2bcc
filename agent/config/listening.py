"""What do sources have in common that listen: a name, who may come in, and how that is secured?"""

from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated

from agent.config.fields import FileMode, FilePath, Network, Text
from agent.config.section import Section, SourceSection, setting


class ListeningSource(SourceSection):
    """A source with an address, which is a part of its name where it has none of its own."""

    type: str
    listen: str
    name: Annotated[str | None, Text("a name", optional=True)] = setting(
        default=None,
        description="Name in receipts, dead letters and metrics; unset uses type and address.",
        examples=["shippers"],
    )

    @property
    def shown_name(self) -> str:
        """Its own name, or one made of its type and address."""
        return self.name or f"{self.type} {self.listen}"


class OnFile(Section):
    """Listens on a socket that is a file."""

    mode: Annotated[int, FileMode()] = setting(
        default=0o660,
        description="Permissions of a Unix socket's file; who may write to it may send records.",
        examples=["0660"],
    )


class OnPort(Section):
    """Listens on a port, which several agents may share."""

    reuse_port: bool = setting(
        default=False,
        description="Whether several agents may listen there, the kernel sharing out what comes.",
    )


class ListenerTlsSettings(Section):
    """tls: how connections are secured, and whether clients must prove who they are."""

    cert_file: Annotated[Path, FilePath("the path of a PEM file")] = setting(
        description="PEM file of the certificate that clients see; it is read again when renewed.",
        examples=["/etc/aep-agent/agent.pem"],
    )
    key_file: Annotated[Path | None, FilePath("the path of a PEM file", optional=True)] = setting(
        default=None,
        description="PEM file of the key of cert_file; unset where cert_file holds both.",
        examples=["/etc/aep-agent/agent.key"],
    )
    client_ca_file: Annotated[Path | None, FilePath("the path of a PEM file", optional=True)] = (
        setting(
            default=None,
            description="PEM file of who vouches for clients, who then need a certificate each.",
            examples=["/etc/aep-agent/clients-ca.pem"],
        )
    )


class OnNetwork(Section):
    """Listens for clients on a network, some of whom may not be meant."""

    allow: tuple[Annotated[str, Network()], ...] = setting(
        default=(),
        description="Networks that clients may connect from; none means from everywhere.",
        examples=[["10.0.0.0/8", "::1"]],
    )
    tls: ListenerTlsSettings | None = setting(
        default=None,
        description="Certificates; unset, connections are not encrypted.",
        examples=[{"cert_file": "/etc/aep-agent/agent.pem"}],
    )

    @property
    def networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """What `allow` says."""
        return tuple(map(ip_network, self.allow))

    @property
    def asks_who_it_is(self) -> bool:
        """Whether not just anybody who reaches it may come in."""
        return bool(self.allow or (self.tls and self.tls.client_ca_file))
