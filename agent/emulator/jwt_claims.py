"""Does this JWT claim what a service account of the platform must claim?"""

import base64
import binascii
import time
from typing import Any

import orjson

_SCOPE = "/s/ent_dataservices_sdk"


def jwt_objection(token: str, client_id: str) -> str | None:
    """What is wrong with a signed JWT by its claims alone; None where they are in order."""
    parts = token.split(".")
    if len(parts) != 3 or not parts[2]:
        return "the jwt_token is not a signed JWT of three parts"
    try:
        header, claims = (_decoded(part) for part in parts[:2])
    except ValueError:
        return "the jwt_token cannot be decoded"
    if header.get("alg") != "RS256":
        return "the jwt_token must be signed with RS256"
    missing = [name for name in ("iss", "sub", "aud", "exp") if not claims.get(name)]
    if missing:
        return f"the jwt_token lacks {', '.join(missing)}"
    if not isinstance(claims["exp"], int | float) or claims["exp"] <= time.time():
        return "the jwt_token has expired"
    if not str(claims["aud"]).endswith(f"/c/{client_id}"):
        return "the aud of the jwt_token must end with /c/ and the client_id"
    if not any(name.endswith(_SCOPE) and claims[name] is True for name in claims):
        return "the jwt_token claims no metascope, such as .../s/ent_dataservices_sdk"
    return None


def _decoded(part: str) -> dict[str, Any]:
    try:
        decoded = orjson.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except binascii.Error as error:
        raise ValueError(str(error)) from None
    if not isinstance(decoded, dict):
        raise ValueError("not an object")
    return decoded
