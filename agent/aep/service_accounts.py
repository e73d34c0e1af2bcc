"""How does a service account of old ask for a token? With a JWT that it signs itself.

Adobe has replaced these accounts by OAuth server-to-server credentials; those that are left sign a
JWT with the private key they were made with. Signing is PyJWT's business, which the extra `jwt`
brings. [Adobe: Service Account (JWT) authentication; platform facts 2]
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yarl import URL

from agent.errors import ConfigError

_LIFE = 600.0  # seconds: long enough for clocks that differ, short enough to be worth nothing later
_KEY_BYTES_MAX = 65_536
_TOKEN_PATH, EXCHANGE_PATH = "/ims/token/v3", "/ims/exchange/jwt"


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Who signs: the client, its organisation and technical account, and what it may do."""

    client_id: str
    org_id: str
    technical_account: str
    metascopes: Sequence[str]
    key_file: Path

    def form(self, url: str, secret: str, now: float) -> dict[str, str]:
        """What a request for a token at *url* says; *now* is in seconds since 1970.

        Raises ConfigError where the key cannot be read, or nothing can sign with it.
        """
        issuer = str(URL(url).origin())
        claims: dict[str, Any] = {
            "iss": self.org_id,
            "sub": self.technical_account,
            "aud": f"{issuer}/c/{self.client_id}",
            "exp": int(now + _LIFE),
            **{f"{issuer}/s/{scope}": True for scope in self.metascopes},
        }
        return {
            "client_id": self.client_id,
            "client_secret": secret,
            "jwt_token": _signed(claims, self.key_file),
        }


def exchange_url(token_url: str) -> str:
    """Where JWTs are exchanged, by the service that issues tokens at *token_url*."""
    if token_url.endswith(_TOKEN_PATH):
        return token_url.removesuffix(_TOKEN_PATH) + EXCHANGE_PATH
    return token_url


def _signed(claims: dict[str, Any], key_file: Path) -> str:
    place = f"platform.jwt.private_key_file ({key_file})"
    try:
        import jwt
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key
    except ImportError as error:
        raise ConfigError(
            "platform.jwt: signing is not installed; pip install 'aep-agent[jwt]'"
        ) from error
    wrong = f"{place}: it does not hold a private RSA key in PEM without a password"
    try:
        with key_file.open("rb") as file:
            key = load_pem_private_key(file.read(_KEY_BYTES_MAX), password=None)
    except OSError as error:
        raise ConfigError(f"{place}: {error.strerror}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(wrong) from error
    if not isinstance(key, RSAPrivateKey):
        raise ConfigError(wrong)
    return jwt.encode(claims, key, algorithm="RS256")
