"""Ids make what arrives twice the same event, and never make two records one."""

import json
import re
import signal
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import kept_in
from support.agent import Finished, Running, eventually, send_arguments
from support.emulator import RunningEmulator
from support.records import lines, orders

Inlet = Callable[..., RunningEmulator]

XDM = {"type": "xdm", "schema_id": "https://ns.adobe.com/acme/schemas/1", "dataset_id": "5f3c"}
HEARTBEAT = b'{ "beat" : { "_id" : 1 } }'
ADDED = re.compile(rb'(?<=\{)"_id":"([0-9a-f]{32})",')
REFUSAL = {"when": {"matching": '"order": [0-9]*77,'}, "reject": {"status": 400, "message": "77"}}
LOST = {"when": {"every": 5}, "accept_then_reset": True}


def _landed(emulator: RunningEmulator, *, xdm: bool) -> dict[bytes, list[bytes]]:
    """The records at the inlet as they were read, each with the ids it came with."""
    ids: dict[bytes, list[bytes]] = defaultdict(list)
    for sent in emulator.records():
        record = sent.partition(b'"xdmEntity":')[2][:-2] if xdm else sent
        (id_,) = ADDED.findall(record) or [b"its own"]
        ids[ADDED.sub(b"", record)].append(id_)
    return ids


@pytest.mark.parametrize(
    ("add", "xdm"), [("position", False), ("content", False), ("position", True)]
)
def test_answers_are_lost_and_the_agent_is_killed_and_every_record_is_one_event(
    add: str,
    xdm: bool,
    inlet: Inlet,
    start: Callable[..., Running],
    tmp_path: Path,
    data_dir: Path,
) -> None:
    records = [*orders(1200), *[HEARTBEAT] * 3, *orders(1200, first=2001)]
    refused = [record for record in records if b'77, "city"' in record]
    (tmp_path / "in").write_bytes(lines([*records, b'{"_id":"mine"}']))
    (tmp_path / "c.yaml").write_text(json.dumps({"inlet": {"envelope": XDM}} if xdm else {}))
    emulator = inlet([REFUSAL, LOST, {"delay": 0.02}], xdm=xdm)
    command = send_arguments(
        emulator, data_dir, tmp_path / "in", record_id__add=add, delivery__max_in_flight=2
    )
    killed = start(*command, "--config", tmp_path / "c.yaml")
    eventually(lambda: emulator.stats()["records_accepted"] > 700)
    killed.signal(signal.SIGKILL)
    assert killed.finished().code == -signal.SIGKILL
    emulator.set_faults(REFUSAL, LOST)
    done = start(*command, "--config", tmp_path / "c.yaml").finished()

    assert done.code == 3, done.stderr
    landed = _landed(emulator, xdm=xdm)
    assert landed.keys() == set(records) - set(refused) | {b'{"_id":"mine"}'}
    assert {len(set(ids)) for record, ids in landed.items() if record != HEARTBEAT} == {1}
    assert len(set(landed[HEARTBEAT])) == (3 if add == "position" else 1)
    distinct = {id_ for ids in landed.values() for id_ in ids}
    assert len(distinct) == len(landed) + (2 if add == "position" else 0)
    stats = emulator.stats()
    assert stats["repeated_ids"] == stats["records_accepted"] - len(distinct) > 0
    letters = {letter.record for letter in kept_in(data_dir).dead_letters}
    assert letters == set(refused), "dead letters hold the bytes that were read"


def test_requests_keep_their_limit_with_the_ids_in_them(
    emulator: RunningEmulator, send: Callable[..., Finished], data_dir: Path
) -> None:
    room = 1_000_000 - len(b'{"messages":[]}') - len(b'"_id":"",') - 32
    longest, too_long = (b'{"a":"%b"}' % (b"x" * (length - 8)) for length in (room, room + 1))
    tiny = [b'{"n":%d}' % number for number in range(60_000)]
    done = send(
        emulator,
        "-",
        stdin=lines([*tiny, longest, too_long, b"{}"]),
        record_id__add="position",
        batch__max_bytes="1MB",
        batch__max_records=1_000_000,
    )

    assert done.code == 3, done.stderr
    assert emulator.stats()["requests_by_status"].keys() == {"207"}
    assert emulator.stats()["records_accepted"] == 60_002
    (letter,) = kept_in(data_dir).dead_letters
    assert (letter.reason, letter.length) == ("too_large", room + 1)
    assert f"room for {room} at most" in letter.message
