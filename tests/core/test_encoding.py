import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.encoding import Envelope, raw, single, xdm

XDM = xdm(
    schema_id="https://ns.adobe.com/tenant/schemas/1",
    content_type="application/vnd.adobe.xed-full+json;version=1",
    dataset_id="5f0",
    flow_id="flow",
    ims_org_id="ORG@AdobeOrg",
    source_name="agent",
)
BARE_XDM = xdm(
    schema_id="s", content_type="c", dataset_id="d", flow_id=None, ims_org_id=None, source_name=None
)
ENVELOPES = {"raw": raw(), "xdm": XDM, "bare xdm": BARE_XDM}

LINES = st.binary(max_size=30).map(lambda line: line.replace(b"\n", b" "))
TRICKY = st.sampled_from([b",", b"", b"]}", b'{"messages":[', b"}},", b'"\\n"', XDM.before, b"\r"])


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
@given(records=st.lists(LINES | TRICKY, min_size=1, max_size=8))
def test_a_body_comes_apart_into_the_same_bytes(envelope: Envelope, records: list[bytes]) -> None:
    assert envelope.records(envelope.body(records)) == records


@pytest.mark.parametrize("envelope", ENVELOPES.values(), ids=ENVELOPES)
@given(records=st.lists(LINES, min_size=1, max_size=8))
def test_the_size_of_a_body_is_known_before_it_is_made(
    envelope: Envelope, records: list[bytes]
) -> None:
    size = envelope.body_bytes(len(records), sum(map(len, records)))
    assert size == len(envelope.body(records))


@pytest.mark.parametrize("envelope", [single(raw()), single(XDM)])
@given(record=LINES | TRICKY)
def test_a_single_message_is_measured_and_comes_apart_too(
    envelope: Envelope, record: bytes
) -> None:
    body = envelope.body([record])
    assert envelope.body_bytes(1, len(record)) == len(body)
    assert envelope.records(body) == [record]


@given(records=st.lists(LINES, min_size=1, max_size=8), spliced=st.integers(0, 50))
@pytest.mark.parametrize("envelope", [raw(), XDM, single(XDM)])
def test_the_size_of_a_body_allows_for_what_is_spliced_into_its_records(
    envelope: Envelope, records: list[bytes], spliced: int
) -> None:
    longer = replace(envelope, spliced=spliced)
    alone = replace(single(longer), head=envelope.head, tail=envelope.tail)
    size = longer.body_bytes(len(records), sum(map(len, records)))
    assert size == len(envelope.body([record + b"x" * spliced for record in records]))
    assert alone == longer


def test_raw_records_stand_one_a_line_in_messages() -> None:
    body = raw().body([b'{"a":1}', b'{"b": 2}'])
    assert body == b'{"messages":[{"a":1},\n{"b": 2}]}'
    assert json.loads(body) == {"messages": [{"a": 1}, {"b": 2}]}


def test_a_single_raw_message_is_the_bare_record() -> None:
    assert single(raw()).body([b'{"a":1}']) == b'{"a":1}'


def test_xdm_puts_header_and_meta_round_each_record() -> None:
    schema = {
        "id": "https://ns.adobe.com/tenant/schemas/1",
        "contentType": "application/vnd.adobe.xed-full+json;version=1",
    }
    header = {
        "schemaRef": schema,
        "imsOrgId": "ORG@AdobeOrg",
        "datasetId": "5f0",
        "flowId": "flow",
        "source": {"name": "agent"},
    }
    messages = [
        {"header": header, "body": {"xdmMeta": {"schemaRef": schema}, "xdmEntity": {"n": number}}}
        for number in (1, 2)
    ]
    records = [b'{"n":1}', b'{"n":2}']
    assert json.loads(XDM.body(records)) == {"messages": messages}
    assert json.loads(single(XDM).body(records[:1])) == messages[0]


def test_what_xdm_does_not_know_is_left_out() -> None:
    [message] = json.loads(BARE_XDM.body([b"{}"]))["messages"]
    assert message["header"] == {"schemaRef": {"id": "s", "contentType": "c"}, "datasetId": "d"}
