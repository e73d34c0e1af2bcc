"""What would the platform answer on such a day, and which records did it accept, how often?

An inlet on loopback that knows records by the ids that `benchmarks.events` gave them, wherever in a
body they stand, and counts each. A record is accepted when its request is judged, before the answer
is on its way: what is lost with an answer was accepted, as it is on the platform.

It has two doors. `/collection/…` takes `{"messages":[…]}`, and nothing else. `/v1/logs` takes
OTLP/JSON, which the platform does not, so that a shipper that speaks nothing else can be counted at
all. Both answer as the platform does. Run as `python -m benchmarks.beside.inlet`; prints one JSON
line when it listens, `GET /counted` tells what it counted.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import uvloop
from aiohttp import web
from isal import isal_zlib

from benchmarks.beside.days import POISON, REFUSED_LAST_DIGIT
from benchmarks.beside.records import ids_in
from benchmarks.sink import FLOW_ID, INLET_ID

_GZIP = 31  # zlib's window bits for a gzip wrapper
_LARGEST = 1_000_000  # bytes: the platform's limit for a body
_ROOM = 64 << 20
_AWAY_AFTER = 2_000  # records, so that a shipper is at full speed by then
_RETRY_AFTER = 2


class Inlet:
    """What it was told to be like, and what it was sent."""

    def __init__(self, told: argparse.Namespace) -> None:
        self._told = told
        self._accepted: Counter[str] = Counter()
        self._refused: set[str] = set()
        self._requests = 0
        self._sent_away = 0
        self._gzipped = 0
        self._last_request = time.monotonic()
        self._back_at: float | None = None

    async def take(self, request: web.Request) -> web.Response:
        """Judge one batch and answer it."""
        self._requests += 1
        self._last_request = time.monotonic()
        if self._is_away():
            self._sent_away += 1
            status = 503 if self._sent_away % 2 else 429
            return web.Response(status=status, headers={"Retry-After": str(_RETRY_AFTER)})
        body = await request.read()
        if request.headers.get("Content-Encoding") == "gzip":
            self._gzipped += 1
            body = isal_zlib.decompress(body, _GZIP)
        wrong = _wrong(request.path, body)
        if wrong:
            return web.json_response({"title": wrong}, status=400)
        records = ids_in(body)
        if self._told.poison and POISON in records:
            self._refused.add(POISON)
            return web.json_response({"title": "Invalid XDM Message Format"}, status=400)
        batch_id = f"{time.time_ns() // 1_000_000}:{self._requests}:1"
        items = [*self._judged(batch_id, records)]
        answer = {"inletId": INLET_ID, "batchId": batch_id, "responses": items}
        if self._told.slow:
            await asyncio.sleep(self._told.slow)
        return web.json_response(answer, status=207)

    def counted(self) -> dict[str, Any]:
        """What it was sent so far."""
        return {
            "requests": self._requests,
            "sent_away": self._sent_away,
            "gzipped": self._gzipped,
            "accepted": len(self._accepted),
            "doubled": sum(1 for times in self._accepted.values() if times > 1),
            "refused": len(self._refused),
            "silent_for": time.monotonic() - self._last_request,
        }

    def ids(self) -> dict[str, list[str]]:
        """The ids of all records that it accepted, and of those that it refused."""
        return {"accepted": [*self._accepted], "refused": [*self._refused]}

    def _is_away(self) -> bool:
        if not self._told.away or len(self._accepted) < _AWAY_AFTER:
            return False
        if self._back_at is None:
            self._back_at = time.monotonic() + self._told.away
        return time.monotonic() < self._back_at

    def _judged(self, batch_id: str, records: list[str]) -> Iterator[dict[str, Any]]:
        """One item of the 207 for each record, in order."""
        for place, record in enumerate(records):
            item: dict[str, Any] = {"xactionId": f"{batch_id}:{place}"}
            if self._told.refuse_tenth and record.endswith(REFUSED_LAST_DIGIT):
                self._refused.add(record)
                item |= {"status": 400, "message": "Invalid XDM Message Format"}
            else:
                self._accepted[record] += 1
            yield item


def _wrong(path: str, body: bytes) -> str:
    """What keeps a body from being a batch; nothing where it is one."""
    if len(body) > _LARGEST and path.startswith("/collection/"):
        return "larger than a megabyte"
    envelope = b'{"messages":[' if path.startswith("/collection/") else b'{"resourceLogs":['
    return "" if body.startswith(envelope) else f"no {envelope.decode()}…"


async def serve(told: argparse.Namespace) -> None:
    """Serve on a free port of 127.0.0.1 for ever; says where on stdout."""
    inlet = Inlet(told)

    async def counted(_: web.Request) -> web.Response:
        return web.json_response(inlet.counted())

    async def ids(_: web.Request) -> web.Response:
        return web.json_response(inlet.ids())

    application = web.Application(client_max_size=_ROOM)
    application.router.add_post("/collection/{batch:.*}", inlet.take)
    application.router.add_post("/v1/logs", inlet.take)
    application.router.add_get("/counted", counted)
    application.router.add_get("/ids", ids)
    runner = web.AppRunner(application, access_log=None, auto_decompress=False)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    inlet_url = f"{url}/collection/{INLET_ID}"
    print(json.dumps({"listening": url, "inlet_url": inlet_url, "flow_id": FLOW_ID}), flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Run an inlet as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside.inlet", description=__doc__)
    parser.add_argument("--refuse-tenth", action="store_true", help="refuse one record in ten")
    parser.add_argument("--poison", action="store_true", help="400 to what holds a certain record")
    parser.add_argument("--away", type=float, default=0, help="so many seconds of 503 and 429")
    parser.add_argument("--slow", type=float, default=0, help="seconds until an answer")
    uvloop.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
