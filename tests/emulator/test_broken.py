"""Each way in which an answer can be broken, seen from a socket."""

import asyncio
import email.utils
import json
import time
from typing import Any

import aiohttp
import pytest


async def exchange(client: Any, records: bytes = b'{"a":1}', wait: float = 5) -> bytes:
    """Post one batch over a socket of our own and read until the connection ends or is reset."""
    host, port = client.emulator.listening.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    body = b'{"messages":[' + records + b"]}"
    path = client.batch_url.removeprefix(client.emulator.listening)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"x-adobe-flow-id: {client.emulator.flow_id}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    received = b""
    try:
        async with asyncio.timeout(wait):
            while piece := await reader.read(65536):
                received += piece
    except ConnectionResetError:
        received += b"<reset>"
    except TimeoutError:
        received += b"<silence>"
    finally:
        writer.close()
    return received


def kept(client: Any) -> int:
    return len(list(client.emulator.records()))


async def test_a_status_is_answered_and_nothing_is_accepted(start: Any) -> None:
    client = await start(faults=[{"when": {"requests": 1}, "status": 503, "retry_after": 7}])
    url, flow = client.batch_url, {"x-adobe-flow-id": client.emulator.flow_id}
    async with client.session.post(url, json={"messages": [{}]}, headers=flow) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "7")
        assert (await answer.json(content_type=None))["status"] == 503
    assert kept(client) == 0
    assert (await client.batch([b"{}"]))[0] == 207
    stats = await client.stats()
    assert stats["requests_by_status"] == {"503": 1, "207": 1}
    assert stats["faults"] == {"rule-1": 1}


@pytest.mark.parametrize(
    ("effect", "content_type", "begins"),
    [
        ({"status": 502, "body": "html"}, "text/html", b"<html>"),
        ({"status": 200, "body": "empty"}, "application/json", b""),
        ({"status": 403}, "application/json", b""),
        ({"status": 500, "body": "problem"}, "application/problem+json", b'{"type":"http://ns.'),
        ({"status": 401}, "application/problem+json", b'{"type":"https://ns.adobe.com/adobecloud'),
        ({"status": 200, "body": {"x": [1]}}, "application/json", b'{"x":[1]}'),
        ({"status": 200, "body": "some text"}, "text/plain", b"some text"),
        ({"status": 599}, "application/problem+json", b"{"),
    ],
)
async def test_a_body_can_be_chosen(
    start: Any, effect: dict[str, Any], content_type: str, begins: bytes
) -> None:
    client = await start(faults=[{**effect, "headers": {"X-Seen": "yes"}}])
    flow = {"x-adobe-flow-id": client.emulator.flow_id}
    async with client.session.post(client.batch_url, json={"messages": []}, headers=flow) as answer:
        body = await answer.read()
        assert answer.status == effect["status"]
        assert answer.headers["Content-Type"].startswith(content_type)
        assert answer.headers["X-Seen"] == "yes"
    assert body.startswith(begins)
    assert (body == b"") == (begins == b"")


async def test_a_header_can_replace_the_content_type(start: Any) -> None:
    client = await start(faults=[{"headers": {"content-type": "text/html"}}])
    flow = {"x-adobe-flow-id": client.emulator.flow_id}
    async with client.session.post(client.batch_url, json={"messages": []}, headers=flow) as answer:
        assert answer.headers.getall("Content-Type") == ["text/html"]


async def test_an_error_can_hide_in_a_200(start: Any) -> None:
    client = await start(faults=[{"body_is": "error_in_200"}])
    status, answer = await client.batch([b"{}"])
    assert (status, answer["status"]) == (200, 500)
    assert kept(client) == 0


@pytest.mark.parametrize("text", ["soon", "-5", "0.5", "Wed, 21 Oct 2015 07:28:00 GMT"])
async def test_any_retry_after_can_be_sent(start: Any, text: str) -> None:
    client = await start(faults=[{"status": 429, "retry_after": text}])
    assert f"Retry-After: {text}\r\n".encode() in await exchange(client, wait=0.3)


async def test_retry_after_can_be_a_date_ahead(start: Any) -> None:
    client = await start(faults=[{"status": 503, "retry_after": "date+30"}])
    answer = (await exchange(client, wait=0.3)).decode()
    line = next(line for line in answer.splitlines() if line.startswith("Retry-After"))
    date = email.utils.parsedate_to_datetime(line.partition(": ")[2])
    assert 25 < date.timestamp() - time.time() < 31


async def test_records_can_be_accepted_behind_an_error(start: Any) -> None:
    client = await start(faults=[{"status": 500, "accept": True}])
    assert (await client.batch([b"{}"]))[0] == 500
    assert kept(client) == 1


async def test_a_reset_before_any_byte_accepts_nothing(start: Any) -> None:
    client = await start(faults=[{"reset": 0}])
    assert await exchange(client) == b"<reset>"
    assert kept(client) == 0
    assert (await client.stats())["requests_by_status"] == {"none": 1}


async def test_a_reset_after_some_bytes_breaks_the_true_answer(start: Any) -> None:
    client = await start(faults=[{"reset": 30}])
    assert await exchange(client) == b"HTTP/1.1 207 Multi-Status\r\nCon<reset>"
    assert kept(client) == 1


async def test_a_reset_after_some_bytes_of_an_error_accepts_nothing(start: Any) -> None:
    client = await start(faults=[{"status": 503, "reset": 12}])
    assert await exchange(client) == b"HTTP/1.1 503<reset>"
    assert kept(client) == 0


async def test_an_answer_can_be_lost_after_the_records_were_accepted(start: Any) -> None:
    client = await start(faults=[{"when": {"requests": 1}, "accept_then_reset": True}])
    assert await exchange(client) == b"<reset>"
    assert kept(client) == 1
    with_double = await client.batch([b'{"a":1}'])
    assert with_double[0] == 207
    assert (await client.stats())["duplicates"] == 1


async def test_an_answer_can_be_cut_short_of_its_content_length(start: Any) -> None:
    client = await start(faults=[{"truncate": 20}])
    head, _, body = (await exchange(client)).partition(b"\r\n\r\n")
    assert body == b'{"inletId":"c0ffee5c'
    length = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0])
    assert length > 100
    assert kept(client) == 1
    with pytest.raises(aiohttp.ClientPayloadError):
        await client.batch([b"{}"])


async def test_a_delay_holds_the_answer_back_and_not_the_records(start: Any) -> None:
    client = await start(faults=[{"delay": 0.3}])
    began = time.monotonic()
    pending = asyncio.ensure_future(client.batch([b"{}"]))
    await client.until(lambda stats: stats["records_accepted"] == 1)
    assert time.monotonic() - began < 0.25
    assert (await pending)[0] == 207
    assert time.monotonic() - began >= 0.3


async def test_a_hung_request_ends_by_closing(start: Any) -> None:
    client = await start(faults=[{"hang": 0.2}])
    began = time.monotonic()
    assert await exchange(client) == b""
    assert time.monotonic() - began >= 0.2
    assert kept(client) == 0


async def test_a_hung_request_ends_when_its_client_goes(start: Any) -> None:
    client = await start(faults=[{"hang": True}])
    assert await exchange(client, wait=0.2) == b"<silence>"
    await client.until(lambda stats: stats["requests_in_flight"] == 0)
    assert (await client.stats())["requests_by_status"] == {"none": 1}


async def test_a_hung_request_can_have_been_accepted(start: Any) -> None:
    client = await start(faults=[{"hang": 0.05, "accept": True}])
    assert await exchange(client) == b""
    assert kept(client) == 1


async def test_gzip_alone_can_be_answered_with_an_error(start: Any) -> None:
    import gzip

    client = await start(faults=[{"when": {"encoding": "gzip"}, "status": 400}])
    wire = gzip.compress(b'{"messages":[{}]}')
    headers = {"Content-Encoding": "gzip"}
    assert (await client.post(client.batch_url, wire, headers=headers))[0] == 400
    assert (await client.batch([b"{}"]))[0] == 207


async def test_records_are_refused_by_what_they_hold(start: Any) -> None:
    fault = {"when": {"matching": "b"}, "reject": {"status": 422, "message": "has b"}}
    client = await start(faults=[fault])
    _, answer = await client.batch([b'{"a":1}', b'{"b":1}'])
    assert answer["responses"][1] == {"statusCode": 422, "message": "has b"}
    status, answer = await client.single(b'{"b":2}')
    assert (status, answer["status"], answer["report"]["message"]) == (422, 422, "has b")
    assert [json.loads(line)["record"] for line in client.emulator.rejected().splitlines()] == [
        {"b": 1},
        {"b": 2},
    ]
    assert (await client.stats())["records_rejected"] == 2


async def test_a_fault_applies_to_a_body_that_is_no_batch_too(start: Any) -> None:
    client = await start(faults=[{"when": {"requests": 1, "matching": "broken"}, "status": 503}])
    assert (await client.post(client.batch_url, b"broken"))[0] == 503
    assert (await client.post(client.batch_url, b"broken"))[0] == 400
