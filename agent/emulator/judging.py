"""What becomes of one accepted record: a row, or a failure, and a change of a profile?"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from agent.dataprep import Outcome
from agent.dataprep.records import Upsert
from agent.emulator.envelopes import BrokenMessage, opened, parsed, part
from agent.emulator.judges import Judge
from agent.emulator.profiles import Change
from agent.emulator.routing import Route
from agent.emulator.traps import Traps
from agent.xdm import report

_BROKEN = "INGEST-1211-400"
_INVALID = "INGEST-1212-400"
_MISSING = "INGEST-1555-400"


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


def fate(
    route: Route, judge: Judge, arrived: Arrived, landed_id: str, failed_id: str, traps: Traps
) -> Fate:
    """Judge one record of a route; the ids are those of the batches for what lands or fails."""
    try:
        return _judged(route, judge, arrived, landed_id, failed_id, traps)
    except BrokenMessage as broken:
        return _unreadable(route, arrived, failed_id, broken)
    except Exception as error:  # noqa: BLE001  one record is no reason to judge no other
        said = f"the emulator cannot judge this record: {type(error).__name__}: {error}"
        return _unreadable(route, arrived, failed_id, BrokenMessage(said))


def _judged(
    route: Route, judge: Judge, arrived: Arrived, landed_id: str, failed_id: str, traps: Traps
) -> Fate:
    message = parsed(arrived.record)
    record, upsert = opened(message, route)
    outcome = judge.judge(record)
    warnings = tuple(f"{each.destination}: {each.message}" for each in outcome.warnings)
    if outcome.violations:
        return _failed(route, arrived, failed_id, message, outcome, warnings)
    entity = outcome.entity or {}
    made = Fate(warnings=warnings)
    text = dumped(entity)
    if upsert is None or not (route.upsert or upsert == "delete"):
        made.row = _row(route, arrived, landed_id, text)
    if route.profile:
        _tell_profile(made, judge, entity, upsert, len(text), traps)
    return made


def objections(route: Route, judge: Judge, record: bytes) -> list[dict[str, Any]]:
    """What synchronous validation says of a record; nothing where it would land."""
    try:
        outcome = judge.judge(opened(parsed(record), route)[0])
    except BrokenMessage as broken:
        return [{"message": broken.message}]
    return report(outcome.violations)


def dumped(content: Any) -> bytes:
    """JSON, also of long integers and deep nesting; of half a surrogate pair a question mark."""
    try:
        return orjson.dumps(content)
    except TypeError:
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def now_ms() -> int:
    """The platform's clock: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _row(route: Route, arrived: Arrived, batch_id: str, entity: bytes) -> bytes:
    head = {
        "xactionId": arrived.xaction_id,
        "receivedTimeMs": arrived.received_ms,
        "flowId": route.flow_id,
        "batchId": batch_id,
    }
    return b'%b,"entity":%b}\n' % (orjson.dumps(head)[:-1], entity)


def _unreadable(route: Route, arrived: Arrived, batch_id: str, broken: BrokenMessage) -> Fate:
    try:
        exported = dumped(broken.errors | _exported(route, arrived, parsed(arrived.record), None))
    except (BrokenMessage, RecursionError):
        exported = dumped(broken.errors)
    line = _failure(route, arrived, batch_id, broken.message) + exported + b"}\n"
    return Fate(failed=line, message=broken.message, code=_BROKEN)


def _failed(
    route: Route,
    arrived: Arrived,
    batch_id: str,
    message: Any,
    outcome: Outcome,
    warnings: tuple[str, ...],
) -> Fate:
    errors = [each.as_json() for each in outcome.violations]
    first = str(errors[0]["message"])
    exported = _exported(route, arrived, message, outcome.mapped)
    line = _failure(route, arrived, batch_id, first)
    line += dumped({"_validationErrors": errors} | exported) + b"}\n"
    code = _MISSING if errors[0]["keyword"] == "required" else _INVALID
    return Fate(failed=line, message=first, code=code, warnings=warnings)


def _failure(route: Route, arrived: Arrived, batch_id: str, message: str) -> bytes:
    """The line about a failure, up to the value of its last member."""
    head = {
        "xactionId": arrived.xaction_id,
        "receivedTimeMs": arrived.received_ms,
        "flowId": route.flow_id,
        "datasetId": route.dataset_id,
        "batchId": batch_id,
        "message": message,
    }
    return b'%b,"record":%b,"failed":' % (orjson.dumps(head)[:-1], arrived.record)


def _exported(route: Route, arrived: Arrived, message: Any, entity: Any) -> dict[str, Any]:
    """The message that was sent to an XDM inlet, or the one that a raw record has become."""
    if route.is_xdm and isinstance(message, dict):
        return message | {"header": part(message, "header") | {"xactionId": arrived.xaction_id}}
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


def _tell_profile(
    made: Fate,
    judge: Judge,
    entity: Mapping[str, Any],
    upsert: Upsert | None,
    size: int,
    traps: Traps,
) -> None:
    identity = judge.identity_of(entity)
    if identity is None:
        return
    most = traps.event_bytes if judge.is_event else traps.profile_bytes
    made.too_long = 0 < most < size
    if not made.too_long:
        how = "event" if judge.is_event else upsert or "merge"
        made.change = Change(identity, dict(entity), how)
