"""Records pushed over HTTP: what is answered with 2xx is safe, and everything else is told."""

import gzip
import http.client
import json
import signal
import socket
import threading
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from support.accounts import accounted_for, kept_in
from support.agent import aep_agent, eventually
from support.emulator import RunningEmulator
from support.pushing import NAME, Door, Pushing, Reply, configuration, reset, whole
from support.records import lines, orders

DOWN = [{"status": 503}]


def _parallel(posts: list[Callable[[], Reply]], workers: int = 16) -> list[Reply]:
    with ThreadPoolExecutor(workers) as pool:
        return list(pool.map(lambda post: post(), posts))


def test_lines_arrays_and_objects_are_records_byte_for_byte(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator)
    first, second = orders(500), orders(3, first=1000)
    array = b"[" + b" ,\n".join(second) + b"]"
    pretty = b'{\n "a" : [1,\r\n 2]\n}'

    assert door.post(lines(first)).json == {"durable": 500}
    assert door.post(array, content_type="application/json").json == {"durable": 3}
    assert door.post(pretty).json == {"durable": 1}
    assert door.post(b"[]").json == {"durable": 0}
    assert pushing.stopped() == 0
    told = [*first, *second, b'{  "a" : [1,   2] }']
    accounted_for({NAME: told}, emulator, pushing.data_dir)


def test_compressed_bodies_are_taken_as_what_they_are(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator)
    text = lines(orders(50))
    raw = zlib.compressobj(wbits=-15)
    bodies = {
        "gzip": gzip.compress(text[:1000]) + gzip.compress(text[1000:]),
        "deflate": zlib.compress(text),
        "Deflate": raw.compress(text) + raw.flush(),
    }

    for encoding, body in bodies.items():
        assert door.post(body, content_encoding=encoding).json == {"durable": 50}
    assert pushing.stopped() == 0
    accounted_for({NAME: orders(50) * 3}, emulator, pushing.data_dir)


def test_who_posts_to_the_inlet_can_post_to_the_agent_and_is_answered_alike(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator, {"ack": "accepted"})
    beside = Door(f"127.0.0.1:{emulator.port}")
    body = b'{"messages":[{"a":1},3,{"b":2}]}'
    sent = {"content_type": "application/json", "x_adobe_flow_id": emulator.flow_id}
    answers = [
        (door.post(content, path, **sent), beside.post(content, path, **sent))
        for content, path in [(b'{"a":1}', door.single), (body, door.batch), (b"{", door.single)]
    ]

    for ours, theirs in answers:
        assert ours.status == theirs.status
        assert ours.json.keys() >= theirs.json.keys()
    (single, _), (batch, theirs), _ = answers
    items, expected = batch.json["responses"], theirs.json["responses"]
    assert [set(item) - {"status"} for item in items] == [set(item) for item in expected]
    ids = emulator.records_by_id()
    assert ids[single.json["xactionId"]] == b'{"a":1}'
    assert [ids[items[place]["xactionId"]] for place in (0, 2)] == [b'{"a":1}', b'{"b":2}']
    assert pushing.stopped() == 0


def test_xdm_messages_are_unwrapped_and_wrapped_again(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(xdm=True)
    schema, dataset = "https://ns.adobe.com/t/schemas/1", "5f3c9e27a1b2c3d4e5f60718"
    envelope = {
        "type": "xdm",
        "schema_id": schema,
        "dataset_id": dataset,
        "ims_org_id": "A@AdobeOrg",
    }
    door = pushing(
        emulator,
        inlet={"url": emulator.inlet_url, "flow_id": emulator.flow_id, "envelope": envelope},
    )
    header = {"schemaRef": {"id": schema}, "datasetId": dataset, "flowId": emulator.flow_id}
    message = {"header": header, "body": {"xdmMeta": {}, "xdmEntity": {"_id": "1"}}}
    other = {**message, "header": {**header, "datasetId": "0" * 24}}

    assert door.post(json.dumps(message), door.single).status == 200
    assert door.post(json.dumps({"messages": [message, {"_id": "2"}]}), door.batch).status == 207
    refused = door.post(json.dumps({"messages": [message, other]}), door.batch)
    assert (refused.status, "another datasetId" in refused.detail) == (400, True)
    assert pushing.stopped() == 0
    landed = [json.loads(record)["body"]["xdmEntity"] for record in emulator.records()]
    assert landed == [{"_id": "1"}, {"_id": "1"}, {"_id": "2"}]


def test_a_record_that_is_none_is_named_and_kept_and_its_neighbours_go_through(
    pushing: Pushing, emulator: RunningEmulator
) -> None:
    door = pushing(emulator)
    mixed = [orders(1)[0], b"nonsense", b"[1]", b'{"a":"\xff"}', orders(2)[1]]
    assert door.post(b'\n {"a":1}\r\n \t\n\n').json == {"durable": 1}
    answer = door.post(lines(mixed))

    assert answer.status == 200, "nothing is left to be pushed again"
    assert (answer.json["durable"], answer.json["dead_lettered"]) == (2, 3)
    told = [(each["index"], each["reason"]) for each in answer.json["records"]]
    assert told == [(1, "invalid_json"), (2, "not_an_object"), (3, "invalid_utf8")]
    assert pushing.stopped() == 0
    assert len(kept_in(pushing.data_dir).dead_letters) == 3
    assert sorted(emulator.records()) == sorted([b'{"a":1}', mixed[0], mixed[4]])


@pytest.mark.parametrize("ack", ["durable", "accepted"])
def test_what_filters_leave_out_keeps_nobody_waiting(
    ack: str, pushing: Pushing, emulator: RunningEmulator
) -> None:
    filters = [{"drop": "a = 1"}, {"set": {"b": 2}}]
    door = pushing(emulator, {"ack": ack, "filters": filters})
    told = door.post(b'{"a":1}\n{"a":2}\n').json
    items = door.post(b'{"messages":[{"a":1},{"a":2}]}', door.batch).json["responses"]

    assert (told["filtered"], told.get("durable", told.get("accepted"))) == (1, 1)
    assert (items[0]["status"], "left out" in items[0]["message"]) == (200, True)
    assert pushing.stopped() == 0
    assert emulator.records() == [b'{"b":2,"a":2}'] * 2


def test_what_is_acknowledged_outlives_kill_9(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=DOWN)
    pushed = 0
    kept: list[bytes] = []
    for _ in range(10):
        door = pushing(emulator)
        posts = []
        for _ in range(10):
            records = orders(7, first=pushed + 1)
            pushed += 7
            posts.append(lambda door=door, records=records: door.post(lines(records)))
            kept += records
        answers = _parallel(posts, workers=4)
        pushing.killed()
        assert [answer.json for answer in answers] == [{"durable": 7}] * 10
    emulator.set_faults()
    pushing(emulator)
    eventually(lambda: len(emulator.records()) >= pushed)

    assert pushing.stopped() == 0
    assert sorted(emulator.records()) == sorted(kept)
    kept_in(pushing.data_dir)


def test_acknowledged_means_on_disk_and_not_a_moment_earlier(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=DOWN)
    door = pushing(emulator, {"ack_within": "5ms"})
    done: list[bytes] = []

    def push(first: int) -> None:
        client = http.client.HTTPConnection(*door.address, timeout=20)
        number = first
        while True:
            records = orders(3, first=number)
            try:
                answer = door.asked(client, lines(records))
            except (OSError, http.client.HTTPException):
                client.close()
                return
            assert answer.status == 200
            done.extend(records)
            number += 3

    pushers = [threading.Thread(target=push, args=(n * 10**6,)) for n in range(4)]
    for pusher in pushers:
        pusher.start()
    eventually(lambda: len(done) > 100)
    pushing.killed()
    for pusher in pushers:
        pusher.join()
    emulator.set_faults()
    pushing(emulator)
    eventually(lambda: len(emulator.records()) >= len(done))

    assert pushing.stopped() == 0
    assert set(done) <= set(emulator.records())


def test_numbers_go_on_over_restarts(pushing: Pushing, emulator: RunningEmulator) -> None:
    first, second = orders(5), orders(5, first=100)
    for records in (first, second):
        assert pushing(emulator).post(lines(records)).json == {"durable": 5}
        assert pushing.stopped() == 0

    accounted_for({NAME: [*first, *second]}, emulator, pushing.data_dir)


def test_ids_are_the_platforms_own_and_rejected_records_are_named(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=[{"when": {"matching": "bad"}, "reject": 400}])
    door = pushing(emulator, {"ack": "accepted"})
    records = [b'{"a":1}', b'{"bad":2}', b'{"c":3}']
    plain = door.post(lines(records))
    batch = door.post(b'{"messages":[%b]}' % b",".join(records), door.batch)
    single = door.post(records[1], door.single)
    by_id = emulator.records_by_id()

    assert (plain.status, batch.status) == (200, 207)
    (named,) = plain.json["records"]
    assert (named["index"], named["reason"], named["status"]) == (1, "rejected", 400)
    assert [given and by_id[given] for given in plain.json["xactionIds"]] == [
        records[0],
        None,
        records[2],
    ]
    assert [item.get("status") for item in batch.json["responses"]] == [None, 400, None]
    assert single.status == 400
    assert single.json["report"]["message"] in [
        each["message"] for each in emulator.refusals()[records[1]]
    ]
    assert pushing.stopped() == 0
    accounted_for({NAME: [*records, *records, records[1]]}, emulator, pushing.data_dir)


def test_who_waits_for_the_platform_is_told_when_that_takes_too_long(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=DOWN)
    door = pushing(emulator, {"ack": "accepted", "ack_timeout": "400ms"})
    plain, single = door.post(b'{"a":1}'), door.post(b'{"a":2}', door.single)

    assert (plain.status, plain.json["durable"], plain.json["accepted"]) == (202, 1, 0)
    assert "duplicates" in plain.json["message"]
    assert (single.status, "xactionId" in single.json) == (202, False)
    emulator.set_faults()
    eventually(lambda: len(emulator.records()) == 2)
    assert pushing.stopped() == 0


def test_in_memory_only_the_platforms_answer_makes_it_safe(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=DOWN)
    door = pushing(emulator, {"ack_timeout": "300ms"}, buffer={"type": "memory"})
    refused = door.post(b'{"a":1}')

    assert (refused.status, "may arrive twice" in refused.detail) == (504, True)
    emulator.set_faults()
    assert door.post(b'{"a":2}').json == {"durable": 1}
    assert pushing.stopped() == 0


@pytest.mark.parametrize("ack", ["durable", "accepted"])
def test_who_waits_while_the_agent_is_stopped_is_answered(
    ack: str, pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=DOWN)
    door = pushing(emulator, {"ack": ack, "ack_within": "10s"}, shutdown={"grace": "1s"})
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(door.post, b'{"n":%d}' % n) for n in range(8)]
        idle = http.client.HTTPConnection(*door.address, timeout=10)
        assert door.asked(idle, b"", "/readyz", "GET").status == 200
        eventually(lambda: sum(each.running() for each in waiting) == 8)
        _settle()
        pushing.agent.signal(signal.SIGTERM)
        answers = [each.result(15) for each in waiting]
        idle.close()
    done = pushing.agent.finished()

    assert done.code == 0
    for answer in answers:
        if ack == "durable":
            assert answer.json == {"durable": 1}
        else:
            assert (answer.status, answer.json["durable"]) == (202, 1)
    emulator.set_faults()
    pushing(emulator)
    eventually(lambda: len(emulator.records()) == 8)


def test_a_client_that_leaves_leaves_its_records(
    pushing: Pushing, inlet: Callable[..., RunningEmulator]
) -> None:
    emulator = inlet(faults=DOWN)
    door = pushing(emulator, {"ack": "accepted"})
    client = door.connected()
    client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}')
    _settle()
    reset(client)
    emulator.set_faults()

    eventually(lambda: emulator.records() == [b'{"a":1}'])
    assert pushing.stopped() == 0


_HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.mark.parametrize(
    "cut",
    [
        _HEAD + b'Content-Length: 9\r\n\r\n{"a":1}',
        _HEAD + b'Content-Length: 700\r\n\r\n{"a":1}\n{"b":2}\n',
        _HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n',
        _HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\nzz\r\n',
        _HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a":1}\n\r\n-1\r\n',
        _HEAD
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
    _settle()
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


def _settle() -> None:
    """Let the agent get to what was sent."""
    threading.Event().wait(0.3)


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


def test_a_unix_socket_does_as_well(
    pushing: Pushing, emulator: RunningEmulator, tmp_path: Path
) -> None:
    path = tmp_path / "push.sock"
    pushing.config.write_text(
        json.dumps(configuration(emulator, pushing.data_dir, {"listen": str(path), "mode": "0600"}))
    )
    pushing.agent = pushing._start("run", pushing.config)
    eventually(path.exists)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        client.sendall(_HEAD + b'Content-Length: 7\r\n\r\n{"a":1}')
        assert b'{"durable":1}' in whole(client)
    assert path.stat().st_mode & 0o777 == 0o600
    assert pushing.stopped() == 0
    assert not path.exists()


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
