from dataclasses import replace

from agent.app.summary import Clock, Snapshot
from agent.record import Position

SNAPSHOT = Snapshot(
    read=100,
    accepted=60,
    dead_lettered={"rejected": 7, "invalid_json": 3},
    bytes_read=50_000_000,
    input_done=80,
    input_total=100,
    seconds=2.0,
    cpu_seconds=0.5,
    state="ready",
    safe={"app.log": Position(61, 3000)},
    unreadable=("b.gz: cut short",),
    interrupted=True,
)


def test_what_is_neither_accepted_nor_dead_lettered_is_held() -> None:
    assert (SNAPSHOT.dead_letters, SNAPSHOT.held) == (10, 30)


def test_of_those_held_some_may_be_in_memory_alone() -> None:
    assert SNAPSHOT.in_memory == 30
    assert replace(SNAPSHOT, on_disk=20).in_memory == 10
    assert replace(SNAPSHOT, on_disk=20).as_json()["held_on_disk"] == 20
    settled_since_the_last_commit = replace(SNAPSHOT, on_disk=40)
    assert settled_since_the_last_commit.in_memory == 0
    assert settled_since_the_last_commit.as_json()["held_on_disk"] == 30


def test_rates_count_what_has_its_verdict() -> None:
    assert SNAPSHOT.records_per_second == 35
    assert SNAPSHOT.megabytes_per_cpu_second == 100
    begun = replace(SNAPSHOT, seconds=0.0, cpu_seconds=0.0)
    assert (begun.records_per_second, begun.megabytes_per_cpu_second) == (0, 0)


def test_scripts_find_every_count_under_its_name() -> None:
    assert SNAPSHOT.as_json() == {
        "read": 100,
        "accepted": 60,
        "dead_lettered": 10,
        "dead_lettered_by_reason": {"rejected": 7, "invalid_json": 3},
        "recovered": 0,
        "dropped": 0,
        "dropped_by_reason": {},
        "filtered": 0,
        "filtered_by_filter": {},
        "held": 30,
        "held_on_disk": 0,
        "bytes_read": 50_000_000,
        "seconds": 2.0,
        "cpu_seconds": 0.5,
        "records_per_second": 35.0,
        "megabytes_per_cpu_second": 100.0,
        "destination": "ready",
        "safe_positions": {"app.log": {"line": 61, "offset": 3000}},
        "unreadable": ["b.gz: cut short"],
        "interrupted": True,
    }


def test_the_clock_counts_this_run_only() -> None:
    clock = Clock()
    assert 0 <= clock.seconds() < 1
    assert sum(n * n for n in range(200_000))
    assert 0 < clock.cpu_seconds() < 5
