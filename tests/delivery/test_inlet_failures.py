import asyncio
import gzip
import socket
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from agent.delivery.inlet import Answer
from agent.errors import Unavailable
from delivery.posting import (
    BODY,
    LIMITS,
    answer_of,
    client,
    closing,
    failure_of,
    post_to,
    resetting,
    saying,
)
from delivery.rig import Inlet, Reply, Talk, body_of, talking


async def test_a_connection_nobody_accepts_is_given_up_in_its_time() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        callers = [socket.socket() for _ in range(3)]
        for caller in callers:  # the queue holds one or two: then no SYN is answered
            caller.setblocking(False)
            caller.connect_ex(address)
        limits = replace(LIMITS, connect=0.1)
        async with client(f"http://127.0.0.1:{address[1]}/secret-path", limits) as inlet:
            begun = time.monotonic()
            with pytest.raises(Unavailable, match=r"^no connection in time \(inlet.timeouts.conn"):
                await inlet.post(BODY, gzipped=False)
            assert 0.1 <= time.monotonic() - begun < 2.0
        for caller in callers:
            caller.close()


async def forever(head: bytes, reader, writer) -> None:
    await asyncio.sleep(60)


async def test_an_inlet_that_never_answers_is_given_up_in_its_time() -> None:
    words = await failure_of(forever, limits=replace(LIMITS, answer=0.1))
    assert words == "no answer in time (inlet.timeouts.answer)"


async def test_an_answer_that_stalls_half_way_is_given_up_in_its_time() -> None:
    async def talk(head: bytes, reader, writer) -> None:
        writer.write(answer_of(b"x" * 1000)[:500])
        await asyncio.sleep(60)

    words = await failure_of(talk, limits=replace(LIMITS, answer=0.1))
    assert words == "no answer in time (inlet.timeouts.answer)"


async def test_an_answer_that_drips_for_ever_is_given_up_in_the_total_time() -> None:
    async def talk(head: bytes, reader, writer) -> None:
        writer.write(b"HTTP/1.1 207 x\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await asyncio.sleep(0.02)

    words = await failure_of(talk, limits=replace(LIMITS, answer=0.2, total=0.3))
    assert words == "not sent and answered in time (inlet.timeouts.total)"


async def test_an_inlet_that_stops_reading_is_given_up_in_the_total_time() -> None:
    limits = replace(LIMITS, answer=0.2, total=0.3)
    words = await failure_of(forever, body=b"x" * 20_000_000, limits=limits)
    assert "in time" in words


async def test_a_refused_connection_names_host_and_port() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        async with client(f"http://127.0.0.1:{port}/secret") as inlet:
            with pytest.raises(Unavailable) as raised:
                await inlet.post(BODY, gzipped=False)
    assert str(raised.value).startswith(f"cannot connect to 127.0.0.1:{port}: ")
    assert "secret" not in str(raised.value)


async def test_a_host_without_an_address_is_unavailable() -> None:
    async with client("http://no-such-host.invalid/x") as inlet:
        with pytest.raises(Unavailable, match=r"^cannot connect to no-such-host\.invalid:80: "):
            await inlet.post(BODY, gzipped=False)


WHOLE = answer_of(b'{"batchId":"b","responses":[{"xactionId":"b:0"}]}')


@pytest.mark.parametrize("sent", range(0, len(WHOLE), 5))
@pytest.mark.parametrize("breaking", [resetting, closing])
async def test_an_answer_cut_anywhere_is_no_answer(
    breaking: Callable[[bytes], Talk], sent: int
) -> None:
    assert await failure_of(breaking(WHOLE[:sent]))


async def test_a_connection_closed_before_the_answer_is_said_to_be() -> None:
    assert await failure_of(closing(b"")) == "the connection was closed before the answer"
    assert await failure_of(closing(WHOLE[:-1])) == "the answer broke off"


async def test_an_answer_that_ends_with_its_connection_is_whole() -> None:
    answer = await post_to(closing(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nall of it"))
    assert answer == Answer(200, b"all of it", None)


async def test_an_inlet_that_only_closed_its_ear_still_answers() -> None:
    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        writer.get_extra_info("socket").shutdown(socket.SHUT_RD)
        writer.write(WHOLE)

    assert (await post_to(talk)).status == 207


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 two hundred\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnot a size\r\nx",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"\0" * 100,
        answer_of(b"this is no gzip", "200 OK", "Content-Encoding: gzip"),
    ],
    ids=range(8),
)
async def test_what_is_no_answer_is_unavailable(answer: bytes) -> None:
    assert await failure_of(closing(answer))


async def test_an_answer_in_chunks_is_one_answer() -> None:
    chunks = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    answer = await post_to(saying(b"HTTP/1.1 207 x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks))
    assert answer.body == b"hello world"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_compressed_answer_is_read(coding: str) -> None:
    body = gzip.compress(b"hello") if coding == "gzip" else zlib.compress(b"hello")
    answer = await post_to(saying(answer_of(body, "207 x", f"Content-Encoding: {coding}")))
    assert answer.body == b"hello"


async def test_an_answer_longer_than_is_read_is_no_answer() -> None:
    limits = replace(LIMITS, answer_bytes=1000)
    assert (await post_to(saying(answer_of(b"x" * 1000)), limits=limits)).body == b"x" * 1000
    words = await failure_of(saying(answer_of(b"x" * 1001)), limits=limits)
    assert words == "the answer is longer than 1000 bytes"


async def test_an_answer_without_end_takes_bounded_memory() -> None:
    async def talk(head: bytes, reader, writer) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"10000\r\n" + b"x" * 65_536 + b"\r\n")
            await writer.drain()

    words = await failure_of(talk, limits=replace(LIMITS, answer_bytes=1_000_000))
    assert words == "the answer is longer than 1000000 bytes"


async def test_a_gzip_bomb_of_an_answer_takes_bounded_memory() -> None:
    bomb = gzip.compress(b"\0" * 200_000_000, 9)
    assert len(bomb) < 250_000
    answer = answer_of(bomb, "207 x", "Content-Encoding: gzip")
    tracemalloc.start()
    try:
        words = await failure_of(saying(answer), limits=replace(LIMITS, answer_bytes=1_000_000))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert words == "the answer is longer than 1000000 bytes"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_nothing_goes_where_it_points(
    inlet: Inlet, status: int
) -> None:
    went = []

    async def elsewhere(head: bytes, reader, writer) -> None:
        went.append(head)
        writer.write(answer_of(b""))

    async with talking(elsewhere) as place:
        inlet.rule = lambda request: Reply(status, b"", {"Location": f"http://{place}/"})
        async with client(inlet.url, headers={"Authorization": "Bearer secret"}) as posting:
            answer = await posting.post(BODY, gzipped=False)
    assert answer.status == status
    assert went == []


async def test_a_cookie_is_not_kept(inlet: Inlet) -> None:
    inlet.rule = lambda request: Reply(207, b"", {"Set-Cookie": "a=b; Path=/"})
    by_name = inlet.url.replace("127.0.0.1", "localhost")  # cookies of bare addresses never are
    async with client(by_name) as posting:
        for _ in range(2):
            await posting.post(BODY, gzipped=False)
    assert all("Cookie" not in request.headers for request in inlet.requests)


@pytest.mark.parametrize("size", [900_000, 20_000_000])
async def test_a_connection_cut_while_a_request_is_sent_is_told_without_the_address(
    size: int,
) -> None:
    """Whoever knows the address of an inlet can write to it: it does not belong in a log."""

    async def talk(head: bytes, reader, writer) -> None:
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    words = await failure_of(talk, body=b"x" * size)
    assert "://" not in words
    assert "/x" not in words
    assert "connection" in words


@pytest.mark.parametrize(
    "answer",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"HTTP/1.1 207 x\r\n" + b"X: y\r\n" * 100_000 + b"\r\n",
        b"HTTP/1.1 207 x\r\nContent-Length: 5\r\nContent-Length: 9\r\n\r\n{}   {}  ",
    ],
    ids=["tls", "a head without end", "two lengths"],
)
async def test_what_is_no_http_is_told_in_words(answer: bytes) -> None:
    assert await failure_of(saying(answer)) == "what answers there does not speak HTTP as it should"
