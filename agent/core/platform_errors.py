"""What does an error of the platform's control plane say, and what can somebody do about it?

Every service has a body of its own, and some have an old one besides; the gateway in front of them
has another. Sources: Adobe's error references (Flow Service, Schema Registry, Observability
Insights), the platform's troubleshooting guide, RFC 7807, and answers that were seen.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

_CODE = re.compile(r"[A-Za-z]{2,12}-\d{3,5}(?:-\d{3})?|\d{3,6}(?:-\d{3})?|[a-z_]{2,40}")
_SAID_MAX = 400  # characters
_SUB_ERRORS_MAX = 5
_PASSING = (408, 425, 429)  # besides 5xx: the same request may be answered later
_NEVER_BETTER = (501, 505)


@dataclass(frozen=True, slots=True)
class Said:
    """What the answer to a failed call says; `code` is the service's own, as FLOW-1425-400."""

    code: str | None
    message: str
    request_id: str | None
    by_platform: bool  # whether the body is one that the platform writes


def read(body: bytes) -> Said:
    """What the *body* of an answer says that is no success."""
    answer = _parsed(body)
    if not answer:
        return Said(None, f"answered with {_kind_of(body)}", None, by_platform=False)
    report = answer.get("report")
    report = report if isinstance(report, Mapping) else {}
    message = _line("; ".join(_messages(answer, report)))
    request_id = _first(report, "request-id", "registryRequestId", "requestId")
    return Said(_code_of(answer), message or "it does not say why", request_id, by_platform=True)


def is_passing(status: int) -> bool:
    """Whether the same call may succeed later."""
    return status in _PASSING or (status >= 500 and status not in _NEVER_BETTER)


def is_undone(status: int) -> bool:
    """Whether a call that was answered like this certainly changed nothing."""
    return 300 <= status < 500 and status != 408


def is_missing(status: int, said: Said) -> bool:
    """Whether the object that was asked for does not exist: not the sandbox, nor the address."""
    number = _number(said.code)
    return said.by_platform and number not in _ELSEWHERE and (status == 404 or number == "1439")


def is_outdated(status: int, said: Said) -> bool:
    """Whether the object was changed since its etag was read."""
    return status == 412 or _number(said.code) == "1404"


def is_about_credentials(status: int, said: Said) -> bool:
    """Whether our token, key, organisation or permissions are what is wrong."""
    return status in (401, 403) or _number(said.code) in _IDENTITY


def next_step(status: int, said: Said) -> str:
    """What somebody can do about it; empty where nothing is known that helps."""
    if step := _BY_CODE.get(said.code or "") or _BY_NUMBER.get(_number(said.code)):
        return step
    if not said.by_platform and status not in (401, 403) and not is_passing(status):
        return "check platform.url, and whether a proxy or a login page answers in its place"
    if status >= 500 and status not in _NEVER_BETTER:
        return "try again later; if this lasts, give Adobe's support the request id"
    return _BY_STATUS.get(status, "")


def _number(code: str | None) -> str:
    """The number in the middle of FLOW-1425-400; of a code that has none, the code."""
    found = re.fullmatch(r"(?:FLOW-)?(\d{4})(?:-\d{3})?", code or "")
    return found[1] if found else code or ""


_SANDBOX = ("2100", "2101", "2103", "2106")
_ELSEWHERE = (*_SANDBOX, "404001")  # which is the gateway's: it knows no such service
_IDENTITY = ("2000", "2001", "2002", "2114", "2115", "2118", "2120", "2121", "400003")

_CHECK_TOKEN = "check the client id and secret, or the token, in section platform"
_CHECK_ORG = "check platform.org_id"
_CHECK_SANDBOX = "check platform.sandbox: the name of a sandbox of this organisation, lower case"
_CHECK_ROLE = (
    "give the credential a role with this permission (Adobe's Permissions, API credentials)"
)
_BY_CODE: Mapping[str, str] = {
    "403010": _CHECK_TOKEN,
    "401013": _CHECK_TOKEN,
    "403000": "check platform.api_key",
    "403003": "check platform.api_key: it is the client id of the project in the developer console",
    "400003": "check platform.org_id and platform.sandbox",
    "403025": "add the API to the project in the developer console, with a product profile of this"
    " organisation",
    "404001": "check platform.url",
    "403027": "check platform.org_id: the credential must belong to this organisation",
}
_BY_NUMBER: Mapping[str, str] = {
    "1404": "somebody changed it meanwhile: read it again, then change that",
    "1412": "write the version that the mapping set has",
    "1413": "write the id of a spec that exists",
    "1418": "delete the flows that use this connection first",
    "1419": "check that the mapping set exists in this sandbox and may be read",
    "1425": "make the mapping set for the schema, and the version of it, that the dataset has",
    "1447": "delete or disable the flows that use it first",
    "2000": _CHECK_ORG,
    "2001": _CHECK_ORG,
    "2002": _CHECK_ORG,
    "2105": "write platform.sandbox",
    "2114": _CHECK_TOKEN,
    "2115": _CHECK_TOKEN,
    "2118": _CHECK_ROLE,
    "2120": _CHECK_ROLE,
    "2121": _CHECK_ROLE,
    "2200": "try again; if it stays, check that the dataset exists in this sandbox",
    "2250": "try again; if it stays, check that the mapping set exists in this sandbox",
    **dict.fromkeys(_SANDBOX, _CHECK_SANDBOX),
}
_BY_STATUS: Mapping[int, str] = {
    401: _CHECK_TOKEN,
    403: "check that the credential belongs to platform.org_id and has a role in this sandbox, and"
    " that this machine's address is allowed",
    408: "try again later",
    409: "there is one of this name already: use it, or choose another name",
    412: "somebody changed it meanwhile: read it again, then change that",
    413: "write less into one request",
    429: "wait a while: the platform allows so many calls a minute for the whole organisation",
}


def _code_of(answer: Mapping[str, Any]) -> str | None:
    kind = answer.get("type")
    named = kind.rpartition("/")[2] if isinstance(kind, str) else ""
    in_chain = [each for each in _list(answer, "error-chain") if isinstance(each, Mapping)]
    numbers = [_first(answer, "error_code", "errorCode", "code", "error")]
    for code in (named, *numbers, *(_first(each, "errorCode") for each in in_chain[:1])):
        if code and _CODE.fullmatch(code) and code != "uri":
            return code
    return None


def _messages(answer: Mapping[str, Any], report: Mapping[str, Any]) -> Iterator[str]:
    """What went wrong, in the service's own words, the most telling first, none twice."""
    yield (
        _first(report, "detailed-message", "message")
        or _first(
            answer, "errorMessage", "detail", "details", "message", "error_description", "title"
        )
        or ""
    )
    for each in _list(report, "sub-errors")[:_SUB_ERRORS_MAX]:
        text = each if isinstance(each, str) else None
        if isinstance(each, Mapping):
            text = _first(each, "detailed-message", "message", "detail", "title")
        if text:
            yield text


def _first(found: Mapping[str, Any], *names: str) -> str | None:
    """The first of these that is there, as text."""
    for name in names:
        value = found.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return _line(str(value).strip())
    return None


def _list(found: Mapping[str, Any], name: str) -> list[Any]:
    value = found.get(name)
    return value if isinstance(value, list) else []


def _line(text: str) -> str:
    """*text* on one line of bounded length."""
    shown = "".join(c if c.isprintable() else " " for c in text[:_SAID_MAX])
    return f"{shown} …" if len(text) > _SAID_MAX else shown


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        answer = answer[0]
    return answer if isinstance(answer, dict) else {}


def _kind_of(body: bytes) -> str:
    start = body[:100].lstrip().lower()
    if not start:
        return "an empty body"
    return "an HTML page" if start.startswith(b"<") else "what the platform does not write"
