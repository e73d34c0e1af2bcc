"""How is the platform's control plane reached, and as whom is it asked?"""

from pathlib import Path
from typing import Annotated

from agent.config.connection import TimeoutSettings, TlsSettings
from agent.config.credentials import SCOPES, as_it_is_now
from agent.config.fields import FilePath, Token, Url
from agent.config.masking import SECRET, Secret, without_password
from agent.config.quantities import Duration, Size, Whole
from agent.config.section import Section, SoFar, checks, setting
from agent.config.written import Wrong


class JwtSettings(Section):
    """platform.jwt: a service account of old, which signs a JWT for each token it asks for."""

    technical_account: Annotated[str, Token("the id of a technical account")] = setting(
        description="Technical account id, as the developer console shows it.",
        examples=["0123456789ABCDEF@techacct.adobe.com"],
    )
    private_key_file: Annotated[Path, FilePath("the path of a PEM file")] = setting(
        description="PEM file of the RSA key whose certificate the account was made with.",
        examples=["/run/secrets/aep-private-key.pem"],
    )
    metascopes: tuple[Annotated[str, Token("the name of a metascope")], ...] = setting(
        default=("ent_dataservices_sdk",),
        description="What the account asks for; ent_dataservices_sdk is Experience Platform.",
        examples=[["ent_dataservices_sdk"]],
        json_schema_extra={"minItems": 1},
    )

    @checks("metascopes")
    @classmethod
    def _some_metascope(cls, metascopes: tuple[str, ...]) -> tuple[str, ...]:
        if not metascopes:
            raise Wrong("at least one metascope")
        return metascopes


class PlatformSettings(Section):
    """platform: the control plane, where flows are looked up by name and objects are made."""

    url: Annotated[str, Url("an http or https URL such as https://platform.adobe.io")] = setting(
        default="https://platform.adobe.io",
        description="Where the services of the platform are; an emulator's address does, too.",
        examples=["https://platform.adobe.io"],
    )
    org_id: Annotated[str, Token("an organisation id")] = setting(
        description="Organisation, sent as x-gw-ims-org-id; the section needs it.",
        examples=["0123456789ABCDEF@AdobeOrg"],
    )
    sandbox: Annotated[str, Token("the name of a sandbox")] = setting(
        default="prod",
        description="Sandbox whose objects are meant, in lower case.",
        examples=["prod"],
    )
    client_id: Annotated[str | None, Token("the client id of the credential", optional=True)] = (
        setting(
            default=None,
            description="Client id of an OAuth server-to-server credential, or token beside it.",
            examples=["${AEP_CLIENT_ID}"],
        )
    )
    client_secret: Annotated[Secret | None, Token("a client secret", optional=True)] = setting(
        default=None,
        description="Its client secret; client_secret_file keeps it out of this file.",
        examples=["${AEP_CLIENT_SECRET}"],
        json_schema_extra=SECRET,
    )
    client_secret_file: Annotated[Path | None, FilePath("the path of a file", optional=True)] = (
        setting(
            default=None,
            description="File holding the client secret; it is read again for every token.",
            examples=["/run/secrets/aep-client-secret"],
        )
    )
    token: Annotated[Secret | None, Token("a bearer token", optional=True)] = setting(
        default=None,
        description="A token that was had elsewhere, in the place of a credential.",
        examples=["${AEP_PLATFORM_TOKEN}"],
        json_schema_extra=SECRET,
    )
    token_file: Annotated[Path | None, FilePath("the path of a file", optional=True)] = setting(
        default=None,
        description="File holding such a token; it is read again for every call.",
        examples=["/run/secrets/aep-platform-token"],
        validate_default=True,
    )
    api_key: Annotated[str | None, Token("an API key", optional=True)] = setting(
        default=None,
        description="Sent as x-api-key; unset, it is client_id, as the developer console has it.",
        examples=["${AEP_CLIENT_ID}"],
        validate_default=True,
    )
    scopes: tuple[Annotated[str, Token("the name of a scope")], ...] = setting(
        default=SCOPES,
        description="Scopes to ask for, as the developer console lists them for the credential.",
        examples=[["openid", "AdobeID"]],
        json_schema_extra={"minItems": 1},
    )
    token_url: Annotated[str, Url("an http or https URL")] = setting(
        default="https://ims-na1.adobelogin.com/ims/token/v3",
        description="Where tokens are issued.",
        examples=["https://ims-na1.adobelogin.com/ims/token/v3"],
    )
    jwt: JwtSettings | None = setting(
        default=None,
        description="A service account (JWT), beside client_id and client_secret; extra `jwt`.",
    )
    attempts: Annotated[int, Whole("1", "20")] = setting(
        default=4,
        description="How often a call is made at most, where that cannot do something twice.",
        examples=[4],
    )
    retry_initial: Annotated[float, Duration("1ms", "1m")] = setting(
        default=0.5,
        description="Wait before the second attempt; it doubles, at random below that.",
        examples=["500ms"],
    )
    retry_max: Annotated[float, Duration("1ms", "10m")] = setting(
        default=8.0, description="Longest wait between two attempts.", examples=["8s"]
    )
    refresh: Annotated[float, Duration("10ms", "1d")] = setting(
        default=30.0,
        description="Wait until a flow is looked up again that was only remembered; it doubles.",
        examples=["30s"],
    )
    warm_up: Annotated[float, Duration("0s", "1h")] = setting(
        default=300.0,
        description="Time from the last change of a flow that was looked up until it is sent to.",
        examples=["5m"],
    )
    max_answer_bytes: Annotated[int, Size("64KB", "1GB")] = setting(
        default=67_108_864,
        description="Longest answer that is read; 64MiB is a hundred large schemas.",
        examples=["64MiB"],
    )
    proxy: Annotated[
        str | None,
        Url("an http or https URL such as http://proxy:3128", optional=True, credentials=True),
    ] = setting(
        default=None,
        description="HTTP proxy for these calls; a user and password in its URL are kept secret.",
        examples=["http://proxy.internal:3128"],
        json_schema_extra=SECRET,
        masked=without_password,
        repr=False,
    )
    tls: TlsSettings = setting(
        default_factory=TlsSettings, description="Certificates for these calls."
    )
    timeouts: TimeoutSettings = setting(
        default_factory=TimeoutSettings, description="How long one call may take, phase by phase."
    )

    @checks("token_file")
    @classmethod
    def _one_identity(cls, token_file: Path | None, info: SoFar) -> Path | None:
        said = info.data
        secrets = [said.get("client_secret"), said.get("client_secret_file")]
        tokens = [said.get("token"), token_file]
        if all(secrets):
            raise Wrong("either client_secret or client_secret_file, not both")
        if all(tokens):
            raise Wrong("either platform.token or platform.token_file, not both")
        if any(secrets) and any(tokens):
            raise Wrong("either a token or a client_secret, not both")
        if said.get("client_id") and not any(secrets) and not any(tokens):
            raise Wrong("client_secret or client_secret_file beside client_id")
        if any(secrets) and not said.get("client_id"):
            raise Wrong("client_id beside the client secret")
        if not any(secrets) and not any(tokens):
            raise Wrong("client_id and client_secret, or a token, beside org_id")
        return token_file

    @checks("api_key")
    @classmethod
    def _some_key(cls, api_key: str | None, info: SoFar) -> str | None:
        if api_key is None and info.data.get("client_id") is None:
            raise Wrong("the API key beside the token: the client id of the project it is for")
        return api_key

    @checks("jwt")
    @classmethod
    def _account_needs_secret(cls, jwt: JwtSettings | None, info: SoFar) -> JwtSettings | None:
        if jwt is not None and (info.data.get("token") or info.data.get("token_file")):
            raise Wrong("either platform.jwt, beside client_id and client_secret, or a token")
        return jwt

    @checks("scopes")
    @classmethod
    def _some_scope(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if not scopes:
            raise Wrong("at least one scope")
        return scopes

    @property
    def key(self) -> str:
        """The API key that calls carry."""
        return self.api_key or self.client_id or ""

    @property
    def has_token(self) -> bool:
        """Whether a token is given, so that none is asked for."""
        return self.token is not None or self.token_file is not None

    def read_secret(self) -> str:
        """The client secret as it is now. ConfigError where its file does not hold one."""
        key = "platform.client_secret_file"
        secret = as_it_is_now(self.client_secret, self.client_secret_file, key, "client secret")
        assert secret is not None
        return secret

    def read_token(self) -> str:
        """The given token as it is now. ConfigError where its file does not hold one."""
        token = as_it_is_now(self.token, self.token_file, "platform.token_file", "token")
        assert token is not None
        return token
