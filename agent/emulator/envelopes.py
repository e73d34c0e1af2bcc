"""Which record does a message hold, and does the header round it agree with the flow?

An XDM message holds an entity. A raw record is the whole message, unless it comes in the envelope
of an upsert, which says what shall be done with it in Profile.
"""

import json
import re
import sys
from typing import Any, Literal

import orjson

from agent.emulator.routing import Route

MISSING_ENTITY = "Payload body is missing xdmEntity"

_LONG_NUMBER = re.compile(rb"[0-9]{19}")  # which the quick parser may round

Upsert = Literal["create", "merge", "delete"]


class BrokenMessage(ValueError):
    """The message holds no record; `errors` is the member that the platform adds when it fails."""

    def __init__(self, message: str, member: str = "_errors") -> None:
        super().__init__(message)
        said = [{"message": message}]
        self.message = message
        self.errors: dict[str, Any] = (
            {"_errors": {"_streamingValidation": said}} if member == "_errors" else {member: said}
        )


def parsed(message: bytes) -> Any:
    """The message as JSON, with integers of any length. Raises BrokenMessage: it is too deep."""
    if not _LONG_NUMBER.search(message):
        try:
            return orjson.loads(message)
        except orjson.JSONDecodeError:
            pass  # half a surrogate pair, say, or a number beyond all
    try:
        return json.loads(message, parse_float=_finite)
    except (ValueError, RecursionError):
        raise BrokenMessage("The message is nested too deeply to be read") from None


def _finite(text: str) -> float:
    """A number that JSON has again: the nearest one where it is beyond all of them."""
    return max(-sys.float_info.max, min(float(text), sys.float_info.max))


def opened(message: Any, route: Route) -> tuple[Any, Upsert | None]:
    """The record, and the operation of an upsert. Raises BrokenMessage."""
    if route.is_xdm:
        return _entity_of(message, route), None
    header = part(message, "header")
    is_envelope = isinstance(message, dict) and set(message) == {"header", "body"}
    if not is_envelope or not {"flowId", "operations"} & set(header):
        return message, None
    wanted = part(header, "operations").get("data")
    operation: Upsert = wanted if wanted in ("merge", "delete") else "create"
    return message["body"], operation


def part(whole: Any, name: str) -> dict[str, Any]:
    """An object in an object; an empty one where there is none."""
    found = whole.get(name) if isinstance(whole, dict) else None
    return found if isinstance(found, dict) else {}


def _entity_of(message: Any, route: Route) -> Any:
    header, body = part(message, "header"), part(message, "body")
    dataset_id = header.get("datasetId")
    if dataset_id is not None and dataset_id != route.dataset_id:
        raise BrokenMessage(f"Payload header has a wrong datasetId [{dataset_id}]")
    schema_id = part(header, "schemaRef").get("id")
    if schema_id != route.schema_id:
        raise BrokenMessage(f"Payload header has a wrong schemaRef [{schema_id}]")
    if "xdmEntity" not in body:
        raise BrokenMessage(MISSING_ENTITY, "_validationErrors")
    return body["xdmEntity"]
