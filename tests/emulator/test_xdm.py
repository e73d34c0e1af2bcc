import json
from typing import Any

import pytest

from agent.emulator.xdm import BadEnvelope, flow_of

FLOW = "11111111-2222-4333-8444-555555555555"
REF = {
    "id": "https://ns.adobe.com/acme/schemas/1",
    "contentType": "application/vnd.adobe.xed-full+json;version=1",
}


def message(**changes: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {
        "header": {"schemaRef": dict(REF), "flowId": FLOW},
        "body": {"xdmMeta": {"schemaRef": dict(REF)}, "xdmEntity": {"_id": "1"}},
    }
    for path, value in changes.items():
        *parents, last = path.split("__")
        place = whole
        for parent in parents:
            place = place[parent]
        if value is None:
            del place[last]
        else:
            place[last] = value
    return whole


def judged(changed: dict[str, Any], ims_org_id: str | None = None) -> str | None:
    return flow_of(json.dumps(changed).encode(), ims_org_id)


def test_a_good_envelope_names_its_flow() -> None:
    assert judged(message()) == FLOW
    assert judged(message(header__flowId=None)) is None


@pytest.mark.parametrize(
    "content_type",
    [
        "application/vnd.adobe.xed+json;version=1",
        "application/vnd.adobe.xed-full+json; version=1",
        "application/vnd.adobe.xed-notext+json;version=1.0",
        "application/vnd.adobe.xed-full-notext+json; version=1.0",
    ],
)
def test_every_documented_content_type_passes_and_spellings_may_differ(content_type: str) -> None:
    assert judged(message(header__schemaRef__contentType=content_type)) == FLOW


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("header", None, "The 'header' field is mandatory. Provide a valid 'header' value"),
        ("header", [], "'header' field"),
        ("header__schemaRef", None, "'header.schemaRef' field"),
        ("header__schemaRef__id", None, "'header.schemaRef.id' field"),
        ("header__schemaRef__id", 7, "'header.schemaRef.id' field"),
        ("header__schemaRef__contentType", None, "'header.schemaRef.contentType' field"),
        ("header__schemaRef__contentType", "application/json", "'header.schemaRef.contentType'"),
        ("header__flowId", 7, "'header.flowId' field"),
        ("body", None, "'body' field"),
        ("body__xdmMeta", None, "'body.xdmMeta' field"),
        ("body__xdmMeta__schemaRef", None, "'body.xdmMeta.schemaRef' field"),
        ("body__xdmEntity", None, "'body.xdmEntity' field"),
        ("body__xdmEntity", "text", "'body.xdmEntity' field"),
        ("header__schemaRef__id", "https://ns.adobe.com/other", "must be the same"),
        ("body__xdmMeta__schemaRef__contentType", REF["contentType"][:-1] + "2", "must be the"),
    ],
)
def test_a_bad_envelope_is_refused_in_the_words_of_the_platform(
    path: str, value: object, says: str
) -> None:
    with pytest.raises(BadEnvelope, match=says):
        judged(message(**{path: value}))


@pytest.mark.parametrize("record", [b"7", b"[]", b'"text"'])
def test_what_is_no_object_has_an_unknown_format(record: bytes) -> None:
    with pytest.raises(BadEnvelope, match="unknown xdm format"):
        flow_of(record, None)


def test_another_org_is_refused_and_none_at_all_is_fine() -> None:
    assert judged(message(header__imsOrgId="A@AdobeOrg"), "A@AdobeOrg") == FLOW
    assert judged(message(), "A@AdobeOrg") == FLOW
    assert judged(message(header__imsOrgId="B@AdobeOrg")) == FLOW
    with pytest.raises(BadEnvelope, match="wrong ims org"):
        judged(message(header__imsOrgId="B@AdobeOrg"), "A@AdobeOrg")


@pytest.mark.parametrize("flow", ["", FLOW])
async def test_an_xdm_inlet_takes_the_flow_of_the_message_or_of_the_header(
    start: Any, flow: str
) -> None:
    client = await start(xdm=True, flow_id=FLOW)
    named = json.dumps(message()).encode()
    unnamed = json.dumps(message(header__flowId=None)).encode()
    unknown = json.dumps(message(header__flowId="?")).encode()
    status, answer = await client.batch(
        [named, unnamed, unknown, b"{}"], headers={"x-adobe-flow-id": flow}
    )
    assert status == 207
    failed = ["message" in item for item in answer["responses"]]
    assert failed == [False, not flow, True, True]
    assert "'header' field is mandatory" in answer["responses"][3]["message"]


async def test_an_xdm_inlet_answers_without_the_flow(start: Any) -> None:
    client = await start(xdm=True, flow_id=FLOW)
    record = json.dumps(message()).encode()
    status, answer = await client.single(record, syncValidation="true")
    assert (status, set(answer)) == (
        200,
        {"inletId", "xactionId", "receivedTimeMs", "syncValidation"},
    )
    assert list(client.emulator.records()) == [record]
    status, answer = await client.single(b'{"header":{}}')
    assert (status, answer["title"]) == (400, "Invalid XDM Message Format")
    status, answer = await client.single(b'{"header":{}}', syncValidation="true")
    assert "'body' field is mandatory" in str(answer["report"]["cause"])


async def test_records_of_several_flows_in_one_request_are_told_apart(start: Any) -> None:
    other = "99999999-2222-4333-8444-555555555555"
    client = await start(xdm=True, flow_id=FLOW, more_flow_ids=(other,))
    records = [
        json.dumps(message(header__flowId=flow, body__xdmEntity={"_id": str(number)})).encode()
        for number, flow in enumerate([FLOW, other, other, FLOW])
    ]
    await client.batch(records)
    assert list(client.emulator.records()) == records
    assert list(client.emulator.records(flow_id=other)) == records[1:3]


async def test_a_raw_inlet_takes_an_enveloped_message_as_any_object(client: Any) -> None:
    status, answer = await client.batch([b'{"header":{},"body":{}}'])
    assert (status, "message" in answer["responses"][0]) == (207, False)
