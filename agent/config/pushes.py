"""How are records taken over HTTP, and what is waited for before they are answered?"""

from pathlib import Path
from typing import Annotated, Literal

from agent.config.credentials import as_it_is_now
from agent.config.fields import FilePath, Listen, Text, Token
from agent.config.filters import Filtered
from agent.config.listening import ListeningSource, OnFile, OnNetwork
from agent.config.masking import SECRET, Secret
from agent.config.quantities import Duration, Size, Whole
from agent.config.section import SoFar, checks, setting
from agent.config.written import Wrong


class HttpSource(OnNetwork, OnFile, ListeningSource, Filtered):
    """Records that others push over HTTP: lines, arrays, or the platform's own requests."""

    type: Literal["http"] = setting(description="http: records that others push over HTTP.")
    listen: Annotated[str, Listen("any")] = setting(
        default="127.0.0.1:8080",
        description="Address: host:port, the path of a Unix socket, @name, systemd, systemd:NAME.",
        examples=["127.0.0.1:8080", "systemd:push"],
    )
    route: Annotated[str, Text("a path that begins with /, such as /records")] = setting(
        default="/",
        description="Path to push to, besides the platform's /collection/ and /collection/batch/.",
        examples=["/records"],
    )
    ack: Literal["durable", "accepted"] = setting(
        default="durable",
        description="durable: answered once on disk; accepted: once the platform has said so.",
    )
    ack_within: Annotated[float, Duration("0s", "1m")] = setting(
        default=0.02,
        description="Time a batch that is waited for may fill; 20ms costs few requests.",
        examples=["20ms"],
    )
    ack_timeout: Annotated[float, Duration("10ms", "1h")] = setting(
        default=30.0,
        description="Longest wait for what ack says; the answer then tells how far it has come.",
        examples=["30s"],
    )
    room_timeout: Annotated[float, Duration("0s", "10m")] = setting(
        default=1.0,
        description="Longest wait for room in the buffer; then the answer is 429 with Retry-After.",
        examples=["1s"],
    )
    body_timeout: Annotated[float, Duration("10ms", "1h")] = setting(
        default=30.0,
        description="Longest time for a body to arrive; 30s is 350 KB/s for the largest.",
        examples=["30s"],
    )
    idle_timeout: Annotated[float, Duration("10ms", "1d")] = setting(
        default=75.0,
        description="Time without a whole head of a request after which a connection is closed.",
        examples=["75s"],
    )
    max_body_bytes: Annotated[int, Size("1KB", "1GiB")] = setting(
        default=10_485_760,
        description="Bytes of a body once it is decompressed; a longer one is answered 413.",
        examples=["10MiB"],
    )
    max_waiting_bytes: Annotated[int, Size("1KB", "1TiB")] = setting(
        default=33_554_432,
        description="Bytes of bodies read and not yet in the buffer; beyond, the answer is 429.",
        examples=["32MiB"],
        validate_default=True,
    )
    max_waiting_requests: Annotated[int, Whole("1", "1000000")] = setting(
        default=1000,
        description="Requests that wait to be answered; beyond, the answer is 429.",
        examples=[1000],
    )
    max_connections: Annotated[int, Whole("1", "1000000")] = setting(
        default=1000,
        description="Connections at the same time; beyond, each is answered 503 and closed.",
        examples=[1000],
    )
    token: Annotated[Secret | None, Token("a bearer token", optional=True)] = setting(
        default=None,
        description="Bearer token that requests must carry; unset takes records from anybody.",
        examples=["${AEP_PUSH_TOKEN}"],
        json_schema_extra=SECRET,
    )
    token_file: Annotated[Path | None, FilePath("the path of a file", optional=True)] = setting(
        default=None,
        description="File holding the bearer token; it is read again when it changes.",
        examples=["/run/secrets/aep-push-token"],
    )

    @checks("route")
    @classmethod
    def _route_is_one(cls, route: str) -> str:
        if not route.startswith("/") or route.startswith(("/collection/", "/readyz")):
            raise Wrong("a path that begins with /, and not one that means something else")
        return route

    @checks("max_waiting_bytes")
    @classmethod
    def _one_body_fits(cls, max_bytes: int, info: SoFar) -> int:
        if max_bytes < info.data.get("max_body_bytes", 0):
            raise Wrong("a size that is at least max_body_bytes")
        return max_bytes

    @checks("token_file")
    @classmethod
    def _one_token(cls, file: Path | None, info: SoFar) -> Path | None:
        if file is not None and info.data.get("token") is not None:
            raise Wrong("either token or token_file")
        return file

    def read_token(self) -> str | None:
        """The token as it is now, if there is one. ConfigError where its file does not hold one."""
        key = f"sources ({self.shown_name}) token_file"
        return as_it_is_now(self.token, self.token_file, key, "token")
