"""Which records does the body of a request hold that somebody pushes to the agent?

A record is a slice of the body, never written anew: only a line end inside of one, which can be
nothing but JSON's white space, becomes a blank, so that records can stand one a line. What a body
holds is found in a few C calls; whether each line is a record is judged later, where that is done
for every source.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from agent.core.validation import fault

MOST_RECORDS = 100_000  # in one body: each costs memory beside its bytes
_MOST_VALUES = 1_000_000  # in one array, of whatever depth, before anybody counts its elements
_LOOKED_AT = 16  # values at the start of a body, one of which must be a record

_BLANKS = re.compile(rb"[ \t\r\n]*+")
_OPENING = re.compile(rb'[ \t\r\n]*+(?:\{[ \t\r\n]*+"messages"[ \t\r\n]*+:[ \t\r\n]*+)?\[')
_BETWEEN = re.compile(rb"[ \t\r\n,]*+")
_LONE_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
_NO_SURROGATE = rb"\\u0041"  # as long
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")

_T = TypeVar("_T")


class BadBody(ValueError):
    """The body as a whole is not what it should be: no record was found. Says what is wrong."""


class TooMany(BadBody):
    """There are more records in the body than one request may hold."""


@dataclass(frozen=True, slots=True)
class Lines:
    """What was found: a value a line, or nothing but blanks, each line with a newline behind it."""

    data: bytes
    is_empty: bool = False  # there is no line


class _Messages(msgspec.Struct, gc=False):
    messages: list[msgspec.Raw]


class _Entity(msgspec.Struct, gc=False):
    xdmEntity: msgspec.Raw  # noqa: N815  # the platform's spelling


class _Message(msgspec.Struct, gc=False):
    header: msgspec.Raw
    body: _Entity


class _Schema(msgspec.Struct, gc=False):
    id: str


class _Header(msgspec.Struct, gc=False):
    flowId: str | None = None  # noqa: N815
    datasetId: str | None = None  # noqa: N815
    schemaRef: _Schema | None = None  # noqa: N815


_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_messages = msgspec.json.Decoder(_Messages).decode
_decode_message = msgspec.json.Decoder(_Message).decode
_decode_header = msgspec.json.Decoder(_Header).decode


def by_look(body: bytes) -> Lines:
    """The records of a body that does not say how it is written: an array, an object, or lines.

    It is lines where the first one is a record by itself and something follows. Raises BadBody.
    """
    start = _after_blanks(body, 0)
    if start == len(body):
        raise BadBody("the body is empty: there is no record in it")
    if body.startswith(b"[", start):
        return array(body)
    if not body.startswith(b"{", start):
        mark = " after a byte order mark (BOM)" if body.startswith(_BYTE_ORDER_MARK, start) else ""
        raise BadBody(
            f"expected {{ or [ at byte {start}{mark}: an object, an array of objects, or an object"
            " a line"
        )
    end = body.find(b"\n", start)
    if end < 0 or _after_blanks(body, end) == len(body):
        return single(body)
    return single(body) if fault(body[start:end].rstrip(b"\r")) else ndjson(body)


def ndjson(body: bytes) -> Lines:
    """The lines of a body whose sender says that they are records; what is none is kept for him.

    A shipper gives up a request that is refused, with all its records. Raises BadBody where there
    is no line.
    """
    if _after_blanks(body, 0) == len(body):
        raise BadBody("the body is empty: there is no record in it")
    return Lines(body if body.endswith(b"\n") else body + b"\n")


def array(body: bytes) -> Lines:
    """The elements of a JSON array. Raises BadBody where it is none, or holds no record."""
    elements = _decoded(body, _decode_array, lambda raws: raws)
    if elements:
        _require_a_record(elements[:_LOOKED_AT])
    return _one_a_line(elements, body)


def messages(body: bytes, unwrap: "Unwrap | None" = None) -> Lines:
    """The elements of the platform's `{"messages": [...]}`, whatever they are. Raises BadBody."""
    elements = _decoded(body, _decode_messages, lambda batch: batch.messages)
    return _one_a_line(unwrap.each(elements) if unwrap else elements, body)


def single(body: bytes, unwrap: "Unwrap | None" = None) -> Lines:
    """The one record that is the whole body. Raises BadBody where it is none."""
    record = body.strip(b" \t\r\n")
    if not record:
        raise BadBody("the body is empty: there is no record in it")
    if problem := fault(record):
        raise BadBody(problem.message)
    return _one_a_line(unwrap.each([record]) if unwrap else [record], record)


@dataclass(frozen=True, slots=True)
class Unwrap:
    """Takes the record out of a whole XDM message, round which the agent puts its own header.

    `expected` is what a message's own header must say, where it says anything, by the path of it.
    """

    expected: Mapping[str, str]

    def each(self, values: Sequence[bytes]) -> list[bytes]:
        """The records in these values; one that is no whole message is a record already.

        Raises BadBody where a header is for something else.
        """
        messages = [_message(value) for value in values]
        for header in {bytes(message.header) for message in messages if message}:
            self._check(header)
        return [
            message.body.xdmEntity if message else value
            for message, value in zip(messages, values, strict=True)
        ]

    def _check(self, header: bytes) -> None:
        try:
            said = _decode_header(header)
        except msgspec.DecodeError as error:
            raise BadBody(f"the header of a message: {_words(error, len(header))}") from None
        found = {
            "flowId": said.flowId,
            "datasetId": said.datasetId,
            "schemaRef.id": said.schemaRef.id if said.schemaRef else None,
        }
        for key, value in found.items():
            expected = self.expected.get(key)
            if value is not None and expected is not None and value != expected:
                raise BadBody(
                    f"the header of a message has another {key} than the messages of this agent"
                )


def _message(value: bytes) -> _Message | None:
    try:
        return _decode_message(value)
    except (msgspec.DecodeError, RecursionError):
        return None


def _one_a_line(values: Sequence[bytes], body: bytes) -> Lines:
    if len(values) > MOST_RECORDS:
        raise TooMany(_too_many())
    data = b"\n".join([*values, b""])
    may_hold_line_ends = b"\n" in body or b"\r" in body
    if may_hold_line_ends and (data.count(b"\n") > len(values) or b"\r" in data):
        data = b"\n".join([*(bytes(value).translate(_ONE_LINE) for value in values), b""])
    return Lines(data, not values)


def _decoded(
    body: bytes, decode: Callable[[bytes], _T], elements: Callable[[_T], list[msgspec.Raw]]
) -> list[bytes]:
    """The elements of the array in *body*, as slices of it."""
    if len(body) > _MOST_VALUES and body.count(b",") > _MOST_VALUES:
        raise TooMany(_too_many())
    try:
        return elements(decode(body))  # type: ignore[return-value]  # bytes-like, never touched
    except RecursionError:
        raise BadBody("nested too deeply for an array: send such records one a line") from None
    except msgspec.DecodeError as error:
        masked = _LONE_SURROGATE.sub(_NO_SURROGATE, body)
        if masked == body:
            raise BadBody(_words(error, len(body))) from None
    # half a surrogate pair is legal in JSON, and more than this decoder bears: it decodes a copy
    # without any, and the records are taken from the same places of the body
    try:
        return list(_slices(body, masked, elements(decode(masked))))
    except msgspec.DecodeError as error:
        raise BadBody(_words(error, len(body))) from None


def _slices(body: bytes, masked: bytes, elements: Sequence[bytes]) -> Iterator[bytes]:
    """What stands in *body* where the elements stand in *masked*, in which they come first."""
    opening = _OPENING.match(masked)
    at = opening.end() if opening else len(masked)
    for element in elements:
        at = _BETWEEN.match(masked, at).end()  # type: ignore[union-attr]  # always matches
        end = at + len(memoryview(element))
        if masked[at:end] != bytes(element):
            raise BadBody("an escaped half of a surrogate pair: send such records one a line")
        yield body[at:end]
        at = end


def _after_blanks(body: bytes, start: int) -> int:
    return _BLANKS.match(body, start).end()  # type: ignore[union-attr]  # always matches


def _require_a_record(first: Iterable[bytes]) -> None:
    """Raise BadBody where the first values are all no records: who sent them is to hear of it."""
    problems: list[str] = []
    for value in first:
        problem = fault(bytes(value))
        if problem is None:
            return
        problems.append(problem.message)
    which = "the only element is no" if len(problems) == 1 else "the first elements are no"
    raise BadBody(f"{which} record{'s' * (len(problems) > 1)}: {problems[0]}")


def _words(error: msgspec.DecodeError, length: int) -> str:
    """What is wrong and at which byte; the decoder never quotes what it reads."""
    said = str(error).removeprefix("JSON is malformed: ")
    if said.endswith("was truncated"):
        said = f"it ends at byte {length}, before it is complete"
    if isinstance(error, msgspec.ValidationError):
        return f"not what is expected here: {said[:1].lower()}{said[1:]}"
    return f"not valid JSON: {said[:1].lower()}{said[1:]}"


def _too_many() -> str:
    return f"more than {MOST_RECORDS} records in one request: send them in several"
