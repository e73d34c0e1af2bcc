"""What can be chosen about an emulated inlet, and which choices make no sense?"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from agent.emulator.traps import Traps, changed
from agent.errors import ConfigError

Dialect = Literal["documented", "observed"]

INLET_ID = "c0ffee5ca1ab1e0ddba11ad0be5afec0ded0c5b0a7f00dfeed5eed1ed9e01dab"
FLOW_ID = "e0a7f10e-5eed-4a9e-8d15-10ca1f10e001"
CLIENT_ID = "emulated-client"
CLIENT_SECRET = "emulated-secret"
TOKEN_PATH = "/ims/token/v3"
TOKEN_LIFE = 86_399.0
MAX_REQUEST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorOptions:
    """One inlet and how it answers; every default suits a test or a demo.

    Raises ConfigError with one line per problem.
    """

    listen: str = "127.0.0.1:0"  # host:port; port 0 takes a free one
    directory: Path | None = None  # keeps the records over a restart; None forgets them at the end
    inlet_id: str = INLET_ID
    flow_id: str = FLOW_ID
    more_flow_ids: tuple[str, ...] = ()  # further flows that the inlet knows
    xdm: bool = False  # an XDM inlet; False is a raw one
    components: Path | None = None  # a directory of Adobe's XDM component files, instead of ours
    dialect: Dialect = "documented"
    gzip: bool = True
    token: str | None = None  # makes the inlet an authenticated one
    client_id: str | None = None  # issues tokens to this client, and asks for them at the inlet
    client_secret: str = CLIENT_SECRET
    token_life: float = TOKEN_LIFE  # seconds
    ims_org_id: str | None = None  # the org an XDM header must name, when it names one
    traps: Mapping[str, Any] = field(default_factory=dict)  # other than usual; see traps.py
    latency: float = 0.0  # seconds added to every answer
    max_request_bytes: int = MAX_REQUEST_BYTES  # uncompressed, envelope included

    def __post_init__(self) -> None:
        problems = [
            f"{name}: {problem}" for name, problem in _problems(self) if problem is not None
        ]
        if problems:
            raise ConfigError("\n".join(problems))

    @property
    def flow_ids(self) -> tuple[str, ...]:
        """Every flow the inlet knows, the ready-made one first."""
        return (self.flow_id, *self.more_flow_ids)

    @property
    def authenticated(self) -> bool:
        """Whether the inlet asks for a token."""
        return self.token is not None or self.client_id is not None

    @property
    def address(self) -> tuple[str, int]:
        """The host and the port to listen on."""
        host, _, port = self.listen.rpartition(":")
        return host.removeprefix("[").removesuffix("]"), int(port)


def _problems(options: EmulatorOptions) -> list[tuple[str, str | None]]:
    return [
        ("--listen", _listen_problem(options.listen)),
        ("--inlet-id", _inlet_problem(options.inlet_id)),
        *[("--flow-id", _flow_problem(flow_id)) for flow_id in options.flow_ids],
        ("--dialect", _dialect_problem(options.dialect)),
        ("--latency", None if 0 <= options.latency <= 3600 else "write 0 to 3600000 (ms)"),
        ("--max-request-bytes", None if options.max_request_bytes >= 1 else "write 1 or more"),
        ("--client-id", None if options.client_id != "" else "write an id"),
        ("--client-secret", None if options.client_secret else "write a secret"),
        ("--token-life", None if 0 < options.token_life <= 1e7 else "write seconds above 0"),
        ("--trap", _trap_problem(options.traps)),
        ("--token", None if options.token != "" else "write a token of at least one character"),
    ]


def _listen_problem(listen: str) -> str | None:
    match = re.fullmatch(r"(\[[0-9a-fA-F:.%]+\]|[^\s:\[\]]+):([0-9]{1,5})", listen)
    if match and int(match[2]) <= 65535:
        return None
    return f'found "{listen}"; write HOST:PORT, such as 127.0.0.1:8010 or [::1]:0'


def _inlet_problem(inlet_id: str) -> str | None:
    if re.fullmatch(r"[0-9a-f]{32}|[0-9a-f]{64}", inlet_id):
        return None
    return f'found "{inlet_id}"; write 64 (or 32) hexadecimal digits, lower case'


def _flow_problem(flow_id: str) -> str | None:
    try:
        uuid.UUID(flow_id)
    except ValueError:
        return f'found "{flow_id}"; write a UUID, such as {FLOW_ID}'
    return None


def _trap_problem(some: Mapping[str, Any]) -> str | None:
    try:
        changed(Traps(), some)
    except ConfigError as error:
        return str(error)
    return None


def _dialect_problem(dialect: str) -> str | None:
    if dialect in ("documented", "observed"):
        return None
    return f'found "{dialect}"; write documented or observed'
