from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core import encoding
from agent.core.batching import Draft
from agent.core.codecs import Codec
from agent.core.encoding import Envelope
from agent.core.identities import Identities
from agent.delivery.encoder import Encoder
from agent.record import Position, Span

XDM = encoding.xdm(
    schema_id="https://ns.adobe.com/x/schemas/1",
    content_type="application/vnd.adobe.xed-full+json;version=1",
    dataset_id="d",
    flow_id="f",
    ims_org_id=None,
    source_name=None,
)
ENVELOPES = [encoding.raw(), XDM]
RECORDS = st.lists(
    st.binary(max_size=20).map(lambda text: b'{"a":"' + text.replace(b"\n", b"") + b'"}'),
    min_size=1,
    max_size=20,
)


def draft(*runs: tuple[str, int, int, list[bytes]]) -> Draft:
    filled = Draft(read_at=1.0, ripe_at=2.0)
    for source, line, offset, records in runs:
        filled.records += records
        filled.record_bytes += sum(map(len, records))
        filled.spans.append(Span(source, line, offset, len(records)))
    return filled


@given(RECORDS, st.sampled_from(ENVELOPES), st.sampled_from(["gzip", "none"]))
def test_the_records_of_a_batch_come_back_byte_for_byte(
    records: list[bytes], envelope: Envelope, compression: str
) -> None:
    encoder = Encoder(envelope, Codec(compression))
    full = draft(("a", 1, 0, records))
    batch = encoder.batch(full)
    assert not full.records  # they do not take memory twice while the body is compressed
    assert encoder.records(batch) == records
    assert batch.count == len(records)
    assert batch.gzipped == (compression == "gzip")
    assert batch.plain_bytes == len(encoder.plain(batch)) == len(envelope.body(records))


def test_a_bare_record_is_the_whole_body_of_a_request_for_one() -> None:
    encoder = Encoder(encoding.single(encoding.raw()), Codec("none"))
    batch = encoder.batch(draft(("a", 1, 0, [b'{"a":1}'])))
    assert batch.body == b'{"a":1}'
    assert encoder.records(batch) == [b'{"a":1}']


def test_a_batch_made_with_gzip_can_be_read_after_gzip_was_given_up() -> None:
    codec = Codec("auto")
    encoder = Encoder(encoding.raw(), codec)
    batch = encoder.batch(draft(("a", 1, 0, [b"{}", b"{}"])))
    codec.refused_gzip()
    assert encoder.records(batch) == [b"{}", b"{}"]
    assert not encoder.part(batch, [b"{}", b"{}"], [0]).gzipped


def test_what_a_batch_holds_of_the_budget_is_never_less_than_its_memory() -> None:
    encoder = Encoder(encoding.raw(), Codec("gzip"))
    one = encoder.batch(draft(("a", 1, 0, [b"{}"] * 5000)))
    many = encoder.batch(draft(*(("a", line, line * 9, [b"{}"]) for line in range(1, 5001))))
    assert one.held_bytes >= len(one.body) + 500
    assert many.held_bytes >= one.held_bytes + 4999 * 100  # each span is an object of its own


@given(RECORDS, RECORDS, st.data())
def test_a_part_keeps_records_positions_and_history(
    first: list[bytes], second: list[bytes], chance: st.DataObject
) -> None:
    encoder = Encoder(encoding.raw(), Codec("none"))
    whole = encoder.batch(draft(("a", 7, 100, first), ("b", 1, 0, second)))
    whole.attempts, whole.first_at, whole.last_at = 3, 10.0, 20.0
    records = first + second
    indexes = chance.draw(
        st.lists(st.sampled_from(range(len(records))), min_size=1, unique=True).map(sorted)
    )
    part = encoder.part(whole, records, indexes)
    assert encoder.records(part) == [records[index] for index in indexes]
    assert (part.attempts, part.first_at, part.last_at) == (3, 10.0, 20.0)
    assert part.number != whole.number
    assert part.read_at == whole.read_at
    assert places(encoder, part) == [places(encoder, whole)[index] for index in indexes]


IDENTIFIED = st.lists(
    st.sampled_from(
        [
            b"{}",
            b' { "a":1}',
            b'{"_id":1}',
            b'{"\\u005fid":1}',
            b'{"a":{"_id":1}}',
            b'{"b":"\\ud800"}',
        ]
    ),
    min_size=1,
    max_size=20,
)


@given(IDENTIFIED, st.sampled_from(ENVELOPES), st.sampled_from(["gzip", "none"]), st.data())
def test_ids_are_sent_and_kept_by_every_part_and_are_not_among_the_records(
    records: list[bytes], envelope: Envelope, compression: str, chance: st.DataObject
) -> None:
    identities = Identities("position")
    envelope = replace(envelope, spliced=identities.added_bytes)
    encoder = Encoder(envelope, Codec(compression), identities)
    whole = encoder.batch(draft(("a", 7, 100, records)))
    assert encoder.records(whole) == records
    sent = envelope.records(encoder.plain(whole))
    assert all(b"_id" in record or b"u005f" in record for record in sent)
    assert whole.plain_bytes <= envelope.body_bytes(len(records), sum(map(len, records)))

    indexes = chance.draw(
        st.lists(st.sampled_from(range(len(records))), min_size=1, unique=True).map(sorted)
    )
    # by an agent that was started again, told to add none from now on, or other ones
    for now in (identities, None, Identities("content", "key")):
        later = Encoder(envelope, Codec(compression), now)
        assert later.records(whole) == records
        part = later.part(whole, records, indexes)
        assert envelope.records(later.plain(part)) == [sent[index] for index in indexes]
        assert later.records(part) == [records[index] for index in indexes]
        assert places(later, part) == [places(encoder, whole)[index] for index in indexes]
        assert later.records(later.part(part, later.records(part), [0])) == [records[indexes[0]]]


def places(encoder: Encoder, batch) -> list[tuple[str, Position]]:
    records = iter(encoder.records(batch))
    return [
        (span.source, position)
        for span in batch.spans
        for position in span.positions([next(records) for _ in range(span.count)])
    ]


@pytest.mark.parametrize("envelope", ENVELOPES)
def test_the_size_limits_count_is_the_size_of_the_body(envelope: Envelope) -> None:
    records = [b'{"a":1}', b'{"a":22}']
    encoder = Encoder(envelope, Codec("none"))
    assert envelope.body_bytes(2, 15) == encoder.batch(draft(("a", 1, 0, records))).plain_bytes
