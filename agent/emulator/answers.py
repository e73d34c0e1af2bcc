"""What does the platform answer: in both dialects of the 207, and as problem JSON?

Shapes follow the service's documentation and recorded traffic, including what looks like a
mistake there: the status of a 401 body is a string.
"""

import itertools
import random
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import orjson

from agent.emulator.faults import Refusal, Shape
from agent.emulator.options import Dialect
from agent.emulator.xdm import UNKNOWN_FORMAT

JSON = "application/json"
_PROBLEM = "http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet"
_AUTHORIZATION = "https://ns.adobe.com/adobecloud/problem/data-collection-service-authorization"
_INVALID = "Invalid XDM Message Format"
_sequence = itertools.count(1)

Item = dict[str, Any]


@dataclass(slots=True)
class Answer:
    """An HTTP answer, ready to be sent."""

    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Inlet:
    """What answers repeat about the inlet."""

    id: str
    ims_org_id: str

    def says(self, message: str) -> str:
        """A message with the prefix that the documented dialect puts before its own."""
        return f"inletId: [{self.id}] imsOrgId: [{self.ims_org_id}] {message}"

    def words(self, refusal: Refusal, dialect: Dialect) -> Refusal:
        """A refusal in the words of a dialect."""
        if refusal.verbatim or dialect == "observed":
            return refusal
        return replace(refusal, message=self.says(refusal.message), verbatim=True)


@dataclass(slots=True)
class Verdicts:
    """The verdict on each record of a request: its id, and its refusal where it has one.

    `ids[i]` belongs to record i and is written in `dialects[i]`.
    """

    batch_id: str
    received_ms: int
    ids: list[str]
    dialects: list[Dialect]
    refusals: dict[int, Refusal]


def now_ms() -> int:
    """The platform's clock: milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def transaction_id(received_ms: int) -> str:
    """A fresh id of the form ms:int:int."""
    number = next(_sequence)
    return f"{received_ms}:{number}:{number % 251}"


def batch_verdicts(
    inlet: Inlet,
    count: int,
    refusals: Mapping[int, Refusal],
    dialect: Dialect,
    shape: Shape,
    chance: random.Random,
) -> Verdicts:
    """Ids for `count` records received now, in `dialect` or as the faults want them."""
    received_ms = now_ms()
    wanted = shape.dialect or dialect
    batch_id, separator = transaction_id(received_ms), ":"
    if wanted == "observed":
        batch_id, separator = str(uuid.uuid4()), "-"
    ids = [f"{batch_id}{separator}{index}" for index in range(count)]
    if shape.ids == "opaque":
        ids = [f"{chance.getrandbits(128):032x}" for _ in range(count)]
    dialects: list[Dialect] = [wanted if wanted != "mixed" else "observed"] * count
    if wanted == "mixed":
        dialects = [chance.choice(("documented", "observed")) for _ in range(count)]
    worded = {
        index: inlet.words(refusal, dialects[index])
        for index, refusal in refusals.items()
        if index < count
    }
    return Verdicts(batch_id, received_ms, ids, dialects, worded)


def batch_answer(inlet: Inlet, verdicts: Verdicts, shape: Shape, chance: random.Random) -> Answer:
    """The 207: an item for each record in the order of the request, then bent by the faults."""
    items = [
        {"xactionId": id_} if index not in verdicts.refusals else failed_item(verdicts, index)
        for index, id_ in enumerate(verdicts.ids)
    ]
    if shape != Shape():
        items = _bent(items, verdicts, shape, chance)
    body = {
        shape.inlet_id_spelling or "inletId": inlet.id,
        "batchId": verdicts.batch_id,
        "receivedTimeMs": _received(verdicts.received_ms, shape),
        "responses": items,
    }
    return Answer(207, orjson.dumps(body))


def failed_item(verdicts: Verdicts, index: int) -> Item:
    """The item of a refused record: without an id as documented, with one as observed."""
    refusal = verdicts.refusals[index]
    if verdicts.dialects[index] == "documented":
        return {"statusCode": refusal.status, "message": refusal.message}
    return {
        "xactionId": verdicts.ids[index],
        "status": refusal.status,
        "message": refusal.message,
    }


def single_answer(
    inlet: Inlet, xaction_id: str, received_ms: int, flow_id: str | None, shape: Shape
) -> Answer:
    """The 200 to one accepted record; only raw inlets name the flow."""
    body: Item = {
        shape.inlet_id_spelling or "inletId": inlet.id,
        "xactionId": xaction_id,
        "receivedTimeMs": _received(received_ms, shape),
    }
    if flow_id is not None:
        body["flowId"] = flow_id
    if shape.strip_ids in ("accepted", "all"):
        del body["xactionId"]
    return Answer(200, orjson.dumps(body))


def with_sync_validation(answer: Answer) -> Answer:
    """The 200 to a record that was validated before it was accepted."""
    body = orjson.loads(answer.body) | {"syncValidation": {"status": "pass"}}
    return Answer(answer.status, orjson.dumps(body))


def problem(status: int, message: str, title: str = _INVALID) -> Answer:
    """Problem JSON as the inlet words it."""
    body = {"type": _PROBLEM, "status": status, "title": title, "report": {"message": message}}
    return Answer(status, orjson.dumps(body), "application/problem+json")


def message_of(answer: Answer) -> str:
    """What a problem JSON says."""
    return str(orjson.loads(answer.body)["report"]["message"])


def sync_validation_failed(inlet: Inlet, causes: list[dict[str, Any]]) -> Answer:
    """The 400 of a synchronous validation that failed."""
    report = {
        "message": inlet.says("Message is invalid"),
        "cause": {"_streamingValidation": causes},
    }
    body = {"type": _PROBLEM, "status": 400, "title": _INVALID, "report": report}
    return Answer(400, orjson.dumps(body), "application/problem+json")


def unauthorized(inlet: Inlet, message: str) -> Answer:
    """The 401 of an authenticated inlet."""
    body = {
        "type": _AUTHORIZATION,
        "status": "401",
        "title": "Authorization",
        "report": {"message": f"[{inlet.id}] {message}"},
    }
    return Answer(401, orjson.dumps(body), "application/problem+json")


def _received(received_ms: int, shape: Shape) -> int | str:
    return str(received_ms) if shape.received_time_ms == "string" else received_ms


def _bent(items: list[Item], verdicts: Verdicts, shape: Shape, chance: random.Random) -> list[Item]:
    if shape.strip_ids:
        items = [_stripped(item, shape.strip_ids) for item in items]
    if shape.drop_items:
        items = _dropped(items, shape.drop_items, chance)
    if shape.add_items:
        items = items + _added(items, verdicts, shape.add_items, chance)
    if shape.shuffle_items:
        chance.shuffle(items)
    return items


def _stripped(item: Item, which: Literal["accepted", "rejected", "all"]) -> Item:
    failed = "message" in item
    if which == "all" or (which == "rejected") == failed:
        return {key: value for key, value in item.items() if key != "xactionId"}
    return item


def _dropped(items: list[Item], how_many: int | float, chance: random.Random) -> list[Item]:
    if isinstance(how_many, float):
        return [item for item in items if chance.random() >= how_many]
    gone = set(chance.sample(range(len(items)), min(how_many, len(items))))
    return [item for index, item in enumerate(items) if index not in gone]


def _added(
    items: list[Item], verdicts: Verdicts, how_many: int, chance: random.Random
) -> list[Item]:
    """Items too many, of three kinds by turns: a double, one of no record, a failure without id."""
    separator = "-" if "-" in verdicts.batch_id else ":"
    beyond = len(verdicts.ids)
    added: list[Item] = []
    for number in range(how_many):
        if number % 3 == 0 and items:
            added.append(chance.choice(items))
        elif number % 3 == 2:
            added.append({"statusCode": 400, "message": UNKNOWN_FORMAT})
        else:
            added.append({"xactionId": f"{verdicts.batch_id}{separator}{beyond + number}"})
    return added
