from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from agent.cli.amounts import sparkline
from agent.cli.screen import Screen, line

HOSTILE = "\x1b[2Jgone\x07\u202e[bold red]"
WAIT = {"cause": "down", "says": "The inlet is away.", "next_step": "Check it.", "seconds": 75.0}
STATUS: dict[str, Any] = {
    "version": "1.2.3",
    "stage": "running",
    "ready": True,
    "why": "ready",
    "seconds": 3700.0,
    "read": 1200,
    "accepted": 1000,
    "dead_lettered": 7,
    "filtered": 0,
    "dropped": 0,
    "held": 193,
    "inlet": {"state": "down", "in_flight_limit": 4},
    "requests_in_flight": 2,
    "requests_by_status": {"207": 12, "none": 3},
    "waits": [WAIT],
    "rates": {"10s": {"read": 100.0, "accepted": 0.5, "dead_lettered": 0.0}},
    "receive_lag_seconds": {"10s": {"p99": 0.25}},
    "buffer": {"spooled_bytes": 50, "spool_limit_bytes": 100, "oldest_seconds": 75.0},
    "sources": {"app.log": {"records": 1200, "rates": {"10s": {"records": 100.0, "bytes": 2e6}}}},
    "last_dead_letters": [
        {
            "reason": "rejected_by_schema",
            "message": "total is no number",
            "count": 7,
            "at": 0,
            "source": "app.log",
            "line": 4711,
        }
    ],
    "history": {"accepted": [1.0, 5.0, None, 10.0], "read": []},
    "ledger": {"residue": 0},
    "store": {"bytes_on_disk": 1_500_000, "disk_free_bytes": 2e9, "disk_full_in_seconds": None},
}


def shown(status: dict[str, Any], columns: int = 120) -> str:
    console = Console(file=StringIO(), width=columns, highlight=False)
    console.print(Screen(status, "http://127.0.0.1:9600"))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_all_that_the_status_says_is_there() -> None:
    page = shown(STATUS)
    for words in (
        *("aep-agent 1.2.3", "running", "up 1 h 1 min", "The inlet is away. (for 1 min 15 s)"),
        *("Check it.", "1,200", "100/s", "0.5/s", "2/4", "250 ms", "▰▰▰▰▱▱▱▱ 50 bytes"),
        *("app.log:4711", "rejected by schema (7 times)", "total is no number", "max 10"),
        *("1.5 MB", "2.0 GB free", "207: 12, none: 3"),
    ):
        assert words in page


def test_of_several_flows_each_has_a_row_and_its_own_waits() -> None:
    flows = {"orders": STATUS, "clicks": {**STATUS, "inlet": {"state": "ready"}, "waits": []}}
    page = shown({**STATUS, "flows": flows})
    assert page.count("The inlet is away. (flow orders, for 1 min 15 s)") == 1
    assert [name for name in flows if f"\n {name}" in page or f"\n{name}" in page] == list(flows)


def test_books_that_do_not_balance_are_told() -> None:
    assert "5 records are unaccounted for" in shown({**STATUS, "ledger": {"residue": 5}})


def test_each_kind_of_source_says_what_is_its_own() -> None:
    sources = {
        "app": {"files": 3, "lag_bytes": 5_000, "not_read": {"/log/x": "permission denied"}},
        "shop": {"connections": 1200, "refused_connections": 0},
        "udp": {"dropped_datagrams": 7},
        "web": {"waiting": {"requests": 2}},
    }
    page = shown({**STATUS, "sources": sources}, 160)
    for words in (
        *("5.0 kB", "3 files; cannot be read: /log/x, permission denied", "1,200 connections"),
        *("7 dropped datagrams", "2 waiting requests"),
    ):
        assert words in page
    assert "refused connections" not in page


def test_a_reload_that_was_refused_is_told() -> None:
    refused = {"outcome": "refused", "problems": [f"agent.yaml:3: wrong {HOSTILE}"]}
    page = shown({**STATUS, "last_reload": refused}, 200)
    assert "read again and refused: agent.yaml:3: wrong" in page
    assert "\x1b" not in page


@pytest.mark.parametrize("columns", [20, 40, 80, 200])
def test_no_line_is_wider_than_the_window(columns: int) -> None:
    assert max(map(len, shown(STATUS, columns).splitlines())) <= columns


def test_what_an_older_agent_does_not_say_is_left_out() -> None:
    assert "aep-agent 0.0.1" in shown({"version": "0.0.1"})
    assert "inlet unknown" in line({"version": "0.0.1"})


def test_of_a_dead_letter_the_words_are_cut_before_its_reason_and_its_place_are() -> None:
    letter = {**STATUS["last_dead_letters"][0], "message": "no such field, " * 10}
    page = shown({**STATUS, "last_dead_letters": [letter]}, columns=104)

    assert "rejected by schema (7 times)" in page
    assert "app.log:4711" in page
    assert "no such field, no" in page
    assert "…" in page
    assert all(len(each) <= 104 for each in page.splitlines())


def test_nothing_that_is_said_can_play_tricks_on_the_terminal() -> None:
    hostile = {
        **STATUS,
        "version": HOSTILE,
        "why": HOSTILE,
        "inlet": {"state": HOSTILE},
        "waits": [{"says": HOSTILE, "next_step": HOSTILE, "cause": HOSTILE}],
        "sources": {HOSTILE: {}},
        "requests_by_status": {HOSTILE: 1},
        "last_dead_letters": [{"reason": HOSTILE, "message": HOSTILE, "source": HOSTILE}],
    }
    for page in (shown(hostile, 300), shown({**hostile, "flows": {HOSTILE: hostile}}, 300)):
        assert not {"\x1b", "\x07", "\u202e"} & set(page)
        assert "[bold red]" in page
    assert line(hostile).isprintable()


def test_the_most_of_several_seconds_is_what_a_chart_shows() -> None:
    assert sparkline([0, 1, 2, 4], 60) == "▁▂▄█"
    assert sparkline([0.0] * 300 + [7.0], 60)[-1] == "█"
    assert len(sparkline(list(range(301)), 60)) <= 60
    assert sparkline([0, 0], 60) == "▁▁"
