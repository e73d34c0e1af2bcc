"""Who may look at the agent over HTTP, and where?"""

from pathlib import Path
from typing import Annotated

from agent.config.credentials import as_it_is_now
from agent.config.fields import Address, FilePath, Text, Token
from agent.config.listening import ListenerTlsSettings
from agent.config.masking import SECRET, Secret
from agent.config.quantities import Duration, Whole
from agent.config.section import Section, SoFar, checks, setting
from agent.config.written import Wrong


class AdminSettings(Section):
    """admin: the status page, metrics and health over HTTP."""

    listen: Annotated[str | None, Address()] = setting(
        default="127.0.0.1:9600",
        description="Address of the status page, /status, /metrics, /livez, /readyz; null: none.",
        examples=["127.0.0.1:9600", "[::1]:9600", None],
    )
    token: Annotated[Secret | None, Token("a bearer token", optional=True)] = setting(
        default=None,
        description="Bearer token that all but /livez and /readyz ask for; unset asks for none.",
        examples=["${AEP_ADMIN_TOKEN}"],
        json_schema_extra=SECRET,
    )
    token_file: Annotated[Path | None, FilePath("the path of a file", optional=True)] = setting(
        default=None,
        description="File holding the bearer token; it is read again when it changes.",
        examples=["/run/secrets/aep-admin-token"],
    )
    open_metrics: bool = setting(
        default=False,
        description="Whether /metrics needs no token, for scrapers that cannot send one.",
    )
    tls: ListenerTlsSettings | None = setting(
        default=None,
        description="Certificates; unset, connections are not encrypted.",
        examples=[{"cert_file": "/etc/aep-agent/agent.pem"}],
    )
    trusted_network: bool = setting(
        default=False,
        description="Whether nobody on the network reads along, so that a token needs no tls.",
    )
    hosts: tuple[Annotated[str, Text("the name of a host")], ...] = setting(
        default=(),
        description="Names it is asked by, beside addresses, localhost and the machine's own name.",
        examples=[["agent.example.internal"]],
    )
    max_connections: Annotated[int, Whole("1", "100000")] = setting(
        default=100,
        description="Connections at the same time; beyond, each is answered 503 and closed.",
        examples=[100],
    )
    idle_timeout: Annotated[float, Duration("10ms", "1d")] = setting(
        default=75.0,
        description="Time without a whole request, or with an unread answer, until it is closed.",
        examples=["75s"],
    )

    @checks("token_file")
    @classmethod
    def _one_token(cls, file: Path | None, info: SoFar) -> Path | None:
        if file is not None and info.data.get("token") is not None:
            raise Wrong("either token or token_file")
        return file

    @property
    def asks_who_it_is(self) -> bool:
        """Whether not just anybody who reaches it is answered."""
        return bool(self.token or self.token_file or (self.tls and self.tls.client_ca_file))

    def read_token(self) -> str | None:
        """The token as it is now, if there is one. ConfigError where its file does not hold one."""
        return as_it_is_now(self.token, self.token_file, "admin.token_file", "token")
