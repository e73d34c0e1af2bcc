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

import pytest

from support.accounts import accounted_for, kept_in
from support.agent import eventually
from support.emulator import RunningEmulator
from support.pushing import HEAD, NAME, Door, Pushing, Reply, configuration, read_soon, reset, whole
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
        read_soon()
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
    read_soon()
    reset(client)
    emulator.set_faults()

    eventually(lambda: emulator.records() == [b'{"a":1}'])
    assert pushing.stopped() == 0


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
        client.sendall(HEAD + b'Content-Length: 7\r\n\r\n{"a":1}')
        assert b'{"durable":1}' in whole(client)
    assert path.stat().st_mode & 0o777 == 0o600
    assert pushing.stopped() == 0
    assert not path.exists()
