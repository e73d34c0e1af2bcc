"""What is pushed and cannot be taken: whoever sent it is told, and nobody else notices."""

import gzip
import http.client
import json
import signal
import socket
import zlib
from pathlib import Path
from typing import Any

import pytest

from support.accounts import kept_in
from support.agent import aep_agent, eventually
from support.emulator import RunningEmulator
from support.pushing import HEAD, Pushing, configuration, read_soon, reset, whole


@pytest.mark.parametrize(
    "cut",
    [
        HEAD + b'Content-Length: 9\r\n\r\n{"a":1}',
        HEAD + b'Content-Length: 700\r\n\r\n{"a":1}\n{"b":2}\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\nzz\r\n',
        HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n-1\r\n',
        HEAD
        + b"Content-Encoding: gzip\r\nContent-Length: 30\r\n\r\n"
        + gzip.compress(b'{"a":1}\n' * 9)[:30],
    ],
)
@pytest.mark.parametrize("how", ["half", "reset"])
def test_half_a_body_is_no_records(
    cut: bytes, how: str, pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator)
    client = door.connected()
    client.sendall(cut)
    read_soon()
    if how == "reset":
        reset(client)
    else:
        client.shutdown(socket.SHUT_WR)
        assert b" 200 " not in whole(client)
        client.close()

    assert door.post(b'{"z":1}').json == {"durable": 1}
    assert pushing.stopped() == 0
    assert emulator.records() == [b'{"z":1}']
    assert kept_in(pushing.data_dir).dead_letters == []


REFUSALS: list[tuple[str, dict[str, Any], int, str]] = [
    ("nothing is here", {"path": "/other"}, 404, "push records to /, /collection/{inletId}"),
    ("another inlet", {"path": "/collection/other"}, 404, "another inlet"),
    ("another flow", {"path": "SINGLE", "x_adobe_flow_id": "x"}, 400, "another flow"),
    ("method", {"method": "PUT"}, 405, "use POST"),
    ("type", {"content_type": "text/html"}, 415, "text/html is not taken"),
    ("smile", {"path": "SINGLE", "content_type": "application/x-jackson-smile"}, 415, "json"),
    ("charset", {"content_type": "application/json; charset=utf-16"}, 415, "UTF-8"),
    ("encoding", {"content_encoding": "br"}, 415, "send gzip, deflate, zstd or none"),
    ("no gzip", {"content_encoding": "gzip"}, 400, "not gzip"),
    ("no deflate", {"content_encoding": "deflate"}, 400, "deflate"),
    ("validation", {"path": "SINGLE?syncValidation=true"}, 501, "syncValidation"),
    ("empty", {"body": b""}, 400, "empty"),
    ("half JSON", {"body": b'[{"a":1},'}, 400, "ends at byte 9"),
    ("no batch", {"path": "BATCH", "body": b"[]"}, 400, "expected `object`"),
    ("large", {"body": b"x" * 20_000}, 413, "more than 10000 bytes"),
    ("large chunks", {"body": (b"x" * 6000 for _ in range(3))}, 413, "more than 10000 bytes"),
    ("bomb", {"body": gzip.compress(b" " * 10**7), "content_encoding": "gzip"}, 413, "10000"),
    ("bomb", {"body": zlib.compress(b" " * 10**6), "content_encoding": "deflate"}, 413, "10000"),
    (
        "many members",
        {"body": gzip.compress(b"") * 300, "content_encoding": "gzip"},
        400,
        "the body is empty",
    ),
]


def test_what_cannot_be_taken_is_answered_with_what_to_do(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator, {"max_body_bytes": "10KB"})
    for what, request, status, words in REFUSALS:
        asked = {"body": b'{"a":1}', **request}
        path = str(asked.get("path", "/"))
        asked["path"] = path.replace("SINGLE", door.single).replace("BATCH", door.batch)
        answer = door.post(**asked)

        assert (answer.status, words in answer.detail) == (status, True), (what, answer)
        assert answer.json["report"] == {"message": answer.detail}
        if status == 405:
            assert answer.headers["Allow"] == "POST"
    assert pushing.stopped() == 0
    assert emulator.stats()["requests"] == 0


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 90,  # TLS
        b"\x00\xff" * 200 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: -4\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"x: y\r\n" * 500 + b"\r\n",
        b"POST /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_not_http_is_answered_400_and_its_neighbours_do_not_notice(
    garbage: bytes, pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator)
    neighbour = http.client.HTTPConnection(*door.address, timeout=10)
    assert door.asked(neighbour, b'{"a":1}').status == 200

    assert b" 400 Bad Request" in door.said(garbage)
    assert door.asked(neighbour, b'{"a":2}').status == 200
    neighbour.close()
    done = _stopped(pushing)
    assert done == (0, [])


def _stopped(pushing: Pushing) -> tuple[int, list[str]]:
    """Exit status, and what was logged besides that it stopped."""
    pushing.agent.signal(signal.SIGTERM)
    done = pushing.agent.finished()
    return done.code, [
        line["event"] for line in done.log if line["event"] not in ("stopping", "stopped")
    ]


@pytest.mark.parametrize("kept_in_file", [False, True])
def test_a_token_is_asked_for_and_never_shown(
    kept_in_file: bool, pushing: Pushing, emulator: RunningEmulator, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    file.write_text("first-secret\n")
    token = {"token_file": str(file)} if kept_in_file else {"token": "first-secret"}
    door = pushing(emulator, token, log={"format": "json", "level": "debug"})
    record = b'{"a":1}'

    for headers in ({}, {"authorization": "Bearer other"}, {"authorization": "first-secret"}):
        refused = door.post(record, **headers)
        assert (refused.status, refused.headers["WWW-Authenticate"]) == (401, "Bearer")
        assert "first-secret" not in refused.detail
    assert door.post(record, authorization="bearer first-secret").status == 200
    if kept_in_file:
        file.write_text("second-secret\n")
        second = {"authorization": "Bearer second-secret"}
        eventually(lambda: door.post(record, **second).status == 200)
        assert door.post(record, authorization="Bearer first-secret").status == 401
    pushing.agent.signal(signal.SIGTERM)
    done = pushing.agent.finished()
    assert b"secret" not in done.stdout + done.stderr


def test_a_client_that_asks_first_is_told_before_it_sends(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator, {"max_body_bytes": "10KB"})
    head = b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nConnection: close\r\n"
    with door.connected() as client:
        client.sendall(head + b"Content-Length: 7\r\n\r\n")
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b'{"a":1}')
        assert b'{"durable":1}' in whole(client)
    with door.connected() as client:
        client.sendall(head + b"Content-Length: 70000\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 413 ")
    assert pushing.stopped() == 0


def test_slow_clients_are_given_up_and_hold_nobody_up(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator, {"body_timeout": "500ms", "idle_timeout": "1s"})
    slow = [door.connected() for _ in range(50)]
    for number, client in enumerate(slow):
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
        client.sendall(head if number % 2 else head[:30])
    assert door.post(b'{"a":1}').json == {"durable": 1}

    answers = [whole(client) for client in slow]
    for client in slow:
        client.close()
    assert all(b" 408 " in answer for answer in answers[1::2])
    assert answers[::2] == [b""] * 25
    assert pushing.stopped() == 0
    assert emulator.records() == [b'{"a":1}']


def test_an_address_that_is_taken_stops_it_before_anything_is_read(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    listen = f"127.0.0.1:{emulator.port}"
    pushing.config.write_text(
        json.dumps(configuration(emulator, pushing.data_dir, {"listen": listen}))
    )
    done = aep_agent("run", pushing.config)

    assert done.code == 78
    assert listen in done.stderr.decode()
