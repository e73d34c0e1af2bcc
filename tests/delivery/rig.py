"""Inlets whose answers the test decides, and a pipeline between a feed and one of them."""

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from agent.app.parts import build
from agent.config import load
from agent.config.model import Config
from agent.supervisor import Supervisor

SOON = 10.0  # seconds that nothing here may take
BATCH_ID = "1565628583792:1485:{}"


@dataclass(frozen=True)
class Request:
    """One request as it came: its records byte for byte."""

    records: list[bytes]
    gzipped: bool
    headers: Mapping[str, str]
    path: str
    at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Reply:
    """What to answer."""

    status: int = 207
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Rule = Callable[[Request], "Reply | Awaitable[Reply]"]


class Inlet:
    """An inlet on a free port that accepts everything, until `rule` says otherwise."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.rule: Rule = self.accept
        self.url = ""

    def accept(self, request: Request) -> Reply:
        """Take every record."""
        return self.verdicts(request, {})

    def verdicts(self, request: Request, refused: Mapping[bytes, tuple[int, str]]) -> Reply:
        """Take the records, but for some that are refused with a status and a message."""
        batch = BATCH_ID.format(len(self.requests))
        items: list[dict[str, object]] = []
        for index, record in enumerate(request.records):
            if record in refused:
                status, message = refused[record]
                items.append({"statusCode": status, "message": message})
            else:
                items.append({"xactionId": f"{batch}:{index}"})
        answer = {"batchId": batch, "receivedTimeMs": 1565628583792, "responses": items}
        return Reply(body=json.dumps(answer).encode())

    @property
    def records(self) -> list[bytes]:
        """Every record of every request, in order of arrival."""
        return [record for request in self.requests for record in request.records]

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Inlet"]:
        """Listen on a free port."""
        app = web.Application(client_max_size=1 << 24)
        app.router.add_post("/{path:.*}", self._answer)
        runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True
        )
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        self.url = f"http://{host}:{port}/collection/inlet"
        try:
            yield self
        finally:
            await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        body = await request.read()
        came = Request(
            body.removeprefix(b'{"messages":[').removesuffix(b"]}").split(b",\n"),
            request.headers.get("Content-Encoding") == "gzip",
            dict(request.headers),
            request.path,
        )
        self.requests.append(came)
        reply = self.rule(came)
        if not isinstance(reply, Reply):
            reply = await reply
        return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


Talk = Callable[[bytes, asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def talking(talk: Talk, **server: Any) -> AsyncIterator[str]:
    """Listen on a free port and say whatever *talk* says to each request; the host and port."""
    tasks: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.current_task())
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await talk(head, reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.transport.abort()

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, **server)
    try:
        yield f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()
        for task in tasks:
            if task:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task), return_exceptions=True)


async def body_of(head: bytes, reader: asyncio.StreamReader) -> bytes:
    """The body that follows the head of a request."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return await reader.readexactly(int(value))
    return b""


def closing_once(bodies: list[bytes]) -> Talk:
    """Note every body; read the first one and close without a word, accept all later ones."""

    async def talk(head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bodies.append(await body_of(head, reader))
        if len(bodies) == 1:
            writer.close()
            return
        count = bodies[-1].count(b"\n") + 1
        items = ",".join(f'{{"xactionId":"1:2:3:{index}"}}' for index in range(count))
        answer = f'{{"batchId":"1:2:3","responses":[{items}]}}'.encode()
        writer.write(b"HTTP/1.1 207 x\r\nContent-Length: %d\r\n\r\n%b" % (len(answer), answer))

    return talk


def config(url: str, data_dir: Path, **settings: object) -> Config:
    """A configuration; `batch__max_bytes="2KB"` sets batch.max_bytes."""
    overrides: dict[str, object] = {
        "inlet.url": url,
        "inlet.flow_id": "flow",
        "inlet.compression": "none",
        "data_dir": data_dir,
        "batch.max_wait": "20ms",
        "buffer.type": "memory",
        "delivery.max_in_flight": 2,
        "delivery.retry.initial": "2ms",
        "delivery.retry.max": "20ms",
        "admin.listen": "null",
        "shutdown.grace": "5s",
    }
    overrides |= {name.replace("__", "."): value for name, value in settings.items()}
    return load(None, overrides=overrides, environ={})


class Parts:
    """The parts of an agent with one flow: the store, and those of its pipeline."""

    def __init__(self, config: Config) -> None:
        built = build(config)
        self.store = built.store
        (self.pipeline,) = built.each

    def __getattr__(self, name: str) -> Any:
        return getattr(self.pipeline, name)


@asynccontextmanager
async def opened(url: str, data_dir: Path, **settings: object) -> AsyncIterator[Parts]:
    """The parts of a pipeline, none of them running."""
    parts = Parts(config(url, data_dir, **settings))
    try:
        yield parts
    finally:
        await parts.inlet.close()
        await parts.store.close()


@asynccontextmanager
async def delivering(url: str, data_dir: Path, **settings: object) -> AsyncIterator[Parts]:
    """A pipeline at work; at the end everything it was fed must be settled, the budget empty."""
    async with opened(url, data_dir, **settings) as parts:
        async with Supervisor() as tasks:
            tasks.start_endless("token", parts.tokens.run())
            tasks.start_endless("batcher", parts.batcher.run())
            tasks.start_endless("store watch", parts.store.watch())
            sending = [
                tasks.start(f"sender {number}", parts.senders.run())
                for number in range(parts.senders._gate.limit.ceiling)
            ]
            yield parts
            await parts.batcher.flush()
            parts.spool.close()
            await asyncio.wait_for(asyncio.gather(*sending), SOON)
            await settled(parts)
        assert parts.budget.held == 0
        assert parts.spool.statistics().batches == 0
        totals = parts.settler.totals
        ended = totals.dead_lettered.total() + totals.filtered.total()
        assert read(parts) == totals.accepted + ended
        assert parts.store.unsettled() == 0


def read(parts: Parts) -> int:
    """How many records were read."""
    return int(parts.meters.records_read.total())


async def settled(parts: Parts) -> None:
    """Wait until everything handed to the store is durable."""
    while writing := parts.settler.writing:
        await asyncio.wait_for(asyncio.wait(writing), SOON)


async def held_by(parts: Parts, sender: "asyncio.Task[None]") -> int:
    """Wait for a sender to end; how many batches are left, none of them leased."""
    await asyncio.wait_for(asyncio.gather(sender, return_exceptions=True), SOON)
    assert parts.spool.statistics().leased == 0
    return parts.spool.statistics().batches


async def fed(parts: Parts, content: bytes, source: str = "app.log", *, block: int = 0) -> None:
    """Feed a source's whole content, in one go or in blocks of some size."""
    feed = parts.intake.feed(source)
    block = block or max(len(content), 1)
    for start in range(0, len(content), block):
        await asyncio.wait_for(feed.put(content[start : start + block]), SOON)
    await feed.end()


def first(count: int, reply: Reply, then: Rule) -> Rule:
    """The same reply to so many requests, then another rule."""
    left = iter([reply] * count)
    return lambda request: next(left, None) or then(request)


async def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(SOON):
        while not condition():  # noqa: ASYNC110  # what is waited for is told to nobody
            await asyncio.sleep(0.002)


@dataclass(frozen=True)
class Kept:
    """What the store holds."""

    letters: list[dict[str, Any]]
    receipts: list[dict[str, Any]]
    spans: list[tuple[str, int, int, int, int]]  # source, line, offset, count, newline
    positions: dict[str, int]  # the line of each source that is to be read next

    def why(self) -> list[tuple[bytes, str]]:
        """Record and reason of every dead letter, by position."""
        return [(letter["record"], letter["reason"]) for letter in self.letters]


def kept(data_dir: Path) -> Kept:
    """Read the store's file as anybody with SQLite would."""
    with _database(data_dir) as rows:
        return Kept(
            letters=rows(
                "SELECT d.*, s.name AS source, r.record FROM dead_letters d"
                " JOIN sources s ON s.id = d.source_id"
                ' JOIN dead_letter_records r ON r.id = d.id ORDER BY s.name, d."offset"'
            ),
            receipts=rows("SELECT * FROM receipts ORDER BY id"),
            spans=[
                tuple(row.values())  # type: ignore[misc]
                for row in rows(
                    'SELECT s.name, line, "offset", count, newline FROM receipt_spans'
                    ' JOIN sources s ON s.id = source_id ORDER BY s.name, "offset"'
                )
            ],
            positions={
                row["name"]: row["line"]
                for row in rows(
                    "SELECT s.name, line FROM positions JOIN sources s ON s.id = source_id"
                )
            },
        )


@contextmanager
def _database(data_dir: Path) -> Iterator[Callable[[str], list[dict[str, Any]]]]:
    with closing(sqlite3.connect(data_dir / "store.db")) as connection:
        connection.row_factory = sqlite3.Row
        yield lambda query: [dict(row) for row in connection.execute(query)]


def lines(records: Sequence[bytes], newline: bytes = b"\n") -> bytes:
    """The records, one a line."""
    return b"".join(record + newline for record in records)


def orders(count: int, size: int = 0) -> list[bytes]:
    """Records that differ, some not ASCII, each at least so many bytes long."""
    return [
        b'{"order":%d,"text":"%b"}' % (n, ("é" if n % 3 else "e").encode() + b"x" * size)
        for n in range(count)
    ]
