"""Which raw records does a request body hold?

Their bytes are never re-written: what a record was on the wire is what is kept of it.
"""

import json
from collections.abc import Sequence

import msgspec

from agent.emulator import grammar


class BadBody(ValueError):
    """The body is not what the endpoint takes; the message says why."""


class _Batch(msgspec.Struct):
    messages: list[msgspec.Raw]


class _Object(msgspec.Struct):
    pass


_batch = msgspec.json.Decoder(_Batch)
_object = msgspec.json.Decoder(_Object)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw])


def batch_records(body: bytes) -> list[bytes]:
    """The raw elements of `{"messages": [...]}`, in order, whatever JSON values they are.

    Raises BadBody where the body is not UTF-8, not JSON, or `messages` is not an array.
    """
    _require_utf8(body)
    try:
        return [bytes(record) for record in _batch.decode(body).messages]
    except msgspec.ValidationError as error:
        _require_json(body)
        raise BadBody(f"the body must be an object with an array 'messages': {error}") from None
    except (msgspec.DecodeError, RecursionError):
        return _batch_records_slowly(body)


def single_record(body: bytes) -> bytes:
    """The body without the blanks round it. Raises BadBody where it is not UTF-8 or not JSON."""
    _require_utf8(body)
    record = body.strip(b" \t\n\r")
    try:
        _object.decode(record)
    except (msgspec.DecodeError, RecursionError):
        _require_json(record)
    return record


def is_object(record: bytes) -> bool:
    """Whether a raw JSON value is an object."""
    return record.startswith(b"{")


def object_members(record: bytes) -> dict[str, bytes] | None:
    """The raw values of a legal JSON object by key (the last of equal keys), None if no object."""
    if not is_object(record):
        return None
    try:
        return {key: bytes(value) for key, value in _members.decode(record).items()}
    except (msgspec.DecodeError, RecursionError):
        return {json.loads(key): value for key, value in grammar.members(record)}


def event_ids(records: Sequence[bytes], path: Sequence[str]) -> list[bytes]:
    """The raw values of `_id` at *path* in the records that have one, spelled without escapes."""
    found = [_at(record, path) for record in records if b'"_id"' in record]
    return [value for value in found if value is not None]


def _at(record: bytes, path: Sequence[str]) -> bytes | None:
    value: bytes | None = record
    for key in path:
        members = object_members(value) if value is not None else None
        value = members.get(key) if members else None
    return value


def _batch_records_slowly(body: bytes) -> list[bytes]:
    members = object_members(_require_json(body)) or {}
    array = members.get("messages", b"")
    if not array.startswith(b"["):
        raise BadBody("the body must be an object with an array 'messages'")
    return grammar.elements(array)


def _require_json(text: bytes) -> bytes:
    try:
        return grammar.whole(text)
    except grammar.NotJson as error:
        raise BadBody(f"the body is not JSON: {error}") from None


def _require_utf8(body: bytes) -> None:
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise BadBody(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
