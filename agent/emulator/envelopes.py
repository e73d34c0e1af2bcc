"""Which record does a message hold, and does the header round it agree with the flow?

An XDM message holds an entity. A raw record is the whole message, unless it comes in the envelope
of an upsert, which says what shall be done with it in Profile.
"""

from typing import Any

from agent.dataprep import records
from agent.dataprep.records import TooDeep, Upsert
from agent.emulator.routing import Route

MISSING_ENTITY = "Payload body is missing xdmEntity"


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
    try:
        return records.parsed(message)
    except TooDeep as error:
        raise BrokenMessage(str(error)) from None


def opened(message: Any, route: Route) -> tuple[Any, Upsert | None]:
    """The record, and the operation of an upsert. Raises BrokenMessage."""
    if route.is_xdm:
        return _entity_of(message, route), None
    return records.unwrapped(message)


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
