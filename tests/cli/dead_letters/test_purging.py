"""Does a purge remove what is meant, and nothing else?"""

import json
from dataclasses import replace

import pytest

from cli.dead_letters.letters import BROKEN, CUT, REJECTED


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
