import asyncio
import gzip
import json
import socket
import ssl
import struct
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from delivery.rig import SOON, Inlet, Reply, Request, Talk, body_of, talking

from agent import __version__
from agent.delivery import inlet as module
from agent.delivery.inlet import Answer, InletAddress, InletLimits, batch_url, reason, single_url
from agent.errors import ConfigError, Unavailable

CERTIFICATES = Path(__file__).parent / "certificates"
LIMITS = InletLimits(connect=2.0, answer=2.0, total=5.0, connection_age=60.0, max_in_flight=4)
BODY = b'{"messages":[{}]}'


@asynccontextmanager
async def client(url: str, limits: InletLimits = LIMITS, **address: object) -> AsyncIterator:
    address = {"headers": {"x-adobe-flow-id": "flow"}, **address}
    inlet = module.Inlet(InletAddress(url, **address), limits)
    try:
        yield inlet
    finally:
        await inlet.close()


async def post_to(
    talk: Talk, *, body: bytes = BODY, limits: InletLimits = LIMITS, **address: object
) -> Answer:
    async with talking(talk) as place, client(f"http://{place}/x", limits, **address) as inlet:
        return await asyncio.wait_for(inlet.post(body, gzipped=False), SOON)


async def failure_of(talk: Talk, **how: object) -> str:
    with pytest.raises(Unavailable) as raised:
        await post_to(talk, **how)
    return str(raised.value)


def saying(answer: bytes) -> Talk:
    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        writer.write(answer)

    return talk


def answer_of(body: bytes, status: str = "207 Multi-Status", *headers: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


async def test_an_answer_is_status_body_and_retry_after(inlet: Inlet) -> None:
    replies = iter(
        [Reply(207, b'{"a":1}'), Reply(503, b"later", {"Retry-After": "7"}), Reply(299, b"")]
    )
    inlet.rule = lambda request: next(replies)
    async with client(inlet.url) as posting:
        answers = [await posting.post(BODY, gzipped=False) for _ in range(3)]
    assert answers == [
        Answer(207, b'{"a":1}', None),
        Answer(503, b"later", "7"),
        Answer(299, b"", None),
    ]


async def test_a_request_says_what_it_is_and_who_sends_it(inlet: Inlet) -> None:
    headers = {"x-adobe-flow-id": "flow", "Authorization": "Bearer t"}
    async with client(inlet.url, headers=headers) as posting:
        await posting.post(BODY, gzipped=False)
        await posting.post(gzip.compress(BODY), gzipped=True)
    plain, compressed = inlet.requests
    assert plain.records == compressed.records == [b"{}"]
    assert (plain.gzipped, compressed.gzipped) == (False, True)
    for request in (plain, compressed):
        assert request.headers["Content-Type"] == "application/json"
        assert request.headers["User-Agent"] == f"aep-agent/{__version__}"
        assert request.headers["x-adobe-flow-id"] == "flow"
        assert request.headers["Authorization"] == "Bearer t"
        assert "Transfer-Encoding" not in request.headers
        assert "Cookie" not in request.headers


async def test_a_body_beyond_a_megabyte_is_sent_whole_as_often_as_asked(inlet: Inlet) -> None:
    body = b'{"messages":[{"a":"' + b"x" * 3_000_000 + b'"}]}'
    async with client(inlet.url) as posting:
        for _ in range(2):
            await posting.post(body, gzipped=False)
    assert [len(request.records[0]) for request in inlet.requests] == [3_000_008] * 2


async def test_the_url_is_sent_as_it_was_written() -> None:
    lines = []

    async def talk(head: bytes, reader, writer) -> None:
        lines.append(head.partition(b"\r\n")[0])
        await saying(answer_of(b""))(head, reader, writer)

    async with talking(talk) as place, client(f"http://{place}/a%2Fb?x=%41&y=+") as inlet:
        await inlet.post(BODY, gzipped=False)
    assert lines == [b"POST /a%2Fb?x=%41&y=+ HTTP/1.1"]


# Timeouts, phase by phase.


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


# Connections that break, answers that are none.


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


def resetting(after: bytes) -> Talk:
    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        writer.write(after)
        await writer.drain()
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return talk


def closing(after: bytes) -> Talk:
    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        writer.write(after)
        await writer.drain()
        writer.close()

    return talk


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


# Connections that are kept, and aged.


class Connections:
    """Answers, and counts the connections it was asked over."""

    def __init__(self) -> None:
        self.peers: list[int] = []

    async def talk(self, head: bytes, reader, writer) -> None:
        self.peers.append(writer.get_extra_info("peername")[1])
        await saying(answer_of(b""))(head, reader, writer)


async def test_one_connection_serves_request_after_request() -> None:
    connections = Connections()
    async with talking(connections.talk) as place, client(f"http://{place}/") as inlet:
        for _ in range(5):
            await inlet.post(BODY, gzipped=False)
    assert len(set(connections.peers)) == 1


async def test_a_connection_that_is_old_is_replaced() -> None:
    connections = Connections()
    limits = replace(LIMITS, connection_age=0.1)
    async with talking(connections.talk) as place, client(f"http://{place}/", limits) as inlet:
        for _ in range(2):
            await inlet.post(BODY, gzipped=False)
        await asyncio.sleep(0.12)
        for _ in range(2):
            await inlet.post(BODY, gzipped=False)
    first, second, third, fourth = connections.peers
    assert first == second != third == fourth


async def test_a_request_in_flight_keeps_its_old_connection_to_the_end() -> None:
    release = asyncio.Event()
    asked = asyncio.Event()

    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        if not asked.is_set():
            asked.set()
            await release.wait()
        writer.write(answer_of(b"late"))

    limits = replace(LIMITS, connection_age=0.05)
    async with talking(talk) as place, client(f"http://{place}/", limits) as inlet:
        first = asyncio.ensure_future(inlet.post(BODY, gzipped=False))
        await asked.wait()
        old = inlet._current
        await asyncio.sleep(0.06)
        await inlet.post(BODY, gzipped=False)
        assert inlet._current is not old
        assert old
        assert not old.session.closed
        release.set()
        assert (await first).body == b"late"
        assert old.session.closed


async def test_no_more_connections_are_made_than_requests_may_be_in_flight() -> None:
    connections = Connections()
    limits = replace(LIMITS, max_in_flight=2)
    async with talking(connections.talk) as place, client(f"http://{place}/", limits) as inlet:
        await asyncio.gather(*(inlet.post(BODY, gzipped=False) for _ in range(12)))
    assert len(set(connections.peers)) == 2


async def test_a_kept_connection_that_went_stale_is_unavailable_once() -> None:
    connections = Connections()

    async def talk(head: bytes, reader, writer) -> None:
        await connections.talk(head, reader, writer)
        if len(connections.peers) == 1:
            await writer.drain()
            asyncio.get_running_loop().call_later(0.02, writer.close)

    async with talking(talk) as place, client(f"http://{place}/") as inlet:
        await inlet.post(BODY, gzipped=False)
        await asyncio.sleep(0.05)
        assert (await inlet.post(BODY, gzipped=False)).status == 207


async def test_a_request_that_is_cancelled_leaves_the_others_alone() -> None:
    release = asyncio.Event()

    async def talk(head: bytes, reader, writer) -> None:
        await body_of(head, reader)
        await release.wait()
        writer.write(answer_of(b"here"))

    async with talking(talk) as place, client(f"http://{place}/") as inlet:
        first, second = (asyncio.ensure_future(inlet.post(BODY, gzipped=False)) for _ in range(2))
        await asyncio.sleep(0.05)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        release.set()
        assert (await second).body == b"here"


# TLS.


@pytest.fixture
async def secure() -> AsyncIterator[str]:
    """The address of an inlet whose certificate says localhost."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "localhost.pem")
    async with talking(saying(answer_of(b"safe")), ssl=context) as place:
        yield place.replace("127.0.0.1", "localhost")


async def test_an_inlet_with_a_certificate_of_our_own_authority_is_trusted(secure: str) -> None:
    async with client(f"https://{secure}/", ca_file=CERTIFICATES / "ca.pem") as inlet:
        assert (await inlet.post(BODY, gzipped=False)).body == b"safe"


async def test_an_inlet_of_an_unknown_authority_is_refused_in_words(secure: str) -> None:
    async with client(f"https://{secure}/") as inlet:
        with pytest.raises(Unavailable, match="certificate verify failed") as raised:
            await inlet.post(BODY, gzipped=False)
    assert str(raised.value).startswith(f"cannot connect to {secure}: ")


async def test_a_certificate_for_another_host_is_refused_in_words(secure: str) -> None:
    url = f"https://{secure.replace('localhost', '127.0.0.1')}/"
    async with client(url, ca_file=CERTIFICATES / "ca.pem") as inlet:
        with pytest.raises(Unavailable, match="IP address mismatch"):
            await inlet.post(BODY, gzipped=False)


async def test_verification_can_be_switched_off(secure: str) -> None:
    url = f"https://{secure.replace('localhost', '127.0.0.1')}/"
    async with client(url, verify=False) as inlet:
        assert (await inlet.post(BODY, gzipped=False)).body == b"safe"


async def test_an_inlet_that_does_not_speak_tls_is_unavailable(inlet: Inlet) -> None:
    async with client(inlet.url.replace("http:", "https:")) as posting:
        with pytest.raises(Unavailable):
            await posting.post(BODY, gzipped=False)


async def test_the_agent_shows_its_own_certificate_where_it_has_one() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATES / "localhost.pem")
    context.load_verify_locations(CERTIFICATES / "ca.pem")
    context.verify_mode = ssl.CERT_REQUIRED
    trust = {"ca_file": CERTIFICATES / "ca.pem"}
    async with talking(saying(answer_of(b"safe")), ssl=context) as place:
        url = f"https://{place.replace('127.0.0.1', 'localhost')}/"
        async with client(url, **trust, cert_file=CERTIFICATES / "client.pem") as inlet:
            assert (await inlet.post(BODY, gzipped=False)).body == b"safe"
        async with client(url, **trust) as inlet:
            with pytest.raises(Unavailable):
                await inlet.post(BODY, gzipped=False)


@pytest.mark.parametrize("which", ["ca_file", "cert_file"])
def test_certificates_that_cannot_be_loaded_are_a_configuration_error(
    which: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.pem").write_text("this is no certificate")
    for path in (tmp_path / "bad.pem", tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match=r"^inlet\.tls: cannot load the certificates"):
            module.Inlet(InletAddress("https://localhost/", {}, **{which: path}), LIMITS)


# Proxies.


@asynccontextmanager
async def proxy() -> AsyncIterator[tuple[str, list[bytes]]]:
    heads: list[bytes] = []

    async def talk(head: bytes, reader, writer) -> None:
        heads.append(head)
        await saying(answer_of(b"by proxy"))(head, reader, writer)

    async with talking(talk) as place:
        yield place, heads


async def test_a_configured_proxy_is_asked_for_the_whole_url_with_its_credentials() -> None:
    async with proxy() as (place, heads):
        address = {"proxy": f"http://user:pass@{place}"}
        async with client("http://inlet.invalid/collection/x", **address) as inlet:
            assert (await inlet.post(BODY, gzipped=False)).body == b"by proxy"
    assert heads[0].startswith(b"POST http://inlet.invalid/collection/x HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjpwYXNz\r\n" in heads[0]


@pytest.mark.parametrize("written", ["http://{}", "{}"])
async def test_the_environment_names_a_proxy_with_or_without_its_scheme(
    monkeypatch: pytest.MonkeyPatch, written: str
) -> None:
    async with proxy() as (place, heads):
        monkeypatch.setenv("http_proxy", written.format(place))
        async with client("http://inlet.invalid/x") as inlet:
            assert (await inlet.post(BODY, gzipped=False)).body == b"by proxy"
    assert len(heads) == 1


async def test_a_configured_proxy_is_preferred_to_the_environments(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with (
        proxy() as (place, _),
        client("http://inlet.invalid/x", proxy=f"http://{place}") as inlet,
    ):
        assert (await inlet.post(BODY, gzipped=False)).body == b"by proxy"


@pytest.mark.parametrize("without", ["127.0.0.1", "*", "127.0.0.1:{port}", "other, 127.0.0.1"])
async def test_no_proxy_is_asked_for_hosts_that_need_none(
    monkeypatch: pytest.MonkeyPatch, inlet: Inlet, without: str
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", without.format(port=inlet.url.split(":")[2].split("/")[0]))
    async with client(inlet.url) as posting:
        assert (await posting.post(BODY, gzipped=False)).status == 207


async def test_the_environments_proxy_for_https_is_not_used_for_http(
    monkeypatch: pytest.MonkeyPatch, inlet: Inlet
) -> None:
    monkeypatch.setenv("https_proxy", "socks5://127.0.0.1:9")
    async with client(inlet.url) as posting:
        assert (await posting.post(BODY, gzipped=False)).status == 207


def test_a_proxy_of_another_kind_in_the_environment_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "socks5://user:secret@127.0.0.1:9")
    with pytest.raises(ConfigError, match="found a proxy of the kind socks5") as raised:
        module.Inlet(InletAddress("https://localhost/", {}), LIMITS)
    assert "secret" not in str(raised.value)


async def test_a_proxy_that_refuses_or_is_not_there_never_shows_its_password() -> None:
    words = []
    async with talking(closing(answer_of(b"", "407 Proxy Authentication Required"))) as place:
        for where in (place, "127.0.0.1:9"):
            address = {"proxy": f"http://user:secret@{where}"}
            async with client("https://inlet.invalid/x", **address) as inlet:
                with pytest.raises(Unavailable) as raised:
                    await inlet.post(BODY, gzipped=False)
            words.append(str(raised.value))
    assert words[0] == "the proxy answered 407"
    assert words[1].startswith("cannot connect to 127.0.0.1:9")
    assert not any("secret" in each for each in words)


async def test_tls_goes_through_a_proxy_untouched(secure: str) -> None:
    async def tunnel(head: bytes, reader, writer) -> None:
        port = int(head.split(b" ")[1].split(b":")[1])
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
            while part := await source.read(65_536):
                target.write(part)
            target.close()

        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    address = {"ca_file": CERTIFICATES / "ca.pem"}
    async with (
        talking(tunnel) as place,
        client(f"https://{secure}/", proxy=f"http://{place}", **address) as inlet,
    ):
        assert (await inlet.post(BODY, gzipped=False)).body == b"safe"


# Small things.


def test_batch_goes_in_after_collection_once() -> None:
    single, batch = "https://h/collection/abc?x=1", "https://h/collection/batch/abc?x=1"
    assert batch_url(single) == batch_url(batch) == batch
    assert single_url(batch) == single_url(single) == single
    assert batch_url("https://h/elsewhere") == "https://h/elsewhere"
    assert batch_url("https://h/data/collection/a") == "https://h/data/collection/batch/a"


def test_a_status_is_said_as_people_know_it() -> None:
    assert reason(503) == "503 Service Unavailable"
    assert reason(599) == "599"


async def test_the_rule_of_a_test_may_take_its_time(inlet: Inlet) -> None:
    async def late(request: Request) -> Reply:
        await asyncio.sleep(0)
        return Reply(207, json.dumps({"n": len(request.records)}).encode())

    inlet.rule = late
    async with client(inlet.url) as posting:
        answering: Awaitable[Answer] = posting.post(BODY, gzipped=False)
        assert (await answering).body == b'{"n": 1}'
