"""How is a record shown to somebody who looks on, without what it says of a person?

What a key's name says is personal, and what looks like an address, a number of a person or a secret
wherever it stands, is masked. That is a courtesy to who looks over a shoulder, no anonymisation:
names in free text stay. So a record is shown to those only who may see it anyway.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

MASKED = "[redacted]"

# Words of a key, as in first_name, firstName and FirstName.
_WORDS = frozenset(
    {
        *("name", "mail", "tel", "fax", "mobile", "dob", "ssn", "ip", "zip", "lat", "lon", "lng"),
        *("iban", "pin", "cvv", "city", "gender", "age", "msisdn", "uid", "key", "auth"),
    }
)
# Parts of a key, wherever they stand in it.
_PARTS = re.compile(
    "email|phone|address|street|postal|postcode|birth|surname|username|firstname|lastname|fullname"
    "|passw|passport|token|secret|authoriz|cookie|credential|social|creditcard|cardnumber|account"
    "|latitude|longitude|identitymap"
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# Every repetition is bounded, so that a hostile text costs time in proportion to its length.
_PERSONAL = re.compile(
    r"[\w.+%-]{1,64}@[\w.-]{1,253}\.[A-Za-z]{2,24}"  # an e-mail address
    r"|(?<![\w.-])\+?\d(?:[ ()/.-]?\d){8,18}(?![\w.-])"  # a number of a phone, a card, an account
    r"|\beyJ[\w-]{8,256}\.[\w-]+(?:\.[\w-]*)?"  # a token
    r"|\b[Bb]earer\s+\S+"
)
_DEEPEST = 100


class Masking:
    """Masks by the names above, and by *names* of one's own: whole keys, whatever their case."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = frozenset(name.lower() for name in names)

    def masked(self, record: bytes) -> bytes | None:
        """The record as JSON with what is personal masked; None where that cannot be done."""
        try:
            shown = self._shown(json.loads(record), False, _DEEPEST)
        except (ValueError, RecursionError):
            return None
        # what no UTF-8 has is an escape of JSON again
        return json.dumps(shown, ensure_ascii=False).encode("utf-8", "backslashreplace")

    def _shown(self, value: Any, is_masked: bool, depth: int) -> Any:
        if not depth:
            return MASKED
        if isinstance(value, dict):
            return {
                self._text(name, False): self._shown(
                    below, is_masked or self._is_personal(name), depth - 1
                )
                for name, below in value.items()
            }
        if isinstance(value, list):
            return [self._shown(below, is_masked, depth - 1) for below in value]
        if isinstance(value, str):
            return self._text(value, is_masked)
        if is_masked and value is not None:
            return MASKED
        # a phone number may be written as a number, a time in milliseconds is one, too
        return value

    def _text(self, text: str, is_masked: bool) -> str:
        return MASKED if is_masked else _PERSONAL.sub(MASKED, text)

    def _is_personal(self, name: str) -> bool:
        lower = name.lower()
        return (
            lower in self._names
            or any(word.lower() in _WORDS for word in _WORD.findall(name))
            or _PARTS.search(lower.replace("_", "").replace("-", "")) is not None
        )
