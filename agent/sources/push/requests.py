"""What does one request ask for, may it, and what is its body?

From the outside in, the cheap questions first: a request that is refused for its head is never
read. Nothing is handed on before all of the body has come: half a body is no records.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from agent.config.pushes import HttpSource
from agent.core import pushed
from agent.core.pushed import BadBody, Lines, TooMany, Unwrap
from agent.sources.push.answers import Collection, Plain
from agent.sources.push.decoding import Decode, decoder_of
from agent.sources.push.refusing import Refused, too_large
from agent.sources.push.room import Place

_FLOW_HEADER = "x-adobe-flow-id"
_COLLECTION, _BATCH = "/collection/", "/collection/batch/"
_JSON = {"application/json", "text/json"}
_LINES = {
    "application/jsonl",
    "application/jsonlines",
    "application/json-lines",
    "application/ndjson",
    "application/x-jsonlines",
    "application/x-ndjson",
    "text/x-ndjson",
}
# what says nothing of the sort: no Content-Type at all, and what curl --data sends
_ANYTHING = {"application/octet-stream", "application/x-www-form-urlencoded", "text/plain"}
_CHARSETS = {None, "utf-8", "utf8", "us-ascii"}


@dataclass(frozen=True, slots=True)
class Target:
    """Where the records go: who pushes as if to an inlet must mean this one."""

    inlet_id: str
    flow_id: str | None
    unwrap: Unwrap | None  # where records are put into XDM messages on their way


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request is, going by its head."""

    find: Callable[[bytes], Lines]
    decode: Decode | None
    answers: Plain | Collection

    def lines(self, body: bytes, place: Place, limit: int) -> Lines:
        """The values in the body, one a line, *limit* bytes at most. Raises Refused."""
        if self.decode:
            body = self.decode(body, limit)
            place.hold(len(body))
        try:
            lines = self.find(body)
        except TooMany as error:
            raise Refused(413, str(error)) from None
        except BadBody as error:
            raise Refused(400, str(error)) from None
        place.hold(len(lines.data))
        return lines


def asked(request: web.BaseRequest, settings: HttpSource, target: Target) -> Asked:
    """What the request is. Raises Refused where it is nothing that can be taken."""
    path = request.rel_url.raw_path
    is_collection = path.startswith(_COLLECTION)
    if not is_collection and path != settings.route:
        where = f"{settings.route}, {_COLLECTION}{{inletId}} or {_BATCH}{{inletId}}"
        raise Refused(404, f"nothing is here: push records to {where}")
    if request.method != "POST":
        raise Refused(405, f"{request.method[:20]} is not possible here: use POST")
    decode = decoder_of(request.headers.get("Content-Encoding", ""))
    if is_collection:
        return _to_collection(request, path, decode, target)
    return Asked(_by_type(request), decode, Plain())


def _to_collection(
    request: web.BaseRequest, path: str, decode: Decode | None, target: Target
) -> Asked:
    is_batch = path.startswith(_BATCH)
    inlet_id = path.removeprefix(_BATCH if is_batch else _COLLECTION)
    if inlet_id != target.inlet_id:
        # who knows the id of an inlet may write to it: it is not told
        raise Refused(404, "this agent sends to another inlet than the one in the path")
    flow_id = request.headers.get(_FLOW_HEADER) or request.query.get(_FLOW_HEADER)
    if flow_id and target.flow_id and flow_id != target.flow_id:
        raise Refused(400, f"this agent sends to another flow than the {_FLOW_HEADER} given")
    if _media_type(request) not in _JSON | _ANYTHING:
        raise Refused(415, "send application/json")
    if request.query.get("syncValidation", "").lower() == "true":
        raise Refused(501, "the agent does not validate: leave syncValidation out")
    find = pushed.messages if is_batch else pushed.single
    answers = Collection(target.inlet_id, target.flow_id, is_batch)
    return Asked(partial(find, unwrap=target.unwrap), decode, answers)


def _by_type(request: web.BaseRequest) -> Callable[[bytes], Lines]:
    media_type = _media_type(request)
    if media_type in _LINES:
        return pushed.ndjson
    if media_type in _JSON or media_type in _ANYTHING or media_type.endswith("+json"):
        return pushed.by_look
    raise Refused(
        415, f"Content-Type {media_type[:80]} is not taken; send application/json or x-ndjson"
    )


def _media_type(request: web.BaseRequest) -> str:
    charset = request.charset
    if charset is not None and charset.lower() not in _CHARSETS:
        raise Refused(415, "JSON is sent in UTF-8, whatever the charset says")
    return request.content_type


async def read(request: web.BaseRequest, place: Place, limit: int, timeout: float) -> bytes:
    """The whole body as it was sent, *limit* bytes at most, within *timeout* seconds.

    Raises Refused, and ConnectionError where the client has gone.
    """
    length = request.content_length
    if length is not None and length > limit:
        raise too_large(limit)
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer itself has not been begun
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(timeout):
            while part := await request.content.readany():
                size += len(part)
                if size > limit:
                    raise too_large(limit)
                place.hold(size)
                parts.append(part)
    except TimeoutError:
        raise Refused(408, f"the body did not come within {timeout:g} s") from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise Refused(400, "the body is broken: its chunks are not what HTTP asks for") from None
    if length is not None and size != length:
        raise Refused(400, f"the body has {size} bytes, and Content-Length says {length}")
    return parts[0] if len(parts) == 1 else b"".join(parts)
