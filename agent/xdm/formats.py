"""Is a string of the format that the schema names?

The formats are those that the platform's validator knows; any other is no promise, as there.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from ipaddress import IPv4Address, IPv6Address
from typing import Final

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII).fullmatch
_DATE_TIME: Final = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII
).fullmatch
_URI_CHARACTERS: Final = r"(?:%[0-9A-Fa-f]{2}|[^\s%<>\"{}|\\^`\x00-\x1f\x7f])"
_URI: Final = re.compile(rf"[A-Za-z][A-Za-z0-9+.-]*:{_URI_CHARACTERS}+").fullmatch
_REFERENCE: Final = re.compile(rf"{_URI_CHARACTERS}*").fullmatch
_EMAIL: Final = re.compile(
    r"(?:[^\s@<>()\[\],;:\\\".]+(?:\.[^\s@<>()\[\],;:\\\".]+)*|\"[^\"]+\")"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W\d_]{2,63}"
).fullmatch
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*").fullmatch


def is_date(text: str) -> bool:
    """Whether it is a day that exists, as 2026-11-25."""
    return bool(_DATE(text)) and _exists(date.fromisoformat, text)


def is_date_time(text: str) -> bool:
    """Whether it is a moment that exists, in RFC 3339 with a zone."""
    return bool(_DATE_TIME(text)) and _exists(datetime.fromisoformat, text)


def _exists(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except ValueError:
        return False
    return True


FORMATS: Final[Mapping[str, tuple[Callable[[str], bool], str]]] = {
    "date": (is_date, "[{}] is not a valid date. Expected [yyyy-MM-dd]"),
    "date-time": (
        is_date_time,
        "[{}] is not a valid date-time. Expected [yyyy-MM-dd'T'HH:mm:ssZ, "
        "yyyy-MM-dd'T'HH:mm:ss.[0-9]{{1,9}}Z, yyyy-MM-dd'T'HH:mm:ss[+-]HH:mm, "
        "yyyy-MM-dd'T'HH:mm:ss.[0-9]{{1,9}}[+-]HH:mm]",
    ),
    "uri": (lambda text: bool(_URI(text)), "[{}] is not a valid URI"),
    "uri-reference": (lambda text: bool(_REFERENCE(text)), "[{}] is not a valid URI reference"),
    "email": (lambda text: bool(_EMAIL(text)), "[{}] is not a valid email address"),
    "hostname": (lambda text: bool(_HOSTNAME(text)), "[{}] is not a valid hostname"),
    "ipv4": (lambda text: _exists(IPv4Address, text), "[{}] is not a valid ipv4 address"),
    "ipv6": (lambda text: _exists(IPv6Address, text), "[{}] is not a valid ipv6 address"),
}
