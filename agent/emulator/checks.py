"""Does a value suit its key in a rule of faults, and what should be written instead?"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from agent.emulator.faults import Refusal
from agent.emulator.xdm import UNKNOWN_FORMAT

MAX_HANG = 3600.0

Check = Callable[[Any], Any]  # takes what was written, returns what is meant


class Wrong(ValueError):
    """A value does not suit its key; the message says what to write instead."""


def _whole(least: int, most: int | None = None) -> Check:
    def check(found: Any) -> int:
        is_whole = isinstance(found, int) and not isinstance(found, bool)
        if not is_whole or found < least or (most is not None and found > most):
            bounds = f"of at least {least}" if most is None else f"from {least} to {most}"
            raise Wrong(f"a whole number {bounds}")
        return int(found)

    return check


def _number(least: float, most: float, what: str) -> Check:
    def check(found: Any) -> float:
        if not isinstance(found, int | float) or isinstance(found, bool):
            raise Wrong(what)
        if not least <= found <= most:
            raise Wrong(what)
        return float(found)

    return check


def _one_of(*words: str) -> Check:
    def check(found: Any) -> str:
        if found not in words:
            raise Wrong(" or ".join(words))
        return str(found)

    return check


def _true(found: Any) -> bool:
    if not isinstance(found, bool):
        raise Wrong("true or false")
    return found


def _pattern(found: Any) -> re.Pattern[bytes]:
    if not isinstance(found, str):
        raise Wrong("a regular expression in quotes")
    try:
        return re.compile(found.encode())
    except re.error as error:
        raise Wrong(f"a regular expression that compiles ({error})") from None


def _headers(found: Any) -> dict[str, str]:
    if not isinstance(found, Mapping):
        raise Wrong("headers as {name: value}")
    headers = {str(name): str(value) for name, value in found.items()}
    if any(re.search(r"[\r\n\0]", name + value) for name, value in headers.items()):
        raise Wrong("headers without line breaks")
    if {name.lower() for name in headers} & {"content-length", "transfer-encoding"}:
        raise Wrong("no Content-Length or Transfer-Encoding here; truncate: N cuts an answer short")
    return headers


def _body(found: Any) -> Any:
    if not isinstance(found, str | Mapping | list):
        raise Wrong("an object, a text, or one of html, empty, problem")
    try:
        orjson.dumps(found)
    except TypeError as error:
        raise Wrong(f"something that JSON can hold ({error})") from None
    return found


def _retry_after(found: Any) -> str:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        raise Wrong("seconds, date+SECONDS, or the header's text")
    if re.search(r"[\r\n\0]", str(found)):
        raise Wrong("a text without line breaks")
    return str(found)


def _hang(found: Any) -> float:
    if found is True:
        return MAX_HANG
    return float(_number(0, MAX_HANG, "true, or seconds up to 3600")(found))


def _drop_items(found: Any) -> int | float:
    if isinstance(found, float):
        return float(_number(0, 1, "how many, or a chance from 0.0 to 1.0")(found))
    return int(_whole(1)(found))


def _refusal(found: Any) -> Refusal:
    parts = found
    if isinstance(found, str):
        parts = {"message": found}
    elif isinstance(found, int):
        parts = {"status": found}
    if not isinstance(parts, Mapping) or set(parts) - {"status", "message"}:
        raise Wrong("a status, a message, or {status: 400, message: ...}")
    status = parts.get("status", 400)
    if not (isinstance(status, str) and re.fullmatch("[345][0-9][0-9]", status)):
        status = _whole(300, 599)(status)
    if "message" in parts:
        return Refusal(status, str(parts["message"]), verbatim=True)
    return Refusal(status, UNKNOWN_FORMAT)


_seconds = _number(0, MAX_HANG, "seconds up to 3600")

WHEN: dict[str, Check] = {
    "requests": _whole(1),
    "after": _whole(0),
    "every": _whole(1),
    "probability": _number(0, 1, "a chance from 0 to 1"),
    "path": _one_of("single", "batch", "token", "platform"),
    "encoding": _one_of("gzip", "identity"),
    "matching": _pattern,
}

EFFECTS: dict[str, Check] = {
    "status": _whole(200, 599),
    "body": _body,
    "body_is": _one_of("error_in_200"),
    "headers": _headers,
    "retry_after": _retry_after,
    "accept": _true,
    "hang": _hang,
    "reset": _whole(0),
    "accept_then_reset": _true,
    "truncate": _whole(0),
    "delay": _seconds,
    "reject": _refusal,
    "dialect": _one_of("documented", "observed", "mixed"),
    "drop_items": _drop_items,
    "add_items": _whole(1, 10_000),
    "shuffle_items": _true,
    "strip_ids": _one_of("accepted", "rejected", "all"),
    "ids": _one_of("opaque"),
    "received_time_ms": _one_of("string", "number"),
    "inlet_id_spelling": _one_of("inletId", "inletID"),
}
