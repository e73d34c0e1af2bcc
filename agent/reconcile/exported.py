"""What does the platform export of a record that did not land: which one was it, and why?

It is the XDM message, with `_validationErrors` where the entity breaks its schema, or `_errors`
where something else is wrong. [platform facts 4.3]
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson

_LONGEST_REASON = 2000  # characters


_members = msgspec.json.Decoder(dict[str, msgspec.Raw])  # whose values keep their bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """One exported record. `entity` are the bytes of what would have landed, where it holds any."""

    line: bytes
    xaction_id: str | None
    reason: str
    entity: bytes | None


def failure(line: bytes) -> Failure:
    """What an exported line says; also of one that is damaged, which has no reason of its own."""
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict):
        return Failure(line, None, "the platform exports it, but no JSON object", None)
    header = found.get("header")
    id = header.get("xactionId") if isinstance(header, dict) else found.get("xactionId")
    reason = "; ".join(dict.fromkeys(_reasons(found)))[:_LONGEST_REASON]
    return Failure(
        line,
        id if isinstance(id, str) and id else None,
        reason or "the platform does not say why",
        _entity(line),
    )


def _reasons(found: dict[str, Any]) -> Iterator[str]:
    for member in ("_validationErrors", "_errors"):
        yield from _leaves(found.get(member))


def _leaves(said: Any) -> Iterator[str]:
    """The messages in nested causes, each with its place."""
    if isinstance(said, list):
        for each in said:
            yield from _leaves(each)
        return
    if not isinstance(said, dict):
        return
    if causes := said.get("causingExceptions"):
        yield from _leaves(causes)
    elif isinstance(said.get("message"), str):
        places = (said.get(key) for key in ("keyword", "pointerToViolation"))
        where = " ".join(str(each) for each in places if each)
        yield f"{where}: {said['message']}" if where else said["message"]
    else:
        for inner in said.values():
            yield from _leaves(inner)


def _entity(line: bytes) -> bytes | None:
    """The bytes of the entity in a message."""
    found: bytes | None = line
    for name in ("body", "xdmEntity"):
        try:
            value = _members.decode(found or b"").get(name)
        except (msgspec.DecodeError, RecursionError):
            return None
        found = None if value is None else bytes(value)
    return found if found is not None and found.startswith(b"{") else None
