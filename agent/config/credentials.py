"""As whom does the agent ask for tokens, and how does a secret come out of a file?"""

from pathlib import Path
from typing import Annotated

from agent.config.fields import FilePath, Token, Url
from agent.config.masking import SECRET, Secret
from agent.config.quantities import Duration
from agent.config.section import Section, SoFar, checks, setting
from agent.config.written import Wrong
from agent.errors import ConfigError

SCOPES = (
    "openid",
    "AdobeID",
    "read_organizations",
    "additional_info.projectedProductContext",
    "session",
)
_SECRET_BYTES_MAX = 65_536  # whatever is longer is another file


class CredentialSettings(Section):
    """inlet.credentials: an OAuth server-to-server credential, from which tokens are made."""

    client_id: Annotated[str, Token("the client id of the credential")] = setting(
        description="Client id of an OAuth server-to-server credential in the developer console.",
        examples=["${AEP_CLIENT_ID}"],
    )
    client_secret: Annotated[Secret | None, Token("a client secret", optional=True)] = setting(
        default=None,
        description="Client secret; client_secret_file keeps it out of this file.",
        examples=["${AEP_CLIENT_SECRET}"],
        json_schema_extra=SECRET,
    )
    client_secret_file: Annotated[Path | None, FilePath("the path of a file", optional=True)] = (
        setting(
            default=None,
            description="File holding the client secret; it is read again for every token.",
            examples=["/run/secrets/aep-client-secret"],
            validate_default=True,
        )
    )
    org_id: Annotated[str | None, Token("an organisation id", optional=True)] = setting(
        default=None,
        description="Organisation sent as x-gw-ims-org-id; unset, since an inlet belongs to one.",
        examples=["0123456789ABCDEF@AdobeOrg"],
    )
    scopes: tuple[Annotated[str, Token("the name of a scope")], ...] = setting(
        default=SCOPES,
        description="Scopes to ask for, as the developer console lists them for the credential.",
        examples=[["openid", "AdobeID"]],
        json_schema_extra={"minItems": 1},
    )
    token_url: Annotated[str, Url("an http or https URL")] = setting(
        default="https://ims-na1.adobelogin.com/ims/token/v3",
        description="Where tokens are issued; inlet.proxy, inlet.tls and inlet.timeouts apply.",
        examples=["https://ims-na1.adobelogin.com/ims/token/v3"],
    )
    renew_before: Annotated[float, Duration("1s", "1d")] = setting(
        default=300.0,
        description="Life left at which a token is renewed at the latest; 5m outlasts an outage.",
        examples=["5m"],
    )
    refresh_interval: Annotated[float, Duration("10ms", "1h")] = setting(
        default=10.0,
        description="Least time between two tokens where the inlet refuses each; it doubles.",
        examples=["10s"],
    )

    @checks("client_secret_file")
    @classmethod
    def _one_secret(cls, file: Path | None, info: SoFar) -> Path | None:
        if (file is None) == (info.data.get("client_secret", file) is None):
            raise Wrong("either client_secret or client_secret_file, and one of the two")
        return file

    @checks("scopes")
    @classmethod
    def _some_scope(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if not scopes:
            raise Wrong("at least one scope")
        return scopes

    def read_secret(self) -> str:
        """The client secret as it is now. ConfigError where its file does not hold one."""
        key = "inlet.credentials.client_secret_file"
        secret = as_it_is_now(self.client_secret, self.client_secret_file, key, "client secret")
        assert secret is not None
        return secret


def as_it_is_now(told: Secret | None, file: Path | None, key: str, noun: str) -> str | None:
    """A secret that was *told*, or that is in a *file*, which may change; None where it is neither.

    ConfigError, naming the *key* of the file, where that does not hold one.
    """
    if told is not None:
        return told.reveal()
    return None if file is None else read_word(file, key, noun)


def read_word(path: Path, key: str, noun: str) -> str:
    """The one word that is in a file, anew: what is in it may be rotated.

    ConfigError, naming the *key*, where it cannot be read or does not hold one.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_SECRET_BYTES_MAX).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not ASCII text"
        raise ConfigError(f"{key} ({path}): {reason}") from error
    if not text.isprintable() or not text or " " in text:
        raise ConfigError(f"{key} ({path}): it does not hold one {noun}")
    return text
