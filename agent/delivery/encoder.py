"""How do records become the body of a request, and how does one get them back?"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.core import identities
from agent.core.batching import Draft
from agent.core.codecs import Codec
from agent.core.encoding import Envelope
from agent.core.identities import Identities
from agent.delivery.compression import gunzip, gzip
from agent.record import Batch, Span, select

_BATCH_BYTES = 1024  # what a batch costs in memory besides its body, roughly
_SPAN_BYTES = 192


@dataclass(frozen=True, slots=True)
class Encoder:
    """Makes batches. Compressing half a megabyte takes less than handing it to a thread would."""

    envelope: Envelope
    codec: Codec
    identities: Identities | None = None  # None: records get no ids

    def batch(self, draft: Draft) -> Batch:
        """The request for a full draft, which may be without its records then."""
        records = draft.records
        spans, ids_added = tuple(draft.spans), b""
        if self.identities:
            records, ids_added = self.identities.add(records, spans)
        return self._encode(records, spans, ids_added, draft.read_at)

    def plain(self, batch: Batch) -> bytes:
        """The body without compression."""
        return gunzip(batch.body) if batch.gzipped else batch.body

    def records(self, batch: Batch) -> list[bytes]:
        """The records of a batch as they were read, byte for byte: without ids added here."""
        return identities.without(self._sent(batch), batch.ids_added)

    def part(self, batch: Batch, records: Sequence[bytes], indexes: Sequence[int]) -> Batch:
        """A request for only some records of a batch, given all of them; its history goes on.

        Ids are not made anew but kept, for the settings may have changed since they were added.
        """
        sent = self._sent(batch) if batch.ids_added else records
        part = self._encode(
            [sent[index] for index in indexes],
            select(batch.spans, records, indexes),
            identities.chosen(batch.ids_added, batch.count, indexes),
            batch.read_at,
        )
        part.attempts, part.first_at, part.last_at = batch.attempts, batch.first_at, batch.last_at
        return part

    def _sent(self, batch: Batch) -> list[bytes]:
        return self.envelope.records(self.plain(batch))

    def _encode(
        self, records: list[bytes], spans: tuple[Span, ...], ids_added: bytes, read_at: float
    ) -> Batch:
        count = len(records)
        plain = self.envelope.body_of(records)
        body = gzip(plain) if self.codec.gzip else plain
        return Batch(
            body=body,
            gzipped=self.codec.gzip,
            count=count,
            plain_bytes=len(plain),
            spans=spans,
            read_at=read_at,
            held_bytes=len(body) + len(ids_added) + _BATCH_BYTES + len(spans) * _SPAN_BYTES,
            ids_added=ids_added,
        )
