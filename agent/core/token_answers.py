"""What does a token endpoint's answer say: a token and how long it lives, or why there is none?

Sources: RFC 6749, 4.4 and 5.2; Adobe's IMS, whose v3 counts `expires_in` in seconds and whose older
exchanges count it in milliseconds. An `exp` inside the token is never looked at: it is of the
server's clock, and ours may be wrong.
"""

import re
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import orjson

LIFE_MAX = 172_800.0  # seconds: twice what the platform gives, so what is more must be ms
LIFE_UNKNOWN = 3600.0  # seconds: where the answer does not say, and renewing too early is harmless
TOKEN_BYTES_MAX = 16_384  # no server takes a longer header

_ONE_WORD = re.compile(rf"[!-~]{{1,{TOKEN_BYTES_MAX}}}")
_CODE = re.compile(r"[a-z_]{1,40}")
_SAID_MAX = 200  # characters


class Trouble(StrEnum):
    """Why there is no token."""

    REFUSED = "refused"  # our id, secret or scopes are not taken
    UNUSABLE = "unusable"  # an answer, but none that a token endpoint gives
    UNAVAILABLE = "unavailable"  # no answer for now


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and the seconds it lives from when it was asked for."""

    text: str = field(repr=False)
    life: float


@dataclass(frozen=True, slots=True)
class NoToken:
    """No token: why, in words for the log, and what somebody can do about it."""

    trouble: Trouble
    reason: str
    next_step: str


_CHECK_URL = "check {section}.token_url, and whether a proxy or a login page answers in its place"
_CHECK_CLIENT = "check {section}.client_id and client_secret in Adobe's developer console"
_WAIT = "nothing for now, it is asked again; if this lasts, check the way to the token endpoint"
_NEXT_STEP = {
    "invalid_client": _CHECK_CLIENT,
    "invalid_grant": _CHECK_CLIENT,
    "unauthorized_client": "add the OAuth server-to-server credential to the project in Adobe's "
    "developer console",
    "invalid_scope": "check {section}.scopes in Adobe's developer console",
}


def read(status: int, body: bytes, section: str = "inlet.credentials") -> Token | NoToken:
    """What an answer with this status and body means.

    Advice names keys of the *section* of the configuration that says who asks.
    """
    found = _read(status, body)
    if isinstance(found, Token):
        return found
    return replace(found, next_step=found.next_step.format(section=section))


def _read(status: int, body: bytes) -> Token | NoToken:
    answer = _parsed(body)
    if 200 <= status < 300 and "error" not in answer:
        return _token_of(answer, body)
    if 300 <= status < 400:
        reason = f"status {status}: a redirect, which is not followed with a secret"
        return NoToken(Trouble.UNUSABLE, reason, _CHECK_URL)
    reason = f"status {status}: {_said(answer) or _kind_of(body)}"
    if status in (408, 425, 429) or status >= 500:
        return NoToken(Trouble.UNAVAILABLE, reason, _WAIT)
    code = answer.get("error")
    if isinstance(code, str) and _CODE.fullmatch(code):
        return NoToken(Trouble.REFUSED, reason, _NEXT_STEP.get(code, _CHECK_CLIENT))
    return NoToken(Trouble.UNUSABLE, reason, _CHECK_URL)


def unavailable(reason: str) -> NoToken:
    """No answer at all."""
    return NoToken(Trouble.UNAVAILABLE, reason, _WAIT)


def _token_of(answer: dict[str, Any], body: bytes) -> Token | NoToken:
    text = answer.get("access_token")
    if not answer:
        reason = f"the answer is no JSON object but {_kind_of(body)}"
    elif text is None:
        reason = "the answer holds no access_token"
    elif not isinstance(text, str) or not _ONE_WORD.fullmatch(text):
        reason = "the access_token is not one word of printable ASCII"
    else:
        return Token(text, _life_of(answer.get("expires_in")))
    return NoToken(Trouble.UNUSABLE, reason, _CHECK_URL)


def _life_of(expires_in: object) -> float:
    """Seconds, whether they were given as seconds or milliseconds, as a number or as text."""
    try:
        number = float(expires_in)  # type: ignore[arg-type]  # what is no number raises
    except (TypeError, ValueError):
        return LIFE_UNKNOWN
    if isinstance(expires_in, bool) or not number > 0:
        return LIFE_UNKNOWN
    return number if number <= LIFE_MAX else min(number / 1000, LIFE_MAX)


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _said(answer: dict[str, Any]) -> str:
    """The error's code and description, on one line of bounded length."""
    parts = [answer.get("error"), answer.get("error_description")]
    said = ", ".join(part for part in parts if isinstance(part, str))
    return "".join(c if c.isprintable() else " " for c in said[:_SAID_MAX])


def _kind_of(body: bytes) -> str:
    start = body[:100].lstrip().lower()
    if not start:
        return "an empty body"
    return "an HTML page" if start.startswith(b"<") else "text without a known error"
