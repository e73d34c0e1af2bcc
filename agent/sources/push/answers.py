"""What is a client answered? In our own words, or in the platform's where it speaks to an inlet.

An answer says how many records are safe or accepted, and names each that is neither. A client that
speaks to `/collection/` reads what the inlet would have said; what only the platform can give, an
xactionId, is left out where it has not given one.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import orjson

from agent.record import DeadLetter
from agent.store.outcomes import Awaited

JSON, PROBLEM = "application/json", "application/problem+json"
_MOST_NAMED = 1000  # records that one answer names
_PLATFORMS_DEAD = "platform"  # the stage of what the platform refused


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, ready to be sent. `retry_after` in seconds."""

    status: int
    body: bytes
    content_type: str = JSON
    retry_after: int | None = None


def problem(status: int, message: str, retry_after: int | None = None) -> Answer:
    """Why not, as problem JSON (RFC 9457), with a `report` as the platform's problems have one."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": message,
        "report": {"message": message},
    }
    return Answer(status, orjson.dumps(body) + b"\n", PROBLEM, retry_after)


class Plain:
    """The answers to those who push to the agent as such."""

    def durable(self, awaited: Awaited) -> Answer:
        """Everything is on disk, or settled already."""
        return _counted({"durable": _held(awaited)}, awaited)

    def accepted(self, awaited: Awaited) -> Answer:
        """The platform has given a verdict on every record."""
        ids = awaited.ids()
        listed = [ids.get(index) for index in range(awaited.count)]
        return _counted({"accepted": awaited.accepted, "xactionIds": listed}, awaited)

    def unanswered(self, awaited: Awaited) -> Answer:
        """Everything is durable, and the platform has not answered for all of it."""
        body = {
            "durable": _held(awaited),
            "accepted": awaited.accepted,
            "message": _NO_VERDICT,
        }
        return Answer(202, orjson.dumps(body) + b"\n")


@dataclass(frozen=True, slots=True)
class Collection:
    """The answers to those who speak to an inlet: with an item a record, or about the one."""

    inlet_id: str
    flow_id: str | None
    is_batch: bool

    def durable(self, awaited: Awaited) -> Answer:
        """Everything is on disk, or settled already: no ids yet, and none are made up."""
        return self._answer(207 if self.is_batch else 200, awaited)

    def accepted(self, awaited: Awaited) -> Answer:
        """The platform has given a verdict on every record."""
        if self.is_batch:
            return self._answer(207, awaited)
        if letter := awaited.letters.get(0):
            return problem(letter.status or 400, letter.message)
        return self._answer(200, awaited)

    def unanswered(self, awaited: Awaited) -> Answer:
        """Everything is durable, and the platform has not answered for all of it."""
        return self._answer(202, awaited)

    def _answer(self, status: int, awaited: Awaited) -> Answer:
        receipt, ids = awaited.receipt, awaited.ids()
        received = receipt.received_time_ms if receipt else None
        body: dict[str, object] = {"inletId": self.inlet_id}
        if self.is_batch and receipt and receipt.batch_id:
            body["batchId"] = receipt.batch_id
        if not self.is_batch and ids:
            body["xactionId"] = ids[0]
        body["receivedTimeMs"] = received or time.time_ns() // 1_000_000
        if self.is_batch:
            body["positional"] = (
                True  # ids are numbered as the agent's requests were, not as this one
            )
            body["responses"] = [_item(awaited, ids, index) for index in range(awaited.count)]
        elif self.flow_id:
            body["flowId"] = self.flow_id
        return Answer(status, orjson.dumps(body) + b"\n")


def _item(awaited: Awaited, ids: Mapping[int, str], index: int) -> Mapping[str, object]:
    """What became of one record, readable in both dialects of the platform."""
    if xaction_id := ids.get(index):
        return {"xactionId": xaction_id}
    letter = awaited.letters.get(index)
    if letter is None:
        return _LEFT_OUT if index in awaited.filtered else _NOT_YET
    status = letter.status or 400
    item: dict[str, object] = {"xactionId": letter.xaction_id} if letter.xaction_id else {}
    return item | {"statusCode": status, "status": status, "message": letter.message}


_NOT_YET = {"statusCode": 202, "status": 202}
_LEFT_OUT = {"statusCode": 200, "status": 200, "message": "left out, as the agent's filters say"}
_NO_VERDICT = (
    "on disk, and sent as soon as possible: the platform has not answered for all of it yet, and"
    " sending it again would make duplicates"
)


def _held(awaited: Awaited) -> int:
    """Records that are neither dead letters nor left out."""
    return awaited.records - len(awaited.letters) - len(awaited.filtered)


def _counted(counts: Mapping[str, object], awaited: Awaited) -> Answer:
    letters = awaited.letters
    if awaited.filtered:
        counts = {**counts, "filtered": len(awaited.filtered)}
    if not letters:
        return Answer(200, orjson.dumps(counts) + b"\n")
    named = sorted(letters)[:_MOST_NAMED]
    body = {
        **counts,
        "dead_lettered": len(letters),
        "records": [_named(index, letters[index]) for index in named],
    }
    # Not 207: some shippers take that for a failure, and would push all of it again, for ever.
    return Answer(200, orjson.dumps(body) + b"\n")


def _named(index: int, letter: DeadLetter) -> Mapping[str, object]:
    told: dict[str, object] = {"index": index, "reason": letter.reason, "message": letter.message}
    if letter.stage == _PLATFORMS_DEAD:
        told |= {"status": letter.status, "xactionId": letter.xaction_id}
    return told
