"""Dead letters are sent again, once, and the books balance whatever happens meanwhile."""

import fcntl
import json
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from support.accounts import accounted_for, kept_in
from support.agent import Finished, Running, aep_agent, eventually, replay_arguments, send_arguments
from support.emulator import RunningEmulator
from support.records import lines, orders

Inlet = Callable[..., RunningEmulator]
Send = Callable[..., Finished]

REFUSAL = {"when": {"matching": '"order": [0-9]*7,'}, "reject": {"status": 400, "message": "no 7"}}
STRICTER = {"when": {"matching": '"order": [0-9]*77,'}, "reject": {"status": 422, "message": "77"}}


@pytest.fixture
def replay(data_dir: Path) -> Callable[..., Finished]:
    """Runs `dead-letters replay --json` to its end."""

    def run(emulator: RunningEmulator, *words: str, **settings: object) -> Finished:
        return aep_agent(*replay_arguments(emulator, data_dir, *words, **settings))

    return run


@pytest.fixture
def refused(inlet: Inlet, send: Send) -> tuple[list[bytes], RunningEmulator]:
    """500 records, of which the inlet refused 50, as dead letters 1 to 50."""
    records, emulator = orders(500), inlet([REFUSAL])
    assert send(emulator, "-", stdin=lines(records)).code == 3
    emulator.set_faults()
    return records, emulator


def _audited(data_dir: Path) -> dict[str, object]:
    done = aep_agent("audit", "--json", "--data-dir", data_dir)
    books = json.loads(done.stdout)
    assert done.code == 0, books
    return dict(books)


def test_what_is_accepted_in_a_replay_has_its_receipt_and_is_not_sent_again(
    refused: tuple[list[bytes], RunningEmulator], replay: Callable[..., Finished], data_dir: Path
) -> None:
    records, emulator = refused
    emulator.set_faults(STRICTER)
    first = replay(emulator, "--all")
    second = replay(emulator, "--all")

    assert (first.code, first.summary["accepted"], first.summary["refused"]) == (3, 45, 5)
    assert (second.code, second.summary["accepted"], second.summary["refused"]) == (3, 0, 5)
    emulator.set_faults()
    third = replay(emulator, "--all")
    assert (third.code, third.summary["letters"], third.summary["left"]) == (0, 5, 0)
    assert replay(emulator, "--all").summary["letters"] == 0
    assert accounted_for({"stdin": records}, emulator, data_dir).dead_letters == []
    assert Counter(emulator.records()) == Counter(records), "each arrived once, byte for byte"
    found = aep_agent("receipts", "find", "stdin:477", "--json", "--data-dir", data_dir)
    assert json.loads(found.stdout)["xaction_id"] in emulator.records_by_id()
    books = _audited(data_dir)
    assert (books["read"], books["accepted"], books["replayed"]) == (500, 500, 50)


def test_only_what_is_chosen_is_sent(
    refused: tuple[list[bytes], RunningEmulator], replay: Callable[..., Finished], data_dir: Path
) -> None:
    _, emulator = refused
    before = len(emulator.records())
    chosen = ("--where", "order > 300", "--where", "city ~ rich")
    planned = replay(emulator, *chosen, "--dry-run")
    assert len(emulator.records()) == before
    done = replay(emulator, *chosen)

    sent = [json.loads(record) for record in emulator.records()[before:]]
    assert sent
    assert all(one["order"] > 300 and one["city"] == "Zürich" for one in sent)
    assert planned.summary["letters"] == done.summary["accepted"] == len(sent)
    assert replay(emulator, "1", "2").summary["accepted"] == 2
    assert replay(emulator, "1", "2").summary["letters"] == 0
    assert len(kept_in(data_dir).dead_letters) == 50 - len(sent) - 2


def test_lines_that_are_no_records_stay_unless_they_are_asked_for(
    emulator: RunningEmulator, send: Send, replay: Callable[..., Finished], data_dir: Path
) -> None:
    emulator.set_faults({"reject": "not today"})
    send(emulator, "-", stdin=b'{"a":\n{"a":1}\n[1]\n')
    emulator.set_faults()
    left = replay(emulator, "--all")
    tried = replay(emulator, "--stage", "validate")

    assert (left.code, left.summary["accepted"], left.summary["broken"]) == (0, 1, 2)
    assert left.summary["left"] == left.summary["refused"] == 0
    assert (tried.code, tried.summary["refused"]) == (3, 2)
    assert emulator.records() == [b'{"a":1}']
    assert [letter.stage for letter in kept_in(data_dir).dead_letters] == ["validate"] * 2
    _audited(data_dir)


def test_a_replay_that_is_killed_half_way_is_simply_begun_again(
    refused: tuple[list[bytes], RunningEmulator],
    replay: Callable[..., Finished],
    start: Callable[..., Running],
    data_dir: Path,
) -> None:
    records, emulator = refused
    emulator.set_faults({"delay": 0.05})
    slow = {"batch__max_records": 2, "delivery__max_in_flight": 2}
    before = len(emulator.records())
    killed = start(*replay_arguments(emulator, data_dir, "--all", **slow))
    eventually(lambda: len(emulator.records()) >= before + 10)
    killed.signal(signal.SIGKILL)
    killed.finished()
    books = _audited(data_dir)
    assert books["read"] == 500
    assert 450 <= int(str(books["accepted"])) < 500
    done = replay(emulator, "--all")

    assert done.code == 0, done.stderr
    accounted_for({"stdin": records}, emulator, data_dir, answers_were_lost=True)
    # what was answered and not committed within a moment, and what was on its way
    assert len(emulator.records()) - len(records) <= 20
    assert _audited(data_dir)["accepted"] == 500


def test_a_replay_waits_for_an_inlet_that_is_away_and_stops_when_asked_to(
    refused: tuple[list[bytes], RunningEmulator],
    replay: Callable[..., Finished],
    start: Callable[..., Running],
    data_dir: Path,
) -> None:
    _, emulator = refused
    emulator.set_faults({"status": 503})
    waiting = start(*replay_arguments(emulator, data_dir, "--all", shutdown__grace="100ms"))
    begun = emulator.stats()["requests"]
    eventually(lambda: emulator.stats()["requests"] > begun + 2)
    waiting.signal(signal.SIGINT)
    stopped = waiting.finished()
    assert (stopped.code, stopped.summary["left"]) == (1, 50)
    assert _audited(data_dir)["dead_lettered"] == 50

    emulator.set_faults({"status": 503, "when": {"requests": 3}})
    done = replay(emulator, "--all")
    assert (done.code, done.summary["accepted"]) == (0, 50)


def test_two_replays_do_not_overlap(
    refused: tuple[list[bytes], RunningEmulator], replay: Callable[..., Finished], data_dir: Path
) -> None:
    _, emulator = refused
    with (data_dir / "replay.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = replay(emulator, "--all")
    assert done.code == 1
    assert b"another replay" in done.stderr
    assert replay(emulator, "--all").summary["accepted"] == 50


def test_a_replay_beside_an_agent_on_the_same_store_mixes_nothing_up(
    refused: tuple[list[bytes], RunningEmulator],
    replay: Callable[..., Finished],
    start: Callable[..., Running],
    data_dir: Path,
) -> None:
    records, emulator = refused
    more = orders(2000, first=1001)
    command = send_arguments(emulator, data_dir, "-", buffer__type="disk", batch__max_records=50)
    agent = start(*command)
    agent.write(lines(more[:1000]))
    done = replay(emulator, "--all", batch__max_records=5)
    agent.write(lines(more[1000:]))
    assert agent.finished().code == 0

    assert (done.code, done.summary["accepted"]) == (0, 50)
    assert Counter(emulator.records()) == Counter(records + more)
    books = _audited(data_dir)
    assert (books["read"], books["accepted"], books["replayed"]) == (2500, 2500, 50)


@pytest.mark.parametrize("add", ["position", "content"])
def test_a_replayed_record_has_the_id_that_it_had_before(
    add: str, inlet: Inlet, send: Send, replay: Callable[..., Finished]
) -> None:
    emulator = inlet([REFUSAL])
    send(emulator, "-", stdin=lines(orders(300)), record_id__add=add)
    refused = set(emulator.refusals())
    landed = set(emulator.records())
    emulator.set_faults()
    assert replay(emulator, "--all", record_id__add=add).summary["accepted"] == 30

    assert set(emulator.records()) - landed == refused


@pytest.mark.parametrize(
    ("words", "code", "hint"),
    [
        ([], 2, b"say which dead letters"),
        (["--all", "1"], 2, b"without numbers"),
        (["--all", "--records-per-second", "often"], 78, b"records_per_second"),
    ],
)
def test_a_replay_wants_to_be_told_what_and_how(
    refused: tuple[list[bytes], RunningEmulator],
    replay: Callable[..., Finished],
    words: list[str],
    code: int,
    hint: bytes,
) -> None:
    _, emulator = refused
    done = replay(emulator, *words)
    assert done.code == code
    assert hint in done.stderr


def test_no_secret_and_no_record_is_in_what_a_replay_says(
    refused: tuple[list[bytes], RunningEmulator], replay: Callable[..., Finished]
) -> None:
    _, emulator = refused
    emulator.set_faults({"status": 503, "when": {"requests": 1}}, STRICTER)
    done = replay(emulator, "--all", inlet__token="planted-secret")
    assert done.code == 3
    assert b"planted-secret" not in done.stdout + done.stderr
    assert b"rich" not in done.stdout + done.stderr
