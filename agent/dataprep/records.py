"""Which JSON do the bytes of a raw message hold, and which record is in it?"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any, Literal

import orjson

_LONG_NUMBER = re.compile(rb"[0-9]{19}")  # which the quick parser may round

Upsert = Literal["create", "merge", "delete"]


class TooDeep(ValueError):
    """The JSON is nested more deeply than can be read."""


def parsed(text: bytes) -> Any:
    """The JSON of a text that is legal JSON, with integers of any length. Raises TooDeep."""
    if not _LONG_NUMBER.search(text):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass  # half a surrogate pair, say, or a number beyond all
    try:
        return json.loads(text, parse_float=_finite)
    except (ValueError, RecursionError):
        raise TooDeep("The message is nested too deeply to be read") from None


def unwrapped(message: Any) -> tuple[Any, Upsert | None]:
    """The record in a raw message, and what is asked for where it comes as an upsert.

    A message is a record by itself, unless it is an upsert's envelope of header and body.
    """
    if not isinstance(message, dict) or set(message) != {"header", "body"}:
        return message, None
    header = message["header"]
    if not isinstance(header, Mapping) or not {"flowId", "operations"} & set(header):
        return message, None
    operations = header.get("operations")
    wanted = operations.get("data") if isinstance(operations, Mapping) else None
    return message["body"], wanted if wanted in ("merge", "delete") else "create"


def _finite(text: str) -> float:
    """A number that JSON has again: the nearest one where it is beyond all of them."""
    return max(-sys.float_info.max, min(float(text), sys.float_info.max))
