"""What one item of an answer says of one record, and how the platform spells it.

Both generations of the platform's 207 are read: `status` or `statusCode`, as number or text, ids
that end in `:<index>` or `-<index>`, or that end in no index at all.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import orjson

from agent.core.statuses import Advice, advice_of
from agent.record import XactionIds

STATUS_KEYS = ("status", "statusCode")  # documented is the second, seen is the first
MESSAGE_CHARS_MAX = 1024  # of the platform's own words that are kept


class Outcome(StrEnum):
    """What became of a record, as far as an item tells."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    AGAIN = "again"  # not certain, or not the record's fault


@dataclass(frozen=True, slots=True)
class Item:
    """One item of a 207, read by itself."""

    outcome: Outcome
    status: int | None
    message: str
    xaction_id: str | None
    index: int | None  # which record it says it is about


def read_items(values: Sequence[object], batch_id: str | None, count: int) -> list[Item]:
    """The items of an answer about *count* records; an index is kept only where it is certain.

    The ids of one answer are numbered in one series. Where there are several, or more items than
    records, some may be about another request: their numbers tell nothing, and they accept none.
    """
    items = [read_item(value, batch_id) for value in values]
    series = Counter(_series(item) for item in items if item.index is not None)
    own = _own_series(series, batch_id, surplus=len(items) - count)
    if own is None:
        return [replace(item, index=None) for item in items]
    return [item if _series(item) == own else _stranger(item) for item in items]


def _series(item: Item) -> str:
    """What the ids of one answer have in common: all but the number at their end."""
    return (item.xaction_id or "").rstrip("0123456789")


def _own_series(series: Counter[str], batch_id: str | None, surplus: int) -> str | None:
    """The series that names the batch, or else the largest, if it cannot all be surplus."""
    for named in (f"{batch_id}:", f"{batch_id}-"):
        if named in series:
            return named
    ranked = series.most_common(2)
    if not ranked or ranked[0][1] <= max(surplus, *(size for _, size in ranked[1:]), 0):
        return None
    return ranked[0][0]


def _stranger(item: Item) -> Item:
    accepts = item.outcome is Outcome.ACCEPTED
    return replace(item, index=None, outcome=Outcome.AGAIN if accepts else item.outcome)


def read_item(value: object, batch_id: str | None) -> Item:
    """One item of an answer, or the answer to a single record."""
    if not isinstance(value, dict):
        return Item(Outcome.AGAIN, None, "", None, None)
    xaction_id = text(value.get("xactionId"))
    index = index_of(xaction_id, batch_id) if xaction_id else None
    stated = {integer(value[key]) for key in STATUS_KEYS if value.get(key) is not None}
    status = next(iter(stated)) if len(stated) == 1 else None
    message = message_of(value) or f"status {status} without a message"
    if stated and status is None:  # unreadable, or one contradicts the other
        outcome = Outcome.AGAIN
    elif status is None or status < 300:
        outcome = Outcome.ACCEPTED if xaction_id else Outcome.AGAIN
    elif advice_of(status) in (Advice.SUSPECT, Advice.TOO_LARGE) or status == 404:
        # inside a 207 the address was right: 404 is about what the record refers to
        outcome = Outcome.REJECTED
    else:
        outcome = Outcome.AGAIN
    return Item(outcome, status, message, xaction_id, index)


_NUMBERED = re.compile(
    r"(?:\d+:\d+:\d+:"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}-"
    r")(\d{1,9})",
    re.ASCII,
)


def index_of(xaction_id: str, batch_id: str | None) -> int | None:
    """The index of the record that an id names; None where the id does not end in one.

    An id of one message, `<ms>:<int>:<int>`, ends in digits too: they are no index.
    """
    if batch_id and xaction_id.startswith((batch_id + ":", batch_id + "-")):
        digits = xaction_id[len(batch_id) + 1 :]
        if digits.isdecimal() and digits.isascii() and len(digits) < 10:
            return int(digits)
    numbered = _NUMBERED.fullmatch(xaction_id)
    return int(numbered[1]) if numbered else None


def ids_of(items: Sequence[Item]) -> XactionIds:
    """The ids of accepted items: as runs of numbers where they share a prefix."""
    ids = tuple(item.xaction_id or "" for item in items)
    if not ids or any(item.index is None for item in items):
        return XactionIds(listed=ids)
    prefix = ids[0].removesuffix(str(items[0].index))
    numbers = [item.index or 0 for item in items]
    if any(text != f"{prefix}{number}" for text, number in zip(ids, numbers, strict=True)):
        return XactionIds(listed=ids)
    runs: list[range] = []
    for number in numbers:
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return XactionIds(prefix, tuple(runs))


def message_of(answer: dict[str, object]) -> str:
    """The platform's words: of an item, a problem document, or the gateway in front of it."""
    report = answer.get("report")
    inner = report.get("message") if isinstance(report, dict) else None
    cause = report.get("cause") if isinstance(report, dict) else None
    for words in (answer.get("message"), inner, answer.get("errorMessage"), answer.get("detail")):
        if isinstance(words, str) and words:
            return (words + _compact(cause))[:MESSAGE_CHARS_MAX]
    title = answer.get("title") or answer.get("error_description") or answer.get("error")
    return title[:MESSAGE_CHARS_MAX] if isinstance(title, str) else ""


def _compact(cause: object) -> str:
    try:
        return f" {orjson.dumps(cause).decode()}" if cause else ""
    except orjson.JSONEncodeError:  # nested deeper than it writes, which is less than it reads
        return ""


def text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def integer(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 16:
        return int(value)
    return None


def milliseconds(value: object) -> int | None:
    number = integer(value)
    return number if number is not None and 0 <= number < 10**15 else None
