"""How is a connection to the inlet made, trusted and given up?"""

from pathlib import Path
from typing import Annotated

from agent.config.fields import FilePath
from agent.config.quantities import Duration
from agent.config.section import Section, SoFar, checks, setting
from agent.config.written import Wrong


class TlsSettings(Section):
    """inlet.tls: how the inlet proves who it is, and how the agent does."""

    ca_file: Annotated[Path | None, FilePath("the path of a PEM file", optional=True)] = setting(
        default=None,
        description="PEM file of the certificate authorities to trust; unset trusts the system's.",
        examples=["/etc/aep-agent/ca.pem"],
    )
    cert_file: Annotated[Path | None, FilePath("the path of a PEM file", optional=True)] = setting(
        default=None,
        description="PEM file of the agent's own certificate, for inlets behind mutual TLS.",
        examples=["/etc/aep-agent/agent.pem"],
    )
    key_file: Annotated[Path | None, FilePath("the path of a PEM file", optional=True)] = setting(
        default=None,
        description="PEM file of the key of cert_file; unset where cert_file holds both.",
        examples=["/etc/aep-agent/agent.key"],
    )
    verify: bool = setting(
        default=True,
        description="Whether the inlet's certificate is verified; switch it off only for tests.",
    )

    @checks("key_file")
    @classmethod
    def _key_needs_certificate(cls, key_file: Path | None, info: SoFar) -> Path | None:
        if key_file is not None and info.data.get("cert_file", key_file) is None:
            raise Wrong("inlet.tls.cert_file beside it, the certificate this key belongs to")
        return key_file


class TimeoutSettings(Section):
    """inlet.timeouts: how long one request may take, phase by phase."""

    connect: Annotated[float, Duration("10ms", "10m")] = setting(
        default=10.0,
        description="Longest wait for a connection, TLS included; 10s outlasts two lost SYNs.",
        examples=["10s"],
    )
    answer: Annotated[float, Duration("10ms", "10m")] = setting(
        default=30.0,
        description="Longest silence while an answer is awaited; 30s covers the inlet's slow days.",
        examples=["30s"],
    )
    total: Annotated[float, Duration("10ms", "1h")] = setting(
        default=60.0,
        description="Longest time for one whole request; then it is tried again.",
        examples=["60s"],
        validate_default=True,
    )

    @checks("total")
    @classmethod
    def _total_is_longest(cls, total: float, info: SoFar) -> float:
        if total < max(info.data.get("connect", 0.0), info.data.get("answer", 0.0)):
            raise Wrong("a total that is at least as long as connect and as answer")
        return total
