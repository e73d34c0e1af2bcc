"""Does a person see what was dead-lettered, and why?"""

import json
import re
import subprocess
import sys
from dataclasses import replace

import pytest

from agent.cli.stored import moment, when
from cli.dead_letters.letters import BROKEN, CUT, REJECTED


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
