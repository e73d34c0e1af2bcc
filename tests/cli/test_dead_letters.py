import asyncio
import base64
import json
import os
import re
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from agent.__main__ import main
from agent.cli.stored import moment, when
from agent.record import DeadLetter, Position
from agent.store.disk import Store, StoreLimits

REJECTED = DeadLetter(
    record='{"name":"Zoë\\u0000","n":12345678901234567890}'.encode(),
    length=44,
    reason="rejected",
    stage="platform",
    message="inletId: [57e8] Message has unknown xdm format",
    source="/var/log/orders.ndjson",
    position=Position(4711, 1_000_000),
    attempts=2,
    first_at=1_700_000_000.125,
    last_at=1_700_000_060.5,
    status=400,
    xaction_id="1565628583792:1485:153:7",
)
BROKEN = replace(
    REJECTED,
    record=b'{"a":\xff\xfe\x00',
    length=8,
    reason="invalid_utf8",
    stage="validate",
    message="not valid UTF-8 at byte 5",
    position=Position(1, 0),
    attempts=0,
    status=None,
    xaction_id=None,
    last_at=1_700_000_000.125,
)
CUT = replace(BROKEN, record=b"[" * 100, length=10**8, sha256="ab" * 32, reason="too_large")

Settle = Callable[[Sequence[DeadLetter]], None]


@pytest.fixture
def settle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settle:
    """Put dead letters into the store that the commands will read."""
    monkeypatch.setenv("AEP_AGENT_DATA_DIR", str(tmp_path / "store"))

    def write(letters: Sequence[DeadLetter]) -> None:
        async def settled() -> None:
            limits = StoreLimits(1e9, 10**9, 10**9)
            store = Store.open(tmp_path / "store", limits=limits)
            await store.settle([], letters)
            await store.close()

        asyncio.run(settled())

    return write


@pytest.fixture
def command(settle: Settle, capfdbinary: pytest.CaptureFixture[bytes]):
    """Run `aep-agent dead-letters …`: exit code, stdout, stderr as text."""

    def run(*words: str) -> tuple[int, bytes, str]:
        code = main(["dead-letters", *words])
        sys.stdout.flush()
        captured = capfdbinary.readouterr()
        return code, captured.out, captured.err.decode()

    return run


def test_an_export_has_exactly_the_promised_keys(settle, command):
    settle([REJECTED])
    code, out, err = command("export")
    assert (code, err) == (0, "")
    assert json.loads(out) == {
        "record": '{"name":"Zoë\\u0000","n":12345678901234567890}',
        "reason": "rejected",
        "stage": "platform",
        "status": 400,
        "message": "inletId: [57e8] Message has unknown xdm format",
        "xaction_id": "1565628583792:1485:153:7",
        "source": "/var/log/orders.ndjson",
        "position": {"line": 4711, "offset": 1000000},
        "attempts": 2,
        "first_at": "2023-11-14T22:13:20.125Z",
        "last_at": "2023-11-14T22:14:20.500Z",
        "id": 1,
        "length": 44,
        "sha256": None,
        "truncated": False,
    }


@pytest.mark.parametrize(
    "record",
    [
        b"",
        b'"\\ \r \x00 \x1b[31m \x7f',
        '{"a":"\u2028é😀\ufeff"}'.encode(),
        b"\xed\xa0\x80",  # a lone surrogate, which UTF-8 does not allow
        b"\xff" * 100,
        os.urandom(1 << 20),
        b"x" * (1 << 20),
    ],
    ids=["empty", "controls", "unicode", "surrogate", "not text", "random", "large"],
)
def test_an_export_gives_back_the_exact_bytes(settle, command, record):
    settle([replace(REJECTED, record=record, length=len(record))])
    _, out, _ = command("export")
    assert out.count(b"\n") == 1
    exported = json.loads(out)
    if "record" in exported:
        assert exported["record"].encode() == record
        assert "record_base64" not in exported
    else:
        assert base64.b64decode(exported["record_base64"]) == record
        with pytest.raises(UnicodeDecodeError):
            record.decode()
    _, raw, _ = command("export", "--raw")
    assert raw == record + b"\n"


def test_an_export_to_a_file_is_its_owners_alone(settle, command, tmp_path):
    settle([REJECTED, BROKEN])
    path = tmp_path / "out.ndjson"
    code, out, _ = command("export", "--raw", "-o", str(path))
    assert (code, out) == (0, b"")
    assert path.read_bytes() == REJECTED.record + b"\n" + BROKEN.record + b"\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_export_to_a_place_that_cannot_be_written_says_so(settle, command, tmp_path):
    settle([REJECTED])
    code, _, err = command("export", "-o", str(tmp_path / "no" / "where"))
    assert code == 1
    assert "cannot write" in err


def test_a_raw_export_says_which_records_are_cut(settle, command):
    settle([CUT, REJECTED])
    _, _, err = command("export", "--raw")
    assert "1 of 2 records are cut" in err
    exported = json.loads(command("export", "--reason", "too_large")[1])
    assert (exported["truncated"], exported["length"]) == (True, 10**8)


@pytest.mark.parametrize(
    ("words", "numbers"),
    [
        (["--reason", "rejected"], [1]),
        (["--stage", "validate"], [2, 3]),
        (["--source", "orders.ndjson", "--id", "2"], [2]),
        (["--since", "2023-11-14T22:14:20Z"], [1]),
        (["--since", "2023-11-14 22:14:20"], [1]),
        (["--since", "2023-11-15T00:14:20+02:00"], [1]),
        (["--since", "1h"], []),
        (["--source", "nowhere"], []),
    ],
)
def test_filters_choose_what_is_listed_and_exported(settle, command, words, numbers):
    settle([REJECTED, BROKEN, CUT])
    for action in (["export"], ["list", "--each", "--json"]):
        code, out, err = command(*action, *words)
        assert code == 0
        assert sorted(json.loads(line)["id"] for line in out.splitlines()) == numbers
        assert bool(err) is (not numbers)


def test_the_list_shows_one_line_for_alike_messages(settle, command):
    settle([replace(BROKEN, message=f"not valid UTF-8 at byte {n}") for n in range(1500)])
    settle([REJECTED])
    code, out, _ = command("list")
    text = out.decode()
    assert code == 0
    assert "1,500" in text
    assert text.count("not valid UTF-8") == 1
    assert REJECTED.message in text
    assert "2023-11-14 22:14" in text
    groups = [json.loads(line) for line in command("list", "--json")[1].splitlines()]
    assert [(group["reason"], group["count"]) for group in groups] == [
        ("invalid_utf8", 1500),
        ("rejected", 1),
    ]
    _, out, err = command("list", "--json", "--limit", "1")
    assert len(out.splitlines()) == 1
    assert "1 of 2 shown" in err


def test_each_line_tells_where_and_why_but_not_what(settle, command):
    settle([REJECTED, replace(BROKEN, message="word " * 100)])
    _, out, _ = command("list", "--each")
    newest, oldest = out.decode().splitlines()
    assert newest.split()[0] == "2"
    assert newest.endswith("…")
    assert "/var/log/orders.ndjson:4711" in oldest
    assert "400" in oldest
    assert REJECTED.message in oldest
    assert b"name" not in out
    assert rb'{"a":\xff\xfe\x00' in command("list", "--each", "--records")[1]
    _, out, _ = command("list", "--each", "--json")
    assert all("record" not in json.loads(line) for line in out.splitlines())
    _, out, err = command("list", "--each", "--limit", "1")
    assert out.decode().splitlines() == [newest]
    assert "1 of 2 shown" in err


def test_what_is_counted_and_why_is_seen_on_a_narrow_screen(settle, command):
    settle([REJECTED, replace(REJECTED, message="word " * 60), BROKEN])
    shown = command("list")[1].decode()
    heads, *rows = (line for line in shown.splitlines() if line and not line.startswith(" "))
    assert heads.split("  ")[0] == "reason"
    assert all(len(line) <= 80 for line in rows)
    assert f"    {REJECTED.message}" in shown.splitlines()
    assert re.search(r"^rejected +\S+ +1 ", shown, re.M)


def test_nothing_on_the_screen_can_play_tricks(settle, command):
    evil = "\x1b[2J\u202e[bold]\n"
    settle([replace(REJECTED, message=evil, source=evil, xaction_id=evil, record=evil.encode())])
    for words in (["list"], ["list", "--each", "--records"], ["show", "1"]):
        _, out, _ = command(*words)
        assert b"\x1b" not in out
        assert "\u202e" not in out.decode()
        assert b"[bold]" in out


@pytest.fixture
def replayed(settle, tmp_path):
    """Three dead letters: the first was accepted in its second replay."""
    settle([REJECTED, REJECTED, BROKEN])
    with closing(sqlite3.connect(tmp_path / "store" / "store.db")) as connection, connection:
        connection.execute("UPDATE dead_letters SET replayed_ms = 1700000500000 WHERE id = 1")
        connection.execute(
            "INSERT INTO replays VALUES (1, 1, 1700000400000, 'refused', 400, 'still no', NULL),"
            " (2, 1, 1700000500000, 'accepted', NULL, '', 'x:7')"
        )


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize(
    ("words", "numbers"), [([], [2, 3]), (["--replayed"], [1]), (["--id", "1"], [1])]
)
def test_what_was_accepted_in_a_replay_is_out_of_the_way(command, words, numbers):
    for action in (["export"], ["list", "--each", "--json"]):
        found = [json.loads(line) for line in command(*action, *words)[1].splitlines()]
        assert sorted(one["id"] for one in found) == numbers
        assert {one["id"] for one in found if "replayed_at" in one} == {1} & set(numbers)


@pytest.mark.usefixtures("replayed")
def test_the_trail_of_replays_is_shown(command):
    text = command("show", "1")[1].decode()
    assert "replayed     2023-11-14T22:20:00.000Z  refused  400  still no\n" in text
    assert "replayed     2023-11-14T22:21:40.000Z  accepted  x:7\n" in text
    trail = json.loads(command("show", "1", "--json")[1])["replays"]
    assert [(step["outcome"], step["status"], step["xaction_id"]) for step in trail] == [
        ("refused", 400, None),
        ("accepted", None, "x:7"),
    ]
    assert b"replay" not in command("show", "2")[1]


@pytest.mark.usefixtures("replayed")
@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--replayed"], [2, 3]),
        (["--reason", "rejected"], [1, 3]),
        (["1"], [2, 3]),
        (["--all"], []),
    ],
)
def test_a_purge_takes_what_was_replayed_only_where_that_is_meant(command, words, left):
    command("purge", *words)
    exported = command("export")[1] + command("export", "--replayed")[1]
    assert sorted(json.loads(line)["id"] for line in exported.splitlines()) == left


def test_a_condition_nobody_understands_is_wrong_usage(command):
    with pytest.raises(SystemExit) as exit_:
        command("list", "--where", "order by total")
    assert exit_.value.code == 2


def test_the_list_names_one_of_each_group_to_look_at(settle, command):
    settle([REJECTED, REJECTED, BROKEN])
    groups = [json.loads(line) for line in command("list", "--json")[1].splitlines()]
    assert [(group["count"], group["example"]) for group in groups] == [(2, 2), (1, 3)]


def test_a_moment_of_today_is_told_by_its_time_alone():
    assert when(86_400 * 3 + 3_661, 86_400 * 3 + 80_000) == "01:01:01"
    assert when(86_400 * 2 + 3_661, 86_400 * 3 + 80_000) == "1970-01-03 01:01"


def test_one_dead_letter_is_shown_whole(settle, command):
    settle([REJECTED, CUT])
    code, out, _ = command("show", "1")
    text = out.decode()
    assert code == 0
    assert "line 4711, byte 1000000" in text
    assert text.endswith('{"name":"Zoë\\u0000","n":12345678901234567890}\n')
    assert "of which the first 100 were kept" in command("show", "2")[1].decode()
    assert json.loads(command("show", "2", "--json")[1])["sha256"] == "ab" * 32


def test_a_number_nobody_has_is_an_error_with_a_way_on(settle, command):
    settle([REJECTED])
    code, out, err = command("show", "99")
    assert (code, out) == (1, b"")
    assert "dead-letters list" in err


def test_an_empty_store_says_so(settle, command):
    settle([])
    for words in (["list"], ["list", "--json"], ["export"]):
        code, out, err = command(*words)
        assert (code, out) == (0, b"")
        assert "no" in err


def test_a_missing_store_is_no_failure_but_shows_nothing(command, tmp_path):
    for words, expected in ((["list"], 0), (["export"], 0), (["show", "1"], 1)):
        code, out, err = command(*words)
        assert (code, out) == (expected, b"")
        assert "no store at" in err
    assert not (tmp_path / "store").exists(), "looking makes nothing"


def test_the_flag_goes_before_the_environment(settle, command, tmp_path):
    settle([REJECTED])
    assert "no store at" in command("list", "--data-dir", str(tmp_path / "other"))[2]


def test_a_file_that_is_no_store_is_an_error_with_a_way_on(command, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.db").write_bytes(b"garbage " * 1000)
    code, _, err = command("list")
    assert code == 1
    assert "sets the file aside" in err


def test_a_time_nobody_understands_is_wrong_usage(command):
    with pytest.raises(SystemExit) as exit_:
        command("list", "--since", "yesterday")
    assert exit_.value.code == 2


def test_a_time_without_zone_is_utc():
    assert moment("1970-01-02") == 86400
    assert moment("1970-01-01T01:00:00+01:00") == 0


@pytest.mark.parametrize("read", [10, 0])
@pytest.mark.parametrize(
    "words", [["export"], ["list", "--each", "--limit", "0"], ["list"], ["list", "--json"]]
)
def test_a_reader_that_goes_away_ends_the_output_quietly(settle, words, read):
    settle([replace(REJECTED, record=b"x" * 10_000)] * (200 if read else 1))
    child = subprocess.Popen(
        [sys.executable, "-m", "agent", "dead-letters", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.read(read)
    child.stdout.close()
    errors = child.stderr.read().decode()
    child.stderr.close()
    assert child.wait() == 0
    assert "Traceback" not in errors
    assert "Exception" not in errors


def _numbers(command):
    return sorted(json.loads(line)["id"] for line in command("export")[1].splitlines())


@pytest.mark.parametrize(
    ("words", "left"),
    [
        (["--reason", "rejected"], [2, 3]),
        (["--stage", "validate"], [1]),
        (["--source", "orders.ndjson"], []),
        (["--since", "2023-11-14T22:14:20Z"], [2, 3]),
        (["--stage", "validate", "--reason", "too_large"], [1, 2]),
        (["1", "3", "99"], [2]),
        (["1", "3", "--reason", "too_large"], [1, 2]),
        (["--reason", "unheard of"], [1, 2, 3]),
        (["--where", "name = Zoë", "--where", "n missing"], [1, 2, 3]),
        (["--where", "name ~ Zo", "--where", "n > 1000"], [2, 3]),
        (["--all"], []),
    ],
)
def test_a_purge_removes_what_is_chosen_and_a_dry_run_nothing(settle, command, words, left):
    settle([REJECTED, BROKEN, CUT])
    code, out, err = command("purge", *words, "--dry-run", "--json")
    planned = json.loads(out)
    assert (code, err, planned.pop("dry_run")) == (0, "", True)
    assert planned["count"] == 3 - len(left)
    assert _numbers(command) == [1, 2, 3]
    code, out, _ = command("purge", *words, "--json")
    assert (code, json.loads(out)) == (0, planned | {"dry_run": False})
    assert _numbers(command) == left


def test_a_purge_says_how_much_it_removed_in_words(settle, command):
    settle([REJECTED, replace(BROKEN, record=b"x" * 5000)])
    assert command("purge", "1", "--dry-run")[1].startswith(b"1 dead letter would be removed, ")
    assert command("purge", "1")[1].startswith(b"1 dead letter removed, ")
    code, out, _ = command("purge", "--all")
    assert (code, out) == (0, b"1 dead letter removed, 5,225 bytes freed\n")
    assert command("purge", "--all")[1] == b"0 dead letters removed, 0 bytes freed\n"


@pytest.mark.parametrize("words", [[], ["--dry-run"], ["--all", "1"], ["--all", "--stage", "size"]])
def test_a_purge_wants_to_be_told_what(settle, command, words):
    settle([REJECTED])
    code, out, err = command("purge", *words)
    assert (code, out) == (2, b"")
    assert "nothing was removed" in err
    assert "--all" in err
    assert _numbers(command) == [1]


def test_a_purge_where_no_store_is_makes_none(command, tmp_path):
    for words in (["--all"], ["--all", "--dry-run"]):
        code, out, err = command("purge", *words)
        assert (code, out) == (0, b"")
        assert "no store at" in err
    assert not (tmp_path / "store").exists()


def test_a_purge_leaves_a_damaged_store_to_the_agent(command, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "store.db").write_bytes(b"garbage " * 1000)
    code, _, err = command("purge", "--all")
    assert code == 1
    assert "sets the file aside" in err
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["store.db"]
