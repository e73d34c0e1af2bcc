"""What one answer of the inlet means for each record of the request.

The verdict is per record: no status speaks for all of them but a refusal of the request as such.
A record counts as accepted only where the platform gave it an xactionId; what is not certain is
to be tried again, and never taken for accepted or rejected.

Sources: Adobe's streaming ingestion API; the two dialects of its 207 are the documented one
(`statusCode`, ids `<batchId>:<index>`, none on failures) and the observed one (`status`, ids
`<uuid>-<index>` on failures too).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import orjson

from agent.core.alignment import align
from agent.core.items import (
    STATUS_KEYS,
    Item,
    Outcome,
    ids_of,
    index_of,
    integer,
    message_of,
    milliseconds,
    read_item,
    read_items,
    text,
)
from agent.core.statuses import Advice, advice_of
from agent.record import XactionIds

NO_IDS = XactionIds()

_ERROR_KEYS = ("error", "errors", "error_code", "errorMessage", "errorCode")


@dataclass(frozen=True, slots=True)
class Rejection:
    """The platform will not take this record: it would refuse the same input every time."""

    index: int
    status: int
    message: str
    xaction_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, read. Every index of the request is in exactly one of the three lists."""

    advice: Advice
    accepted: Sequence[int] = ()
    rejected: Sequence[Rejection] = ()
    again: Sequence[int] = ()
    ids: XactionIds = NO_IDS  # one for each of `accepted`, in its order
    batch_id: str | None = None
    received_time_ms: int | None = None
    detail: str = ""  # for the log: never words that may quote a record


def read(status: int, body: bytes, count: int) -> Reading:
    """What an answer with this status and body means for the *count* records of its request."""
    advice = advice_of(status)
    if advice is Advice.SETTLE:
        return _all_accepted(body, count) or _read_success(status, body, count)
    answer = _parsed(body)
    message = message_of(answer) or _first_words(body) or f"status {status} without a message"
    if count == 1 and advice in (Advice.SUSPECT, Advice.TOO_LARGE):
        rejection = Rejection(0, status, message, text(answer.get("xactionId")))
        return Reading(Advice.SETTLE, rejected=(rejection,))
    about_us = advice in (Advice.UNAUTHORIZED, Advice.THROTTLED, Advice.MISDIRECTED)
    detail = message_of(answer) if about_us else ""
    return Reading(advice, again=range(count), detail=detail or kind_of(body))


class _Id(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    xactionId: str  # noqa: N815  # the platform's spelling


class _Answer(msgspec.Struct, gc=False):
    batchId: str  # noqa: N815
    responses: list[_Id]
    receivedTimeMs: int | str | None = None  # noqa: N815


_decode_all_accepted = msgspec.json.Decoder(_Answer).decode
_ID = re.compile(rb'"xactionId"\s*:\s*"([^"\\]+)"')
_numbers: list[bytes] = []  # as text, 0 first; grown as far as they were ever needed


def _all_accepted(body: bytes, count: int) -> Reading | None:
    """The common case, in a few C calls: nothing but ids, numbered as the records are."""
    shortened = _first_two(body, count)
    try:
        answer = _decode_all_accepted(shortened or body)
    except msgspec.DecodeError:
        return None
    ids = [item.xactionId for item in answer.responses]
    if len(ids) != (2 if shortened else count) or index_of(ids[0], answer.batchId) != 0:
        return None
    prefix = ids[0][:-1]
    if any(given != f"{prefix}{number}" for number, given in enumerate(ids)):
        return None
    return Reading(
        Advice.SETTLE,
        accepted=range(count),
        ids=XactionIds(prefix, (range(count),)),
        batch_id=answer.batchId,
        received_time_ms=milliseconds(answer.receivedTimeMs),
    )


def _first_two(body: bytes, count: int) -> bytes | None:
    """The answer with only two of its items, where all are alike but for their numbers.

    What stands between the numbers of the first two must stand between all of them. Then, if the
    short answer is two whole items, so is every further repetition another whole item.
    """
    first = _ID.search(body)
    second = _ID.search(body, first.end()) if first else None
    if not first or not second:
        return None
    zero, one = first.end(1) - 1, second.end(1) - 1
    between = body[zero + 1 : one]
    while len(_numbers) < count:
        _numbers.append(b"%d" % len(_numbers))
    numbered = between.join(_numbers[:count])
    if not body.startswith(numbered, zero):
        return None
    return b"".join((body[:zero], b"0", between, b"1", body[zero + len(numbered) :]))


def _read_success(status: int, body: bytes, count: int) -> Reading:
    """A 2xx, which says nothing yet: only its items do."""
    answer = _parsed(body)
    items = answer.get("responses")
    batch_id = text(answer.get("batchId"))
    if isinstance(items, list) and answer.get("positional") is True and len(items) == count:
        # another agent, in front of the inlet: the numbers in its ids are from its own requests
        verdicts: list[Item | None] = [read_item(value, None) for value in items]
    elif isinstance(items, list):
        verdicts = align(read_items(items, batch_id, count), count)
    elif count == 1 and not _is_error(answer):
        verdicts = [read_item(answer, None)]
    else:
        verdicts = [None] * count
    accepted = [i for i, item in enumerate(verdicts) if item and item.outcome is Outcome.ACCEPTED]
    rejected = [
        Rejection(index, item.status or status, item.message, item.xaction_id)
        for index, item in enumerate(verdicts)
        if item and item.outcome is Outcome.REJECTED
    ]
    settled = {*accepted, *(rejection.index for rejection in rejected)}
    again = [index for index in range(count) if index not in settled]
    nothing = not settled
    return Reading(
        Advice.RETRY if nothing else Advice.SETTLE,
        accepted,
        rejected,
        again,
        ids_of([item for item in verdicts if item and item.outcome is Outcome.ACCEPTED]),
        batch_id,
        milliseconds(answer.get("receivedTimeMs")),
        kind_of(body) if nothing else "",
    )


def _parsed(body: bytes) -> dict[str, object]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _is_error(answer: dict[str, object]) -> bool:
    """Whether a body of one message tells of an error, whatever its status line says."""
    if any((integer(answer.get(key)) or 0) >= 300 for key in STATUS_KEYS):
        return True
    return any(answer.get(key) for key in _ERROR_KEYS)


def kind_of(body: bytes) -> str:
    """What sort of body that is, for whoever may not see it: it may quote the records it got."""
    start = body[:256].lstrip().lower()
    if not start:
        return "an empty body"
    sort = "HTML" if start.startswith((b"<!doctype html", b"<html")) else "other text"
    if start[:1] in (b"{", b"["):
        sort = "JSON"
    return f"{len(body)} bytes of {sort}"


def _first_words(body: bytes) -> str:
    """The start of a body that is no JSON object, as far as it is fit to be shown."""
    text = body[:400].decode("utf-8", "replace")
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:200]
