"""Where do records go, and as whom?"""

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from agent.config.connection import TimeoutSettings, TlsSettings
from agent.config.credentials import CredentialSettings
from agent.config.envelope import Envelope, RawEnvelope
from agent.config.fields import FilePath, Moment, Text, Token, Url
from agent.config.headers import FLOW_HEADER, ORG_HEADER, HeaderName, HeaderValue
from agent.config.masking import SECRET, Secret, masked_values, without_password
from agent.config.quantities import Duration, Size
from agent.config.section import Section, SoFar, checks, setting
from agent.config.showing import shown
from agent.config.written import Wrong

DOCUMENTED_REQUEST_BYTES = 1_000_000


class InletSettings(Section):
    """inlet: the platform's streaming inlet."""

    url: Annotated[
        str, Url("an http or https URL such as https://dcs.adobedc.net/collection/0123abcd")
    ] = setting(
        default="",
        description="URL of the inlet, the platform's inletUrl; unset, its flow is looked up.",
        examples=["https://dcs.adobedc.net/collection/0123abcd"],
    )
    flow: Annotated[str | None, Text("the name of a dataflow", optional=True)] = setting(
        default=None,
        description="Name of the dataflow, by which url and flow_id are looked up (platform).",
        examples=["orders to profile"],
    )
    envelope: Envelope = setting(
        default=RawEnvelope(type="raw"),
        description="What is put round each record; raw is what HTTP API sources with mapping use.",
    )
    flow_id: Annotated[str | None, Token("the id of the dataflow", optional=True)] = setting(
        default=None,
        description="Id of the dataflow (x-adobe-flow-id); required with the raw envelope.",
        examples=["7d1df3c8-1f0e-4a53-8f2c-2f0f3f9f1a11"],
        validate_default=True,
    )
    ready_at: Annotated[datetime | None, Moment()] = setting(
        default=None,
        description="When a new dataflow takes records: it loses those of its first five minutes.",
        examples=["2026-03-01T12:05:00Z"],
    )
    mode: Literal["batch", "single"] = setting(
        default="batch",
        description="Records per request: batch sends many to /collection/batch, single one each.",
    )
    compression: Literal["auto", "gzip", "none"] = setting(
        default="auto",
        description="gzip is undocumented for inlets, so auto tries it and falls back for good.",
    )
    token: Annotated[Secret | None, Token("a bearer token", optional=True)] = setting(
        default=None,
        description="Bearer token for authenticated inlets; token_file keeps it out of this file.",
        examples=["${AEP_INLET_TOKEN}"],
        json_schema_extra=SECRET,
    )
    token_file: Annotated[Path | None, FilePath("the path of a file", optional=True)] = setting(
        default=None,
        description="File holding the bearer token; it is read again when it changes.",
        examples=["/run/secrets/aep-inlet-token"],
    )
    credentials: CredentialSettings | None = setting(
        default=None,
        description="Credential from which tokens for authenticated inlets are made.",
        examples=[{"client_id": "${AEP_CLIENT_ID}", "client_secret": "${AEP_CLIENT_SECRET}"}],
    )
    sandbox: Annotated[str | None, Token("the name of a sandbox", optional=True)] = setting(
        default=None,
        description="Sandbox sent as x-sandbox-name; unset, since an inlet belongs to one anyway.",
        examples=["prod"],
    )
    headers: dict[Annotated[str, HeaderName()], Annotated[str, HeaderValue()]] = setting(
        default_factory=dict,
        description="Headers added to every request, for gateways in front of the inlet.",
        examples=[{"x-api-key": "${GATEWAY_KEY}"}],
        json_schema_extra={**SECRET, "default": {}},
        masked=masked_values,
        repr=False,
    )
    max_request_bytes: Annotated[int, Size("1KB", "100MB")] = setting(
        default=DOCUMENTED_REQUEST_BYTES,
        description="Largest request before compression, envelope included; the inlet takes 1MB.",
        examples=["1MB"],
    )
    max_answer_bytes: Annotated[int, Size("64KB", "1GB")] = setting(
        default=16_777_216,
        description="Longest answer that is read; 16MiB is fifty times that to a full batch.",
        examples=["16MiB"],
    )
    max_connection_age: Annotated[float, Duration("1s", "1d")] = setting(
        default=300.0,
        description="Age at which a connection is replaced, so that changes in DNS are followed.",
        examples=["5m"],
    )
    proxy: Annotated[
        str | None,
        Url("an http or https URL such as http://proxy:3128", optional=True, credentials=True),
    ] = setting(
        default=None,
        description="HTTP proxy to send through; a user and password in its URL are kept secret.",
        examples=["http://proxy.internal:3128"],
        json_schema_extra=SECRET,
        masked=without_password,
        repr=False,
    )
    tls: TlsSettings = setting(
        default_factory=TlsSettings, description="Certificates for https inlets."
    )
    timeouts: TimeoutSettings = setting(
        default_factory=TimeoutSettings,
        description="How long one request may take, phase by phase.",
    )

    @checks("flow")
    @classmethod
    def _looked_up_or_known(cls, flow: str | None, info: SoFar) -> str | None:
        if flow is not None and info.data.get("url"):
            raise Wrong("either inlet.url, with flow_id, or inlet.flow, by which both are found")
        return flow

    @checks("flow_id")
    @classmethod
    def _raw_needs_flow(cls, flow_id: str | None, info: SoFar) -> str | None:
        raw = isinstance(info.data.get("envelope"), RawEnvelope)
        query = parse_qs(urlsplit(info.data.get("url", "")).query)
        if flow_id is not None and info.data.get("flow") is not None:
            raise Wrong("either inlet.flow_id or inlet.flow, by which it is found")
        if flow_id is None and raw and FLOW_HEADER not in query and not info.data.get("flow"):
            raise Wrong("the id of the dataflow, which the raw envelope needs")
        return flow_id

    @checks("token_file")
    @classmethod
    def _one_token(cls, token_file: Path | None, info: SoFar) -> Path | None:
        if token_file is not None and info.data.get("token") is not None:
            raise Wrong("either inlet.token or inlet.token_file, not both")
        return token_file

    @checks("credentials")
    @classmethod
    def _one_identity(
        cls, credentials: CredentialSettings | None, info: SoFar
    ) -> CredentialSettings | None:
        if credentials and (info.data.get("token") or info.data.get("token_file")):
            raise Wrong("either inlet.credentials or inlet.token, not both")
        return credentials

    @checks("headers")
    @classmethod
    def _one_authorization(cls, headers: dict[str, str], info: SoFar) -> dict[str, str]:
        named = {name.lower() for name in headers}
        for key in ("token", "token_file", "credentials"):
            if info.data.get(key) and "authorization" in named:
                raise Wrong(f"either an Authorization header or inlet.{key}, not both")
        credentials = info.data.get("credentials")
        if credentials and credentials.org_id and ORG_HEADER in named:
            raise Wrong(f"either the header {ORG_HEADER} or inlet.credentials.org_id, not both")
        return headers

    @property
    def is_looked_up(self) -> bool:
        """Whether url and flow_id are to be found through the platform."""
        return not self.url

    @property
    def destination(self) -> str:
        """What only the same inlet, flow and envelope have: a body made for one fits no other."""
        where = f"{self.url or self.flow}\n{self.flow_id}"
        envelope = json.dumps(shown(self.envelope), ensure_ascii=False, separators=(",", ":"))
        return f"{where}\n{self.mode}\n{envelope}"
