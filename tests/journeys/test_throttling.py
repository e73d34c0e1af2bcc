"""Retry-After is a floor for the whole destination, to the second."""

import threading
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.accounts import kept_in
from support.agent import Finished, aep_agent, send_arguments
from support.emulator import Remote
from support.records import lines, orders

Send = Callable[..., Finished]


class Busy(ThreadingHTTPServer):
    """An inlet that answers its fourth request with 429 and notes when each one came."""

    daemon_threads = True
    request_queue_size = 64  # a connection beyond it would be tried again only a second later

    def __init__(self, retry_after: Callable[[], str]) -> None:
        super().__init__(("127.0.0.1", 0), _Answering)
        self.retry_after = retry_after
        self.came: list[float] = []
        self.refused_at = 0.0
        self.lock = threading.Lock()


class _Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Busy

    def do_POST(self) -> None:
        came = time.monotonic()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.lock:
            self.server.came.append(came)
            place = len(self.server.came)
        if place == 4:
            self.server.refused_at = time.monotonic()
            self._answer(429, b"", {"Retry-After": self.server.retry_after()})
            return
        time.sleep(0.05)  # so that other requests are in flight when one is refused
        ids = ",".join(f'{{"xactionId":"b{place}:{i}"}}' for i in range(body.count(b"\n") + 1))
        self._answer(207, f'{{"batchId":"b{place}","responses":[{ids}]}}'.encode(), {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def busy(request: pytest.FixtureRequest) -> Iterator[Busy]:
    with Busy(request.param) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,)).start()
        yield server
        server.shutdown()


@pytest.mark.parametrize(
    "busy",
    [lambda: "2", lambda: formatdate(time.time() + 3, usegmt=True)],
    ids=["seconds", "date"],
    indirect=True,
)
def test_after_a_429_no_request_at_all_comes_before_its_time(busy: Busy, data_dir: Path) -> None:
    port = busy.server_address[1]
    remote = Remote(port, f"http://127.0.0.1:{port}/collection/x", "flow")
    records = orders(600)
    arguments = send_arguments(
        remote, data_dir, "-", batch__max_records=20, inlet__compression="none"
    )
    done = aep_agent(*arguments, stdin=lines(records))

    assert done.code == 0, done.stderr
    assert done.summary["accepted"] == len(kept_in(data_dir).receipts) == 600
    later = [came - busy.refused_at for came in busy.came if came > busy.refused_at + 0.1]
    assert 1.95 <= min(later) < 8
    assert sum(came - min(later) < 0.04 for came in later) == 1, "one asks before all do"
