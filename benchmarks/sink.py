"""What would the platform answer if it cost nothing? A counting inlet on loopback that is never
the bottleneck: one bare protocol on uvloop that keeps no record.

It answers every batch with the documented 207, one id a record. To know how many records a body
holds it counts newlines, which relies on the agent writing one record a line and is therefore
checked against the file by whoever runs it. Run as `python -m benchmarks.sink`; prints one JSON
line when it listens. `GET /stats` tells what it counted, `POST /resume` ends `--stall`, and
`GET /lateness` tells the ages of the stamped records since it was asked last.
"""

import argparse
import asyncio
import json
import re
import resource
import signal
import time
from dataclasses import dataclass, field
from functools import lru_cache
from typing import cast

import uvloop
from isal import isal_zlib

INLET_ID = "b1" * 32
FLOW_ID = "5c2f4f35-8e1b-4c7e-9f2a-7d1d2c0e9a11"
STAMP = re.compile(rb'"sent_ns":(\d+)')
_GZIP = 31  # zlib's window bits for a gzip wrapper
_LARGEST = 1_000_000  # bytes: the platform's limit for a body
_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d+)")
_ENCODED = re.compile(rb"(?i)\r\ncontent-encoding:[ \t]*gzip")
_BATCH_MARK = b"@batch@"


@dataclass(slots=True)
class Counts:
    """What the sink was sent since it started."""

    connections: int = 0
    requests: int = 0
    gzipped: int = 0
    records: int = 0
    bytes_wire: int = 0
    largest_plain: int = 0
    first_answer_ns: int | None = None  # CLOCK_MONOTONIC, which children and parents share
    lateness_ms: list[float] = field(default_factory=list)

    def summary(self) -> dict[str, object]:
        """The counts as JSON, with the CPU seconds of this whole child."""
        used = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "connections": self.connections,
            "requests": self.requests,
            "gzipped": self.gzipped,
            "records": self.records,
            "bytes_wire": self.bytes_wire,
            "largest_plain": self.largest_plain,
            "first_answer_ns": self.first_answer_ns,
            "lateness_ms": self.lateness_ms,
            "cpu_seconds": used.ru_utime + used.ru_stime,
        }


@lru_cache(maxsize=64)
def _items(count: int) -> bytes:
    """The `responses` of `count` accepted records, under the batch mark."""
    return b",".join(b'{"xactionId":"%s:%d"}' % (_BATCH_MARK, n) for n in range(count))


def answer(count: int, batch_id: bytes, now_ms: int) -> bytes:
    """The documented 207 that accepts `count` records, as bytes for the wire."""
    body = b'{"inletId":"%s","batchId":"%s","receivedTimeMs":%d,"responses":[%s]}' % (
        INLET_ID.encode(),
        batch_id,
        now_ms,
        _items(count).replace(_BATCH_MARK, batch_id),
    )
    return _response(b"207 Multi-Status", body)


def _response(status: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (
        status,
        len(body),
        body,
    )


class Sink:
    """The counts, and what every connection of the sink shares."""

    def __init__(self, *, stall: bool, stamps: bool) -> None:
        self.counts = Counts()
        self.stamps = stamps
        self.answering = asyncio.Event()
        if not stall:
            self.answering.set()
        self._held: list[tuple[asyncio.Transport, bytes]] = []

    def take(self, connection: asyncio.Transport, head: bytes, chunks: list[bytes]) -> None:
        """Count one batch and answer it, or hold the answer while stalled."""
        counts = self.counts
        counts.requests += 1
        counts.bytes_wire += sum(map(len, chunks))
        if _ENCODED.search(head):
            counts.gzipped += 1
            chunks = [isal_zlib.decompress(b"".join(chunks), _GZIP, _LARGEST)]
        count = sum(chunk.count(b"\n") for chunk in chunks) + 1
        counts.records += count
        counts.largest_plain = max(counts.largest_plain, sum(map(len, chunks)))
        batch_id = b"%d:%d:1" % (time.time_ns() // 1_000_000, counts.requests)
        self._answer(connection, answer(count, batch_id, time.time_ns() // 1_000_000))
        if self.stamps:
            self._note_lateness(b"".join(chunks))

    def resume(self) -> None:
        """Answer what was held, and from now on at once."""
        self.answering.set()
        for connection, response in self._held:
            self._answer(connection, response)
        self._held.clear()

    def lateness(self) -> list[float]:
        """The ages noted since this was asked last, in milliseconds; what is told is forgotten."""
        ages, self.counts.lateness_ms = self.counts.lateness_ms, []
        return ages

    def _answer(self, connection: asyncio.Transport, response: bytes) -> None:
        if not self.answering.is_set():
            self._held.append((connection, response))
        elif not connection.is_closing():
            connection.write(response)
            if self.counts.first_answer_ns is None:
                self.counts.first_answer_ns = time.monotonic_ns()

    def _note_lateness(self, plain: bytes) -> None:
        """How long ago each stamped record was written, now that its answer is on the wire."""
        now = time.monotonic_ns()
        self.counts.lateness_ms.extend((now - int(stamp)) / 1e6 for stamp in STAMP.findall(plain))


class Connection(asyncio.Protocol):
    """One keep-alive HTTP/1.1 connection whose requests carry a Content-Length."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._transport: asyncio.Transport
        self._head = b""
        self._chunks: list[bytes] = []
        self._missing = 0  # bytes of the body still to come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's by class, only by what they can do.
        self._transport = cast(asyncio.Transport, transport)
        self._sink.counts.connections += 1

    def data_received(self, data: bytes) -> None:
        rest = data
        while rest:
            rest = self._take_body(rest) if self._missing else self._take_head(rest)

    def _take_head(self, arrived: bytes) -> bytes:
        """Read up to the end of a request's head; returns what follows it."""
        head, end, rest = (self._head + arrived).partition(b"\r\n\r\n")
        if not end:
            self._head = head
            return b""
        self._head = head
        length = _LENGTH.search(head)
        self._missing = int(length[1]) if length else 0
        if not self._missing:
            self._finish()
        return rest

    def _take_body(self, arrived: bytes) -> bytes:
        """Read up to the end of a request's body; returns what follows it."""
        chunk, rest = arrived[: self._missing], arrived[self._missing :]
        self._chunks.append(chunk)
        self._missing -= len(chunk)
        if not self._missing:
            self._finish()
        return rest

    def _finish(self) -> None:
        """A whole request is here: answer it and start over."""
        head, chunks = self._head, self._chunks
        self._head, self._chunks = b"", []
        if head.startswith(b"POST /collection/batch/") and chunks:
            self._sink.take(self._transport, head, chunks)
        elif head.startswith(b"GET /stats "):
            body = json.dumps(self._sink.counts.summary()).encode()
            self._transport.write(_response(b"200 OK", body))
        elif head.startswith(b"GET /lateness "):
            ages = json.dumps({"lateness_ms": self._sink.lateness()}).encode()
            self._transport.write(_response(b"200 OK", ages))
        elif head.startswith(b"POST /resume "):
            self._sink.resume()
            self._transport.write(_response(b"200 OK", b"{}"))
        else:
            refusal = b'{"title":"the sink takes only /collection/batch/ with a Content-Length"}'
            self._transport.write(_response(b"404 Not Found", refusal))


async def listen(sink: Sink) -> None:
    """Serve on a free port of 127.0.0.1 until SIGTERM or SIGINT; says where on stdout."""
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    server = await loop.create_server(lambda: Connection(sink), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    inlet_url = f"{url}/collection/{INLET_ID}"
    line = {"listening": url, "inlet_url": inlet_url, "flow_id": FLOW_ID}
    print(json.dumps(line), flush=True)
    await stopping.wait()
    server.close()


def main() -> None:
    """Run a sink as the command line says, until it is told to stop."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sink", description=__doc__)
    parser.add_argument("--stall", action="store_true", help="answer nothing until POST /resume")
    parser.add_argument("--latency", action="store_true", help="note each stamped record's age")
    args = parser.parse_args()

    # Freed bodies are kept for the next ones, see benchmarks.limit.keep_freed_memory.
    bytes(8 << 20)

    async def serve() -> None:
        await listen(Sink(stall=args.stall, stamps=args.latency))

    uvloop.run(serve())


if __name__ == "__main__":
    main()
