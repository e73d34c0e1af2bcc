"""What bytes the platform gets: the envelope round the records, which are never touched.

A body keeps one record a line, so it can be taken apart again on newlines: no legal record has a
newline of its own, because records are framed by newlines.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import orjson

_SEPARATOR = b",\n"


@dataclass(frozen=True)
class Envelope:
    """What stands before and after the records of a request, and before and after each record."""

    head: bytes = b'{"messages":['
    before: bytes = b""
    after: bytes = b""
    tail: bytes = b"]}"
    spliced: int = 0  # bytes that may yet be spliced into each record: every limit counts them

    @cached_property
    def request_overhead(self) -> int:
        """Bytes a request has besides its records and what stands round each."""
        return len(self.head) + len(self.tail) - len(_SEPARATOR)

    @cached_property
    def record_overhead(self) -> int:
        """Bytes every record adds besides its own, its separator included."""
        return len(self.before) + len(self.after) + len(_SEPARATOR) + self.spliced

    def body_bytes(self, count: int, record_bytes: int) -> int:
        """The size of the body of *count* records (at least one) that are *record_bytes* long.

        Exact where nothing is spliced into them, else the largest it may be.
        """
        return self.request_overhead + count * self.record_overhead + record_bytes

    def body(self, records: Sequence[bytes]) -> bytes:
        """The request body of these records (at least one), in this order."""
        return self.body_of(list(records))

    def body_of(self, records: list[bytes]) -> bytes:
        """The same, and the list is empty then.

        A record is freed as soon as it has been copied, while the processor still has it at hand.
        """
        # joined once: a body is large enough for a second copy to show
        records[0] = self.head + self.before + records[0]
        records[-1] = records[-1] + self.after + self.tail
        body = (self.after + _SEPARATOR + self.before).join(records)
        records.clear()
        return body

    def records(self, body: bytes) -> list[bytes]:
        """The records of a body made by `body`, byte for byte."""
        start = len(self.head) + len(self.before)
        end = len(body) - len(self.after) - len(self.tail)
        return body[start:end].split(self.after + _SEPARATOR + self.before)


def raw() -> Envelope:
    """Raw flows, many records a request: `{"messages":[…]}`."""
    return Envelope()


def single(envelope: Envelope) -> Envelope:
    """The same records sent one a request: a bare message is the whole body."""
    return replace(envelope, head=b"", tail=b"")


def xdm(
    *,
    schema_id: str,
    content_type: str,
    dataset_id: str,
    flow_id: str | None,
    ims_org_id: str | None,
    source_name: str | None,
) -> Envelope:
    """XDM flows: header and body spliced round each record. [Adobe: streaming ingestion API]"""
    schema = {"id": schema_id, "contentType": content_type}
    header: dict[str, object] = {"schemaRef": schema}
    if ims_org_id:
        header["imsOrgId"] = ims_org_id
    header["datasetId"] = dataset_id
    if flow_id:
        header["flowId"] = flow_id
    if source_name:
        header["source"] = {"name": source_name}
    before = b'{"header":%b,"body":{"xdmMeta":%b,"xdmEntity":' % (
        orjson.dumps(header),
        orjson.dumps({"schemaRef": schema}),
    )
    return Envelope(before=before, after=b"}}")
