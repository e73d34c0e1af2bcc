"""An inlet that misbehaves by chance and remembers, for each record, what it let the client know.

Written apart from both the agent and the emulator, on the standard library alone: a second opinion
on what an answer promises.
"""

import gzip
import json
import random
import socket
import struct
import threading
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Memory:
    """What happened to records; each is known by its text."""

    ids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))  # when accepted
    taken: Counter[str] = field(default_factory=Counter)
    untold: Counter[str] = field(default_factory=Counter)  # taken, and the client cannot know
    told: set[str] = field(default_factory=set)  # the client knows the verdict for certain
    asked_again: list[str] = field(default_factory=list)  # although told
    events: Counter[str] = field(default_factory=Counter)


class Witness(ThreadingHTTPServer):
    """`with Witness(seed) as witness: ...`; records with `"bad": true` are refused for good."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, seed: int) -> None:
        super().__init__(("127.0.0.1", 0), _Exchange)
        self.memory = Memory()
        self.dice = random.Random(seed)
        self.lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,))

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None = None,
        error: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that the client broke off is no news."""


class _Exchange(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Witness

    def do_POST(self) -> None:
        """One request, start to end."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        records = _messages(body.decode())
        with self.server.lock:
            plan = self.server.dice.choices(list(_PLANS), list(_PLANS.values()))[0]
            self.server.memory.events[plan] += 1
            self._notice(records)
            answer = b""
            if plan in _TAKING:
                answer = self._take(records, certain=plan in ("answer", "slow"))
        if plan == "slow":
            time.sleep(0.1)
        self._finish(plan, answer)

    def _notice(self, records: Sequence[str]) -> None:
        memory = self.server.memory
        memory.asked_again += [record for record in records if record in memory.told]

    def _take(self, records: Sequence[str], *, certain: bool) -> bytes:
        """Decide on every record, and write the items; *certain* says that they will arrive."""
        dice, memory = self.server.dice, self.server.memory
        observed = dice.random() < 0.5
        batch = str(uuid.UUID(int=dice.getrandbits(128)))
        if not observed:
            batch = (
                f"{dice.randrange(10**12, 10**13)}:{dice.randrange(10**4)}:{dice.randrange(999)}"
            )
        items: list[tuple[dict[str, Any], str]] = []
        for index, record in enumerate(records):
            xaction_id = f"{batch}{'-' if observed else ':'}{index}"
            item: dict[str, Any] = {"xactionId": xaction_id}
            if '"bad": true' in record or dice.random() < 0.03:
                status: int | str = 400 if '"bad": true' in record else dice.choice((429, 500, 503))
                item |= {"status" if observed else "statusCode": status, "message": "no, not this"}
                if not observed:
                    del item["xactionId"]
                elif dice.random() < 0.3:
                    item["status"] = str(status)
            else:
                memory.taken[record] += 1
                memory.ids[record].add(xaction_id)
            items.append((item, record))
        arriving = self._bent(items, batch) if dice.random() < 0.4 else items
        self._remember(items, arriving, certain=certain)
        return json.dumps(
            {"inletId": "x", "batchId": batch, "responses": [item for item, _ in arriving]}
        ).encode()

    def _bent(self, items: list[Any], batch: str) -> list[Any]:
        """Items too few or too many, or out of order, as far as a true verdict can be told.

        Nobody could where items without ids change places, or where one of nobody fills a gap.
        """
        dice = self.server.dice
        self.server.memory.events["bent"] += 1
        bent = items
        if dice.random() < 0.5:
            bent = [item for item in items if dice.random() > 0.1]
        elif dice.random() < 0.5:
            bent = [*items, ({"statusCode": 400, "message": "of nobody"}, "")]
        double = dice.choice(items)
        if "xactionId" in double[0]:
            bent = [*bent, double]
        if dice.random() < 0.3:
            separator = "-" if "-" in batch else ":"
            bent = [({"xactionId": f"{batch}{separator}{len(items) + 3}"}, ""), *bent]
        if all("xactionId" in item for item, _ in bent) and dice.random() < 0.5:
            return dice.sample(bent, len(bent))
        return bent

    def _remember(self, items: list[Any], arriving: list[Any], *, certain: bool) -> None:
        """A verdict is told for certain by an item with an id, or by an answer that is as it was.

        A failure that may be temporary asks for another attempt: it tells no verdict.
        """
        memory = self.server.memory
        known: set[str] = set()
        if certain:
            for item, record in arriving:
                final = int(item.get("status", item.get("statusCode", 200))) in (200, 400)
                if final and ("xactionId" in item or arriving is items):
                    known.add(record)
        memory.told |= known - {""}
        memory.untold.update(
            record for item, record in items if "message" not in item and record not in known
        )

    def _finish(self, plan: str, answer: bytes) -> None:
        if plan in ("answer", "slow"):
            self._write(207, answer)
        elif plan in ("busy", "broken"):
            self._write(429 if plan == "busy" else 502, b"<html>no</html>")
        elif plan == "taken, then an error":
            self._write(500, b"")
        elif plan == "cut":
            self._write(207, answer[: len(answer) // 2], length=len(answer))
            self._hang_up()
        else:
            self._hang_up()

    def _write(self, status: int, body: bytes, length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def _hang_up(self) -> None:
        self.close_connection = True
        if self.server.dice.random() < 0.5:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


# What becomes of a request, and how often.
_PLANS = {
    "answer": 60,
    "slow": 10,
    "busy": 5,
    "broken": 5,
    "hung up": 5,
    "taken, then hung up": 5,
    "taken, then an error": 5,
    "cut": 5,
}
_TAKING = {"answer", "slow", "taken, then hung up", "taken, then an error", "cut"}


def _messages(body: str) -> list[str]:
    """The text of each message of a batch, found by a parser that knows nothing of lines."""
    head = '{"messages":['
    assert body.startswith(head), body[:50]
    decoder = json.JSONDecoder()
    messages = []
    at = len(head)
    while True:
        _, end = decoder.raw_decode(body, at)
        messages.append(body[at:end])
        if body[end] == "]":
            assert body[end:] == "]}"
            return messages
        assert body[end] == ","
        at = end + 1
        while body[at].isspace():
            at += 1
