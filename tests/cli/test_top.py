import http.server
import json
import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from support.agent import Running, aep_agent, eventually
from support.emulator import RunningEmulator
from support.listening import Listening
from support.terminal import Terminal
from support.watched import address_of, watched

RECORDS = b"".join(b'{"order":%d}\n' % number for number in range(300)) + b"no record\n"
TOP = [sys.executable, "-m", "agent", "top", "--interval", "0.1", "--url"]
NOBODY = "127.0.0.1:1"
FILES = Path(__file__).parents[1] / "delivery" / "certificates"
OURS, CLIENT, CA = FILES / "localhost.pem", FILES / "client.pem", FILES / "ca.pem"
_SEQUENCE = re.compile(rb"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listening]:
    directory = tmp_path_factory.mktemp("watched")
    with RunningEmulator() as emulator, watched(emulator, directory) as running:
        running.send(RECORDS)
        eventually(lambda: running.status()["accepted"] == 300)
        yield running


def test_one_look_shows_what_went_in_and_what_came_of_it(agent: Listening) -> None:
    done = aep_agent("top", "--once", "--url", address_of(agent))
    page = done.stdout.decode()
    assert (done.code, done.stderr) == (0, b"")
    assert "\x1b" not in page
    assert "301 read · 300 accepted · 1 dead-lettered · 0 filtered · 0 dropped · 0 held" in page
    assert "shop" in page
    assert "ready" in page


def test_scripts_get_what_status_says(agent: Listening) -> None:
    done = aep_agent("top", "--once", "--json", "--url", f"http://{address_of(agent)}")
    assert json.loads(done.stdout)["accepted"] == 300


def test_without_a_terminal_there_is_a_line_each_time_until_it_is_stopped(
    agent: Listening,
) -> None:
    running = Running([*TOP[3:], address_of(agent)], stdin=None)
    try:
        assert running.process.stdout
        lines = [running.process.stdout.readline().decode() for _ in range(3)]
        running.signal(signal.SIGINT)
        assert running.finished().code == 0
    finally:
        running.close()
    for line in lines:
        assert " · inlet ready · " in line
        assert "300 accepted · 1 dead-lettered" in line


def test_a_terminal_is_redrawn_as_large_as_the_window_is_and_left_as_it_was(
    agent: Listening,
) -> None:
    said_before = {"COLUMNS": "80", "LINES": "24"}  # as some shells and runners export them
    with Terminal([*TOP, address_of(agent)], said_before, columns=110) as terminal:
        terminal.until("\x1b[?1049h")  # the other screen, so that what was there comes back
        terminal.until("dead-lettered")
        terminal.resize(50, 30)
        shown = b""
        for _ in range(20):
            shown = terminal.until("aep-agent").encode()
            if _widest(shown) <= 50:
                break
        assert 20 < _widest(shown) <= 50
        terminal.type("q")
        assert terminal.ended() == 0
        assert b"\x1b[?1049l" in terminal.shown
        assert b"\x1b[?25h" in terminal.shown  # the cursor


def _widest(shown: bytes) -> int:
    lines = re.split(rb"\n|\x1b\[H", shown)
    return max(len(_SEQUENCE.sub(b"", line).decode().strip("\r")) for line in lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(agent: Listening, number: signal.Signals) -> None:
    with Terminal([*TOP, address_of(agent)]) as terminal:
        terminal.until("dead-lettered")
        if number is signal.SIGINT:
            terminal.interrupt()
        else:
            terminal.signal(number)
        assert terminal.ended() == 0
        assert b"\x1b[?1049l" in terminal.shown


def test_where_nobody_is_there_it_says_so_and_where_to_look() -> None:
    for words in (["--once"], ["--json"], []):
        done = aep_agent("top", "--url", NOBODY, *words)
        assert (done.code, done.stdout) == (1, b"")
        assert b"no agent answers at http://127.0.0.1:1: connection refused" in done.stderr
        assert b"--url" in done.stderr


def test_a_terminal_waits_for_an_agent_that_is_not_there_and_one_that_went(
    tmp_path: Path,
) -> None:
    with Terminal([*TOP, NOBODY]) as terminal:
        terminal.until("no agent answers")
        terminal.until("no agent answers")
        terminal.type("q")
        assert terminal.ended() == 0
    with (
        RunningEmulator() as emulator,
        watched(emulator, tmp_path) as agent,
        Terminal([*TOP, address_of(agent)]) as terminal,
    ):
        terminal.until("dead-lettered")
        agent.agent.close()
        terminal.until("no agent answers")
        terminal.interrupt()
        assert terminal.ended() == 0


class _Other(http.server.BaseHTTPRequestHandler):
    answers: ClassVar[list[tuple[int, dict[str, str], bytes]]] = []

    def do_GET(self) -> None:
        status, headers, body = self.answers[0]
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((200, {}, b"<html>"), "is no aep-agent"),
        ((200, {}, b"[1]"), "is no aep-agent"),
        ((404, {}, b"nothing\x1b[2J here"), "was answered with 404"),
        ((302, {"Location": "http://127.0.0.1:1/"}, b""), "was answered with 302"),
        ((401, {}, b""), "--token-file"),
        ((200, {"Content-Length": "9"}, b"{}"), "no agent answers"),
    ],
)
def test_who_is_no_agent_is_told_from_one(
    answer: tuple[int, dict[str, str], bytes], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_Other, "answers", [answer])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = aep_agent("top", "--once", "--url", f"127.0.0.1:{server.server_port}")
        server.shutdown()
    assert done.code == 1
    assert said in done.stderr.decode()
    assert b"\x1b" not in done.stderr


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "127.0.0.1:x", "http://u:p@h:1"])
def test_a_wrong_url_is_told(url: str) -> None:
    done = aep_agent("top", "--once", "--url", url)
    assert done.code == 1
    assert b"--url" in done.stderr


def test_the_configuration_says_where_the_agent_is(agent: Listening, tmp_path: Path) -> None:
    path = tmp_path / "agent.yaml"
    inlet = "inlet: {url: 'http://127.0.0.1:9/i', flow_id: f}\n"
    path.write_text(f"{inlet}admin: {{listen: '{address_of(agent)}'}}\n")
    assert aep_agent("top", "--once", "--config", path).code == 0
    path.write_text(f"{inlet}admin: {{listen: null}}\n")
    off = aep_agent("top", "--once", "--config", path)
    assert off.code == 1
    assert b"admin.listen is null" in off.stderr


def test_an_agent_with_a_token_and_certificates_is_asked_with_them(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("of-the-admin-port\n")
    admin = {
        "listen": "127.0.0.1:0",
        "token_file": str(tmp_path / "token"),
        "tls": {"cert_file": str(OURS), "client_ca_file": str(CA)},
    }
    words = ["--token-file", tmp_path / "token", "--ca-file", CA]
    with RunningEmulator() as emulator, watched(emulator, tmp_path, admin=admin) as agent:
        address = address_of(agent)
        url = f"https://localhost:{address.rpartition(':')[2]}"
        well = aep_agent("top", "--once", "--url", url, *words, "--cert-file", CLIENT)
        strange = aep_agent("top", "--once", "--url", url, *words)
        plain = aep_agent("top", "--once", "--url", f"http://{address}")
    assert (well.code, well.stderr) == (0, b"")
    assert strange.code == plain.code == 1
    assert b"Traceback" not in strange.stderr + plain.stderr
