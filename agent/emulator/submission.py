"""What did a client submit, and is it fit to be accepted on its face?

Checks go from the outside in: the inlet, the credentials, the form of the body, the flow, and then
each record by itself.
"""

from dataclasses import dataclass, field

from aiohttp import web

from agent.emulator import answers, bodies, messages, xdm
from agent.emulator.answers import Answer, Inlet
from agent.emulator.faults import Refusal
from agent.emulator.inlets import KnownInlet
from agent.emulator.options import EmulatorOptions
from agent.emulator.state import State

FLOW_HEADER = "x-adobe-flow-id"
_UNKNOWN_FLOW = "The 'x-adobe-flow-id' value [{}] is unknown to this inlet."
_MISSING_FLOW = (
    "The 'x-adobe-flow-id' header is mandatory. "
    "Provide a valid 'x-adobe-flow-id' value and try again."
)


class Refused(Exception):
    """The request as a whole is refused; `spoiled` is its one record, where it had just one."""

    def __init__(self, answer: Answer, spoiled: bytes | None = None) -> None:
        super().__init__(answer.status)
        self.answer = answer
        self.spoiled = spoiled


@dataclass(slots=True)
class Submission:
    """The raw records of a request, their flows, and the refusals that are certain already.

    `refused` is set where no record can be accepted; `records` may then hold the bare body.
    """

    encoding: str
    records: list[bytes] = field(default_factory=list)
    flow_ids: list[str] = field(default_factory=list)
    refusals: dict[int, Refusal] = field(default_factory=dict)
    is_xdm: bool = False
    validate: bool = False
    refused: Refused | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A request's body as sent and as text; `refused` says why there is no text."""

    wire: bytes
    text: bytes | None
    encoding: str
    refused: Refused | None = None


async def read_body(request: web.Request, options: EmulatorOptions) -> Body:
    """Read the whole body first, so that every refusal finds a client that listens."""
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    limit = options.max_request_bytes
    wire = b""
    try:
        allowed = bodies.wire_limit(limit) if encoding == "gzip" else limit
        wire = await bodies.read_wire(request, allowed)
        if encoding == "gzip" and options.gzip:
            return Body(wire, bodies.gunzip(wire, limit), encoding)
    except bodies.TooLarge:
        message = f"The request is larger than {limit} bytes."
        return Body(wire, None, encoding, _refused(413, message, "Payload Too Large"))
    except bodies.BadGzip as error:
        return Body(wire, None, encoding, _refused(400, str(error)))
    if encoding != "identity":
        message = f"The Content-Encoding [{encoding}] is not supported."
        return Body(wire, None, encoding, _refused(415, message, "Unsupported Media Type"))
    return Body(wire, wire, encoding)


def submitted(
    request: web.Request, path: str, body: Body, state: State, inlet: Inlet
) -> Submission:
    """Split a body into records and judge them. `path` is single or batch."""
    submission = Submission(body.encoding, [body.wire if body.text is None else body.text])
    submission.validate = request.query.get("syncValidation", "").lower() == "true"
    try:
        kept_out = state.admission.objection(
            inlet, request.remote, validate=submission.validate and path == "single"
        )
        if kept_out is not None:
            raise Refused(kept_out)
        known = _admitted(request, state, inlet)
        if body.text is None:
            raise body.refused or _refused(400, "the body cannot be read")
        if path == "batch" and submission.validate:
            raise _refused(400, inlet.says("syncValidation is not supported for batches"))
        flow_id = _flow_id(request, known, inlet)
        submission.records = _records(path, body.text)
    except Refused as refused:
        submission.refused = refused
        return submission
    submission.is_xdm = known.is_xdm
    if known.is_xdm:
        _judge_xdm(submission, flow_id, known, state.options.ims_org_id)
    else:
        _judge_raw(submission, flow_id or "")
    return submission


def _admitted(request: web.Request, state: State, inlet: Inlet) -> KnownInlet:
    known = state.inlets.find(inlet.id)
    if known is None:
        raise _refused(404, f"inletId: [{inlet.id}] is unknown", "Not Found")
    if known.authenticated:
        given = request.headers.get("Authorization", "").strip()
        if objection := state.issued.objection(given):
            raise Refused(answers.unauthorized(inlet, objection))
    if request.content_type != "application/json":
        message = f"The Content-Type [{request.content_type}] is not supported."
        raise _refused(415, message, "Unsupported Media Type")
    return known


def _flow_id(request: web.Request, known: KnownInlet, inlet: Inlet) -> str | None:
    flow_id = request.headers.get(FLOW_HEADER) or request.query.get(FLOW_HEADER)
    if flow_id is None and not known.is_xdm:
        raise _refused(400, inlet.says(_MISSING_FLOW))
    if flow_id is not None and flow_id not in known.flow_ids:
        raise _refused(400, inlet.says(_UNKNOWN_FLOW.format(flow_id)))
    return flow_id


def _records(path: str, text: bytes) -> list[bytes]:
    try:
        if path == "batch":
            return messages.batch_records(text)
        return [messages.single_record(text)]
    except messages.BadBody as error:
        refused = _refused(400, str(error))
        refused.spoiled = text if path == "single" else None
        raise refused from None


def _judge_raw(submission: Submission, flow_id: str) -> None:
    records = submission.records
    submission.flow_ids = [flow_id] * len(records)
    submission.refusals = {
        index: Refusal(400, xdm.UNKNOWN_FORMAT)
        for index, record in enumerate(records)
        if not messages.is_object(record)
    }


def _judge_xdm(
    submission: Submission, flow_id: str | None, known: KnownInlet, ims_org_id: str | None
) -> None:
    for index, record in enumerate(submission.records):
        named = flow_id
        try:
            named = xdm.flow_of(record, ims_org_id) or flow_id
            if named is None:
                raise xdm.mandatory("header.flowId")
            if named not in known.flow_ids:
                raise xdm.BadEnvelope(f"The 'header.flowId' value [{named}] is unknown.")
        except xdm.BadEnvelope as error:
            submission.refusals[index] = Refusal(400, str(error))
        submission.flow_ids.append(named or "")


def _refused(status: int, message: str, title: str = "Invalid request") -> Refused:
    return Refused(answers.problem(status, message, title))
