import asyncio
import gzip
import json
from typing import Any

import pytest

FLOW = "11111111-2222-4333-8444-555555555555"
INLET_PROBLEM = "http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet"
EXACT = [
    b'{"a" : 1,"b":[ ]}',
    '{"city":"Zürich 東京 🙂"}'.encode(),
    b'{"lone":"\\ud800"}',
    b'{"n":123456789012345678901234567890,"m":1e999}',
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b'{"a":1,"a":2}',
    b'{"esc":"\\u00e9\\/"}',
]


async def test_a_batch_is_accepted_and_kept_byte_for_byte(client: Any) -> None:
    status, answer = await client.batch(EXACT)
    assert status == 207
    assert [set(item) for item in answer["responses"]] == [{"xactionId"}] * len(EXACT)
    assert list(client.emulator.records()) == EXACT


@pytest.mark.parametrize("record", EXACT, ids=range(len(EXACT)))
async def test_a_single_record_is_accepted_and_kept_byte_for_byte(
    client: Any, record: bytes
) -> None:
    status, answer = await client.single(b" " + record + b"\n")
    assert (status, set(answer)) == (200, {"inletId", "xactionId", "receivedTimeMs", "flowId"})
    assert list(client.emulator.records()) == [record]


async def test_a_record_that_is_no_object_is_refused_among_accepted_ones(client: Any) -> None:
    status, answer = await client.batch([b'{"a":1}', b"7", b"[]", b'{"a":2}', b"null"])
    assert status == 207
    assert ["message" in item for item in answer["responses"]] == [False, True, True, False, True]
    assert list(client.emulator.records()) == [b'{"a":1}', b'{"a":2}']
    lines = [json.loads(line) for line in client.emulator.rejected().splitlines()]
    assert [line["record"] for line in lines] == [7, [], None]
    assert lines[0]["message"] == answer["responses"][1]["message"]


async def test_an_empty_batch_gets_an_empty_answer(client: Any) -> None:
    status, answer = await client.batch([])
    assert (status, answer["responses"]) == (207, [])


@pytest.mark.parametrize("how", [{"headers": {"x-adobe-flow-id": ""}, "x-adobe-flow-id": FLOW}])
async def test_the_flow_may_stand_in_the_query(start: Any, how: dict[str, Any]) -> None:
    client = await start(flow_id=FLOW)
    assert (await client.single(b"{}", **how))[0] == 200
    assert (await client.batch([b"{}"], **how))[0] == 207


@pytest.mark.parametrize("flow", ["", "unknown"])
async def test_a_missing_or_unknown_flow_is_a_problem(client: Any, flow: str) -> None:
    for url in (client.single_url, client.batch_url):
        body = b'{"messages":[]}'
        status, answer = await client.post(url, body, headers={"x-adobe-flow-id": flow})
        problem = json.loads(answer)
        assert (status, problem["type"], problem["status"]) == (400, INLET_PROBLEM, 400)
        assert "x-adobe-flow-id" in problem["report"]["message"]
    assert list(client.emulator.records()) == []


async def test_each_flow_is_counted_and_read_by_itself(start: Any) -> None:
    client = await start(more_flow_ids=(FLOW,))
    await client.batch([b'{"a":1}'])
    await client.batch([b'{"a":2}', b'{"a":3}'], headers={"x-adobe-flow-id": FLOW})
    assert (await client.stats())["records_by_flow"] == {client.emulator.flow_id: 1, FLOW: 2}
    assert list(client.emulator.records(flow_id=FLOW)) == [b'{"a":2}', b'{"a":3}']


async def test_an_unknown_inlet_is_not_found(client: Any) -> None:
    for url in (client.single_url, client.batch_url):
        status, answer = await client.post(url[:-1] + "0", b'{"messages":[]}')
        assert (status, json.loads(answer)["status"]) == (404, 404)


@pytest.mark.parametrize("body", [b"", b"{", b'{"messages":1}', b"[]", b'{"messages":["\xff"]}'])
async def test_a_body_that_is_no_batch_is_a_problem(client: Any, body: bytes) -> None:
    status, answer = await client.post(client.batch_url, body)
    assert (status, json.loads(answer)["type"]) == (400, INLET_PROBLEM)


@pytest.mark.parametrize("body", [b"", b"{", b'{"a":NaN}', b'{"a":"\xff"}', b"7", b"[{}]"])
async def test_a_single_body_that_is_no_record_is_refused_and_kept_as_such(
    client: Any, body: bytes
) -> None:
    status, answer = await client.single(body)
    assert (status, answer["title"] != "") == (400, True)
    stats = await client.stats()
    assert (stats["records_accepted"], stats["records_rejected"]) == (0, 1)
    assert json.loads(client.emulator.rejected())["message"] == answer["report"]["message"]


@pytest.mark.parametrize(
    "content_type", ["application/x-jackson-smile", "text/plain", "application/octet-stream"]
)
async def test_only_json_is_a_supported_type(client: Any, content_type: str) -> None:
    assert (await client.batch([b"{}"], headers={"Content-Type": content_type}))[0] == 415
    charset = {"Content-Type": "application/json; charset=utf-8"}
    assert (await client.batch([b"{}"], headers=charset))[0] == 207


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(("size", "status"), [(1_000_000, 207), (1_000_001, 413)])
async def test_the_limit_is_one_million_bytes_uncompressed(
    client: Any, size: int, status: int, compress: bool
) -> None:
    empty = b'{"messages":[{"a":""}]}'
    body = empty.replace(b'""', b'"' + b"x" * (size - len(empty)) + b'"')
    assert len(body) == size
    headers = {"Content-Encoding": "gzip"} if compress else {}
    wire = gzip.compress(body, 0) if compress else body
    assert (await client.post(client.batch_url, wire, headers=headers))[0] == status
    assert len(list(client.emulator.records())) == (status == 207)


async def test_a_body_far_above_the_limit_still_gets_its_answer(start: Any) -> None:
    client = await start(max_request_bytes=1000)
    assert (await client.single(b'{"a":"' + b"x" * 5_000_000 + b'"}'))[0] == 413
    assert (await client.single(b'{"a":"' + b"x" * 900 + b'"}'))[0] == 200


async def test_gzip_is_taken_and_counted(client: Any) -> None:
    body = b'{"messages":[' + b",".join(EXACT) + b"]}"
    wire = gzip.compress(body)
    assert (await client.post(client.batch_url, wire, headers={"Content-Encoding": "gzip"}))[
        0
    ] == 207
    assert list(client.emulator.records()) == EXACT
    stats = await client.stats()
    assert stats["requests_gzip"] == 1
    assert (stats["bytes_wire"], stats["bytes_uncompressed"]) == (len(wire), len(body))


@pytest.mark.parametrize(
    "wire",
    [b'{"messages":[]}', gzip.compress(b'{"messages":[]}')[:-3]],
    ids=["no gzip", "cut short"],
)
async def test_bad_gzip_is_a_problem(client: Any, wire: bytes) -> None:
    headers = {"Content-Encoding": "gzip"}
    assert (await client.post(client.batch_url, wire, headers=headers))[0] == 400


async def test_gzip_can_be_refused(start: Any) -> None:
    client = await start(gzip=False)
    wire = gzip.compress(b'{"messages":[{}]}')
    assert (await client.post(client.batch_url, wire, headers={"Content-Encoding": "gzip"}))[
        0
    ] == 415
    assert (await client.batch([b"{}"]))[0] == 207


async def test_other_encodings_are_refused(client: Any) -> None:
    assert (await client.batch([b"{}"], headers={"Content-Encoding": "br"}))[0] == 415
    assert (await client.batch([b"{}"], headers={"Content-Encoding": "identity"}))[0] == 207


@pytest.mark.parametrize("given", ["Bearer secret", "secret"])
async def test_an_authenticated_inlet_takes_its_token(start: Any, given: str) -> None:
    client = await start(token="secret")
    assert (await client.batch([b"{}"], headers={"Authorization": given}))[0] == 207


@pytest.mark.parametrize(("given", "why"), [("", "is empty"), ("Bearer other", "is invalid")])
async def test_an_authenticated_inlet_refuses_everything_else(
    start: Any, given: str, why: str
) -> None:
    client = await start(token="secret")
    for url in (client.single_url, client.batch_url):
        status, answer = await client.post(url, b"{}", headers={"Authorization": given})
        problem = json.loads(answer)
        assert (status, problem["status"], problem["title"]) == (401, "401", "Authorization")
        assert problem["type"].endswith("data-collection-service-authorization")
        assert why in problem["report"]["message"]


async def test_an_open_inlet_ignores_tokens(client: Any) -> None:
    assert (await client.batch([b"{}"], headers={"Authorization": "Bearer any"}))[0] == 207


async def test_synchronous_validation_is_for_single_records_only(client: Any) -> None:
    status, answer = await client.single(b"{}", syncValidation="true")
    assert (status, answer["syncValidation"]) == (200, {"status": "pass"})
    status, answer = await client.batch([b"{}"], syncValidation="true")
    assert (status, answer["status"]) == (400, 400)
    assert (await client.batch([b"{}"], syncValidation="false"))[0] == 207


async def test_a_failed_synchronous_validation_lists_its_causes(client: Any) -> None:
    status, answer = await client.single(b"7", syncValidation="true")
    assert (status, answer["title"]) == (400, "Invalid XDM Message Format")
    cause = answer["report"]["cause"]["_streamingValidation"][0]
    assert cause["causingExceptions"] == []
    assert (cause["keyword"], cause["message"]) == ("required", "#: Message has unknown xdm format")


async def test_ids_are_never_given_twice(client: Any) -> None:
    answers = await asyncio.gather(*(client.batch([b"{}"] * 50) for _ in range(20)))
    singles = await asyncio.gather(*(client.single(b"{}") for _ in range(20)))
    ids = [item["xactionId"] for _, answer in answers for item in answer["responses"]]
    ids += [answer["xactionId"] for _, answer in singles]
    assert len(set(ids)) == 20 * 50 + 20


async def test_each_accepted_record_has_the_id_that_its_answer_gave(client: Any) -> None:
    _, answer = await client.batch([b'{"n":0}', b"7", b'{"n":2}'])
    url = f"{client.emulator.listening}/_emulator/records?ids=1"
    async with client.session.get(url) as listed:
        lines = [json.loads(line) for line in (await listed.read()).splitlines()]
    assert [(line["record"]["n"], line["xaction_id"]) for line in lines] == [
        (0, answer["responses"][0]["xactionId"]),
        (2, answer["responses"][2]["xactionId"]),
    ]


async def test_latency_is_added_to_every_answer(start: Any) -> None:
    client = await start(latency=0.15)
    clock = asyncio.get_running_loop()
    began = clock.time()
    await client.batch([b"{}"])
    assert clock.time() - began >= 0.15


async def test_connections_are_counted(client: Any) -> None:
    for _ in range(3):
        await client.batch([b"{}"])
    assert (await client.stats())["connections"] == 1
