"""Which records were refused last, and which accepted? Of neither is the record itself told."""

from collections.abc import Iterator, Sequence
from typing import Any

from agent.app.pipeline import Pipeline
from agent.record import DeadLetter, Receipt
from agent.store.dead_letters import message_shape

_SHOWN = 10
_MESSAGE_LONGEST = 300

Json = dict[str, Any]


def last_dead_letters(flows: Sequence[Pipeline]) -> list[Json]:
    """The newest first; of those that are alike only the last, with how many there were lately."""
    newest = sorted(
        ((letter, each) for each in flows for letter in _of_every_reason(each)),
        key=lambda found: -found[0].last_at,
    )
    alike: dict[tuple[str, str, str, str], Json] = {}
    for letter, flow in newest:
        shape = _shape(letter.message)
        key = (flow.name, letter.reason, letter.stage, shape)
        if key in alike:
            alike[key]["count"] += 1
        else:
            alike[key] = _dead_letter(letter, flow, shape)
    return list(alike.values())[:_SHOWN]


def _of_every_reason(flow: Pipeline) -> Iterator[DeadLetter]:
    for letters in flow.settler.totals.last_dead_letters.values():
        yield from letters


def _dead_letter(letter: DeadLetter, flow: Pipeline, shape: str) -> Json:
    return {
        **({"flow": flow.name} if flow.name else {}),
        "reason": letter.reason,
        "of_reason": flow.settler.totals.dead_lettered[letter.reason],
        "stage": letter.stage,
        "status": letter.status,
        "message": shape,
        "count": 1,
        "at": round(letter.last_at, 3),
        "source": letter.source,
        "line": letter.position.line,
        "bytes": letter.length,
        "attempts": letter.attempts,
    }


def _shape(message: str) -> str:
    """What was said of a record, without what may be of the record: numbers, ids, addresses."""
    words = message_shape(message)[:_MESSAGE_LONGEST].split(" ")
    return " ".join("#" if "@" in word else word for word in words)


def last_receipts(flows: Sequence[Pipeline]) -> list[Json]:
    """The newest first."""
    newest = sorted(
        ((receipt, each.name) for each in flows for receipt in each.settler.totals.last_receipts),
        key=lambda found: -found[0].accepted_at,
    )
    return [_receipt(receipt, flow) for receipt, flow in newest[:_SHOWN]]


def _receipt(receipt: Receipt, flow: str) -> Json:
    received = receipt.received_time_ms
    span = receipt.spans[0] if receipt.spans else None
    return {
        **({"flow": flow} if flow else {}),
        "at": round(receipt.accepted_at, 3),
        "received_at": received / 1000 if received is not None else None,
        "records": receipt.count,
        "batch_id": receipt.batch_id,
        "first_xaction_id": next(iter(receipt.ids), None),
        "attempts": receipt.attempts,
        "source": span.source if span else None,
        "line": span.line if span else None,
    }
