"""Lines for systemd's journal begin with their priority; nobody else sees one."""

import io
import json
import os
import socket
from pathlib import Path

import pytest

from agent.telemetry import journal
from support.agent import aep_agent
from telemetry.test_logs import run_python

SPEAKS = """
from agent.telemetry import logs
logs.configure("debug", format={format!r}, priorities={priorities!r})
log = logs.get_logger("x")
log.debug("d"); log.info("i"); log.warning("w"); log.error("e", exc_info=ValueError("two\\nlines"))
"""


def journal_stream(descriptor: int) -> dict[str, str]:
    """What systemd says in the environment of a service whose stream leads to the journal."""
    there = os.fstat(descriptor)
    return {"JOURNAL_STREAM": f"{there.st_dev}:{there.st_ino}"}


def said_to_journal(format: str = "json", priorities: str = "auto") -> list[str]:
    ours, its = socket.socketpair()
    with ours, its:
        run_python(
            SPEAKS.format(format=format, priorities=priorities),
            environ=journal_stream(its.fileno()),
            stderr=its,
        )
        return ours.recv(100_000).decode().splitlines()


def test_each_line_has_the_priority_of_its_level_before_it() -> None:
    lines = said_to_journal()

    assert [line[:4] for line in lines] == ["<7>{", "<6>{", "<4>{", "<3>{"]
    assert [json.loads(line[3:])["event"] for line in lines] == ["d", "i", "w", "e"]


def test_every_row_of_an_exception_is_as_important_as_the_first() -> None:
    rows = [line for line in said_to_journal("console") if line.startswith("<3>")]

    assert len(rows) > 2
    assert "lines" in rows[-1]


def test_never_means_never() -> None:
    assert all(line.startswith("{") for line in said_to_journal(priorities="never"))


def test_a_stream_that_was_led_elsewhere_than_to_the_journal_gets_no_priorities(
    tmp_path: Path,
) -> None:
    with (tmp_path / "log").open("w+") as file, (tmp_path / "journal").open("w") as other:
        code = SPEAKS.format(format="json", priorities="auto")
        run_python(code, environ=journal_stream(other.fileno()), stderr=file)
        file.seek(0)
        assert all(line.startswith("{") for line in file)


@pytest.mark.parametrize("stream", ["", "8", "a:b", "8:1:2"])
def test_an_odd_journal_stream_is_none(stream: str) -> None:
    with Path(os.devnull).open("w") as file:
        assert not journal.are_meant("auto", file, {"JOURNAL_STREAM": stream})
    assert not journal.are_meant("auto", io.StringIO(), {"JOURNAL_STREAM": "1:2"})
    assert not journal.are_meant("auto", None, {"JOURNAL_STREAM": "1:2"})


def test_a_configuration_that_is_wrong_is_an_error_in_the_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "agent.yaml"
    config.write_text("inlet: {url: nonsense}\n")
    plain = aep_agent("run", config)
    assert plain.code == 78
    assert not plain.stderr.startswith(b"<")

    ours, its = socket.socketpair()
    with ours, its:
        done = run_python(
            f"import agent.__main__ as it; raise SystemExit(it.main(['run', {str(config)!r}]))",
            environ=journal_stream(its.fileno()),
            stderr=its,
        )
        rows = ours.recv(100_000).splitlines()
    assert done.returncode == 78
    assert rows
    assert all(row.startswith(b"<3>") for row in rows)
    assert b"\n".join(row[3:] for row in rows).strip() == plain.stderr.strip()
