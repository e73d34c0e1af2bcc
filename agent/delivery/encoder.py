"""How do records become the body of a request, and how does one get them back?"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.core.batching import Draft
from agent.core.codecs import Codec
from agent.core.encoding import Envelope
from agent.delivery.compression import gunzip, gzip
from agent.record import Batch, Span, select

_BATCH_BYTES = 1024  # what a batch costs in memory besides its body, roughly
_SPAN_BYTES = 192


@dataclass(frozen=True, slots=True)
class Encoder:
    """Makes batches. Compressing half a megabyte takes less than handing it to a thread would."""

    envelope: Envelope
    codec: Codec

    def batch(self, draft: Draft) -> Batch:
        """The request for a full draft."""
        return self._encode(draft.records, tuple(draft.spans), draft.read_at)

    def plain(self, batch: Batch) -> bytes:
        """The body without compression."""
        return gunzip(batch.body) if batch.gzipped else batch.body

    def records(self, batch: Batch) -> list[bytes]:
        """The records of a batch, byte for byte."""
        return self.envelope.records(self.plain(batch))

    def part(self, batch: Batch, records: Sequence[bytes], indexes: Sequence[int]) -> Batch:
        """A request for only some records of a batch, given all of them; its history goes on."""
        chosen = [records[index] for index in indexes]
        part = self._encode(chosen, select(batch.spans, records, indexes), batch.read_at)
        part.attempts, part.first_at, part.last_at = batch.attempts, batch.first_at, batch.last_at
        return part

    def _encode(self, records: Sequence[bytes], spans: tuple[Span, ...], read_at: float) -> Batch:
        plain = self.envelope.body(records)
        body = gzip(plain) if self.codec.gzip else plain
        return Batch(
            body=body,
            gzipped=self.codec.gzip,
            count=len(records),
            plain_bytes=len(plain),
            spans=spans,
            read_at=read_at,
            held_bytes=len(body) + _BATCH_BYTES + len(spans) * _SPAN_BYTES,
        )
