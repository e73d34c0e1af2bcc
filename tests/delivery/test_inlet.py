import asyncio
import gzip
import json
from collections.abc import Awaitable
from dataclasses import replace

import pytest

from agent import __version__
from agent.delivery.inlet import Answer, batch_url, reason, single_url
from agent.errors import Unauthorized
from delivery.posting import (
    BODY,
    LIMITS,
    answer_of,
    client,
    saying,
)
from delivery.rig import Inlet, Reply, Request, body_of, talking, until


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


# Tokens.


class Issuer:
    """Tokens as the test decides, and the ones that were refused."""

    def __init__(self, token: str | None) -> None:
        self.on_change = lambda: None
        self.token = token
        self.refusals: list[str] = []

    async def current(self) -> str | None:
        if self.token is None:
            raise Unauthorized("no token yet")
        return self.token

    def refused(self, token: str) -> None:
        self.refusals.append(token)

    async def run(self) -> None:
        await asyncio.Event().wait()


async def test_each_request_carries_the_token_of_its_time(inlet: Inlet) -> None:
    issuer = Issuer("one")
    async with client(inlet.url, tokens=issuer) as posting:
        await posting.post(BODY, gzipped=False)
        issuer.token = "two"
        await posting.post(gzip.compress(BODY), gzipped=True)
    carried = [request.headers.get("Authorization") for request in inlet.requests]
    assert carried == ["Bearer one", "Bearer two"]
    assert issuer.refusals == []


async def test_nothing_is_sent_without_a_token_where_one_is_needed(inlet: Inlet) -> None:
    async with client(inlet.url, tokens=Issuer(None)) as posting:
        with pytest.raises(Unauthorized, match="no token yet"):
            await posting.post(BODY, gzipped=False)
    assert inlet.requests == []


@pytest.mark.parametrize(
    ("status", "refused"), [(401, ["one"]), (403, ["one"]), (400, []), (503, []), (207, [])]
)
async def test_the_issuer_hears_which_token_was_refused(
    inlet: Inlet, status: int, refused: list[str]
) -> None:
    issuer = Issuer("one")
    inlet.rule = lambda request: Reply(status)
    async with client(inlet.url, tokens=issuer) as posting:
        assert (await posting.post(BODY, gzipped=False)).status == status
    assert issuer.refusals == refused


async def test_an_answer_to_an_older_token_is_blamed_on_that_token(inlet: Inlet) -> None:
    issuer = Issuer("old")
    release = asyncio.Event()

    async def late(request: Request) -> Reply:
        await release.wait()
        return Reply(401)

    inlet.rule = late
    async with client(inlet.url, tokens=issuer) as posting:
        first = asyncio.ensure_future(posting.post(BODY, gzipped=False))
        await until(lambda: bool(inlet.requests))
        inlet.rule = inlet.accept
        issuer.token = "new"
        await posting.post(BODY, gzipped=False)
        release.set()
        await first
    assert issuer.refusals == ["old"]
