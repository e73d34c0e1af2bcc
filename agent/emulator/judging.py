"""What becomes of one accepted record: a row, a failure, and a change of a profile?

A raw record is mapped and validated; of an XDM message the header must agree with the flow, and
its entity is validated. A raw record may come in the envelope of an upsert, which is taken off.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from agent.emulator.judges import Judge
from agent.emulator.profiles import Change
from agent.emulator.routing import Route
from agent.emulator.traps import Traps

MISSING_ENTITY = "Payload body is missing xdmEntity"

How = Literal["create", "merge", "delete"]


@dataclass(frozen=True, slots=True)
class Arrived:
    """One accepted record: its bytes, its id, and when it came."""

    record: bytes
    xaction_id: str
    received_ms: int


@dataclass(slots=True)
class Fate:
    """What becomes of a record: `row` where it lands, else `failed`; both are lines.

    `message` and `code` are the platform's first words on a failure. `change` is set where Profile
    hears of the record; `too_long` where it would have, had the record been shorter.
    """

    row: bytes | None = None
    failed: bytes | None = None
    message: str = ""
    code: str = ""
    change: Change | None = None
    too_long: bool = False
    warnings: tuple[str, ...] = ()


class Failed(ValueError):
    """The record cannot land; `errors` are the members that the platform adds to it."""

    def __init__(self, errors: dict[str, Any], message: str, code: str = "INGEST-1211-400") -> None:
        super().__init__(message)
        self.errors = errors
        self.message = message
        self.code = code


def fate(
    route: Route, judge: Judge, arrived: Arrived, landed_id: str, failed_id: str, traps: Traps
) -> Fate:
    """Judge one record of a route; the ids are those of the batches for what lands or fails."""
    parsed: Any = None
    entity: Any = None
    how: How = "merge"
    upsert: How | None = None
    warnings: tuple[str, ...] = ()
    try:
        parsed = _parsed(arrived.record)
        record = _entity_of(parsed, route) if route.is_xdm else parsed
        if not route.is_xdm:
            record, upsert = _unwrapped(parsed)
            how = upsert or "merge"
        outcome = judge.judge(record)
        entity = record if outcome.mapped is None else outcome.mapped
        if outcome.warnings:
            warnings = tuple(f"{each.destination}: {each.message}" for each in outcome.warnings)
        if outcome.violations:
            errors = [each.as_json() for each in outcome.violations]
            raise Failed({"_validationErrors": errors}, str(errors[0]["message"]), _code(errors[0]))
    except Failed as failure:
        line = _failed(route, arrived, failed_id, parsed, entity, failure)
        return Fate(failed=line, message=failure.message, code=failure.code, warnings=warnings)
    made = Fate(warnings=warnings)
    text = dumped(entity)
    if upsert is None or not (route.upsert or upsert == "delete"):
        made.row = _row(route, arrived, landed_id, text)
    if route.profile and (identity := judge.identity_of(entity)) is not None:
        most = traps.event_bytes if judge.is_event else traps.profile_bytes
        made.too_long = 0 < most < len(text)
        if not made.too_long:
            made.change = Change(identity, entity, "event" if judge.is_event else how)
    return made


def now_ms() -> int:
    """The platform's clock: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def dumped(content: Any) -> bytes:
    """JSON, also of integers that are longer than 64 bits."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(
            "utf-8", "surrogatepass"
        )


def _parsed(record: bytes) -> Any:
    try:
        return orjson.loads(record)
    except orjson.JSONDecodeError:
        try:
            return json.loads(record)
        except (ValueError, RecursionError):
            raise _broken_envelope("The message is nested too deeply to be read") from None


def _entity_of(message: Any, route: Route) -> Any:
    """The entity of an XDM message whose header agrees with the flow. Raises Failed."""
    header, body = _part(message, "header"), _part(message, "body")
    dataset_id = header.get("datasetId")
    if dataset_id is not None and dataset_id != route.dataset_id:
        raise _broken_envelope(f"Payload header has a wrong datasetId [{dataset_id}]")
    schema_id = _part(header, "schemaRef").get("id")
    if schema_id != route.schema_id:
        raise _broken_envelope(f"Payload header has a wrong schemaRef [{schema_id}]")
    if "xdmEntity" not in body:
        raise Failed({"_validationErrors": [{"message": MISSING_ENTITY}]}, MISSING_ENTITY)
    return body["xdmEntity"]


def _unwrapped(parsed: Any) -> tuple[Any, How | None]:
    """A raw record out of the envelope of an upsert, and what that says shall be done with it."""
    header, body = _part(parsed, "header"), _part(parsed, "body")
    is_envelope = isinstance(parsed, dict) and set(parsed) == {"header", "body"}
    if not is_envelope or not {"flowId", "operations"} & set(header):
        return parsed, None
    wanted = _part(header, "operations").get("data")
    return body, "delete" if wanted == "delete" else "merge" if wanted == "merge" else "create"


def _part(whole: Any, name: str) -> dict[str, Any]:
    part = whole.get(name) if isinstance(whole, dict) else None
    return part if isinstance(part, dict) else {}


def _broken_envelope(message: str) -> Failed:
    return Failed({"_errors": {"_streamingValidation": [{"message": message}]}}, message)


def _code(error: Mapping[str, Any]) -> str:
    """The code under which Catalog counts it: a required field is missing, or anything else."""
    return "INGEST-1555-400" if error.get("keyword") == "required" else "INGEST-1212-400"


def _row(route: Route, arrived: Arrived, batch_id: str, entity: bytes) -> bytes:
    head = {
        "xactionId": arrived.xaction_id,
        "receivedTimeMs": arrived.received_ms,
        "flowId": route.flow_id,
        "batchId": batch_id,
    }
    return b'%b,"entity":%b}\n' % (orjson.dumps(head)[:-1], entity)


def _failed(
    route: Route, arrived: Arrived, batch_id: str, parsed: Any, entity: Any, failure: Failed
) -> bytes:
    """The line about a failure: the record as sent, and the XDM message that is exported."""
    head = {
        "xactionId": arrived.xaction_id,
        "receivedTimeMs": arrived.received_ms,
        "flowId": route.flow_id,
        "datasetId": route.dataset_id,
        "batchId": batch_id,
        "message": failure.message,
    }
    message = _xdm_message(route, arrived, parsed, entity)
    return b'%b,"record":%b,"failed":%b}\n' % (
        orjson.dumps(head)[:-1],
        arrived.record,
        dumped(failure.errors | message),
    )


def _xdm_message(route: Route, arrived: Arrived, parsed: Any, entity: Any) -> dict[str, Any]:
    """The message that was sent to an XDM inlet, or the one that a raw record has become."""
    if route.is_xdm and isinstance(parsed, dict):
        return parsed | {"header": _part(parsed, "header") | {"xactionId": arrived.xaction_id}}
    version = f"application/vnd.adobe.xed-full+json;version={route.schema_version}"
    schema_ref = {"id": route.schema_id, "contentType": version}
    header = {
        "schemaRef": schema_ref,
        "datasetId": route.dataset_id,
        "flowId": route.flow_id,
        "source": {"name": route.source},
        "xactionId": arrived.xaction_id,
        "createdAt": str(arrived.received_ms),
    }
    return {
        "header": header,
        "body": {"xdmMeta": {"schemaRef": schema_ref}, "xdmEntity": entity},
    }
