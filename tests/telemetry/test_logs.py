import asyncio
import io
import json
import logging
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.telemetry import logs
from agent.telemetry.logs import configure, get_logger

Said = Callable[[], list[dict[str, Any]]]

ROOT = Path(__file__).parents[2]
log = get_logger("delivery")


def run_python(code: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run `code` in a Python of its own, as the agent would run."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("environ", {})}
    return subprocess.run(
        [sys.executable, "-c", code], env=environ, text=True, timeout=30, check=False, **options
    )


def test_a_line_has_a_time_a_level_a_name_an_event_and_its_fields(said: Said) -> None:
    log.info("batch sent", records=500, status=207)
    (line,) = said()
    when = datetime.fromisoformat(line.pop("timestamp"))
    assert abs((datetime.now(UTC) - when).total_seconds()) < 5
    assert list(line.items()) == [
        ("level", "info"),
        ("logger", "delivery"),
        ("event", "batch sent"),
        ("records", 500),
        ("status", 207),
    ]


async def test_what_is_said_of_one_flow_is_said_by_all_its_tasks_and_timers(said: Said) -> None:
    async def speak() -> None:
        log.info("a task")
        asyncio.get_running_loop().call_soon(log.info, "a timer")
        await asyncio.sleep(0)

    with logs.saying(flow="orders"):
        task = asyncio.ensure_future(speak())
        log.info("itself", records=1)
    await task
    log.info("nobody")
    ours = [line for line in said() if line["logger"] == "delivery"]
    assert [(line["event"], line.get("flow")) for line in ours] == [
        ("itself", "orders"),
        ("a task", "orders"),
        ("a timer", "orders"),
        ("nobody", None),
    ]


def test_a_line_of_one_flow_does_not_hold_back_the_same_line_of_another(
    stream: io.StringIO,
) -> None:
    configure("info", "json", 60, stream)
    for flow in ("a", "b", "a"):
        with logs.saying(flow=flow):
            log.warning("the inlet is down", once_per="reason", reason="503")
    assert re.findall('"flow":"(.)"', stream.getvalue()) == ["a", "b"]


def test_only_lines_at_the_level_or_above_are_written(stream: io.StringIO) -> None:
    configure("warning", "json", 0, stream)
    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")
    assert re.findall('"event":"(.)"', stream.getvalue()) == ["c", "d"]


def test_an_unknown_level_or_format_is_refused() -> None:
    with pytest.raises(ValueError, match="debug, info, warning, error"):
        configure("loud")
    with pytest.raises(ValueError, match="auto, json, console"):
        configure(format="xml")


def test_a_field_may_have_the_name_of_a_part_of_the_line(said: Said) -> None:
    log.info("moved", level="high", logger="x", timestamp=1, name="n", **{"event": "e"})
    (line,) = said()
    assert (line["level"], line["event"]) == ("info", "moved")
    assert (line["level_"], line["event_"], line["timestamp_"]) == ("high", "e", 1)


def test_a_caught_exception_is_written_with_its_traceback_and_without_its_secrets(
    said: Said,
) -> None:
    logs.redact("hush-hush-1")
    try:
        raise ValueError("no hush-" + "hush-1 for you")
    except ValueError as error:
        log.exception("request failed")
        log.error("request failed again", exc_info=error)
        log.error("request failed for good", exc_info=True)
    logs.forget("hush-hush-1")
    assert len(said()) == 3
    for line in said():
        assert line["exception"].startswith("Traceback")
        assert line["exception"].endswith("ValueError: no [redacted] for you")


secrets = st.text("abcXYZ019+/=_-.~ \"'\\\n\té漢", min_size=6, max_size=30).map("§{}§".format)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(secret=secrets, before=st.text(max_size=9), form=st.sampled_from(["json", "console"]))
def test_a_secret_never_leaves_whatever_says_it(
    secret: str, before: str, form: str, quiet_again: None
) -> None:
    stream = io.StringIO()
    configure("debug", form, 0, stream)
    text = before + secret
    logs.redact(secret)
    log.info(text, where=text, nested={"deep": [text]}, **{text: 1})
    log.error("failed", error=OSError(text), exc_info=OSError(text))
    log.warning("x", once_per="where", where=text)
    logging.getLogger("aiohttp").error("failed: %s", text, exc_info=RuntimeError(text))
    logs.forget(secret)
    for spelled in (secret, repr(secret)[1:-1], json.dumps(secret)[1:-1]):
        assert spelled not in stream.getvalue()


def test_a_repeated_warning_is_held_back_and_the_next_one_says_how_often(
    stream: io.StringIO,
) -> None:
    configure("debug", "json", 0.2, stream)
    for _ in range(5):
        log.warning("inlet unreachable", status=503)
    threading.Event().wait(0.25)
    log.warning("inlet unreachable", status=500)
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert '"status":500,"repeated":4' in lines[1]


def test_errors_are_held_back_too_but_each_level_and_part_for_itself(said: Said) -> None:
    for _ in range(3):
        log.error("down")
        log.warning("down")
        get_logger("store").error("down")
    assert len(said()) == 3


def test_a_repeat_with_news_in_the_fields_named_is_let_through(said: Said) -> None:
    for status in (503, 503, 429):
        log.warning("request failed", once_per="status", status=status, batch=1)
    for source in ("a", "a", "b"):
        log.info("waiting", once_per=("source", "why"), source=source, why="full")
    assert [line.get("status") or line["source"] for line in said()] == [503, 429, "a", "b"]


def test_plain_information_is_never_held_back(said: Said) -> None:
    for path in ("a", "a"):
        log.info("source opened", path=path)
        log.debug("chunk read")
    assert len(said()) == 4


def test_what_libraries_say_comes_out_in_our_lines(said: Said) -> None:
    logging.getLogger("asyncio").error("Task %r failed", "t", exc_info=ValueError("x"))
    (task,) = said()
    assert (task["logger"], task["level"], task["event"]) == ("asyncio", "error", "Task 't' failed")
    assert "ValueError: x" in task["exception"]


def test_what_a_library_says_wrongly_comes_out_as_its_template(said: Said) -> None:
    wrong = logging.LogRecord("aiohttp", logging.CRITICAL, "", 1, "broken %d", ("word",), None)
    logs.Routed().emit(wrong)
    (line,) = said()
    assert (line["level"], line["event"]) == ("error", "broken %d")


def test_a_library_repeats_itself_when_its_template_does(said: Said) -> None:
    for number in range(3):
        logging.getLogger("aiohttp").warning("connection %d lost", number)
    logging.getLogger("aiohttp").info("below a warning, %s", "always let through")
    assert [line["event"] for line in said()] == [
        "connection 0 lost",
        "below a warning, always let through",
    ]


def test_libraries_are_held_to_the_level_too(stream: io.StringIO) -> None:
    configure("error", "json", 0, stream)
    logging.getLogger("aiohttp").warning("not wanted")
    assert stream.getvalue() == ""


def test_configuring_again_does_not_double_what_libraries_say(stream: io.StringIO) -> None:
    configure("info", "json", 0, io.StringIO())
    configure("info", "json", 0, stream)
    logging.getLogger("aiohttp").warning("once")
    assert stream.getvalue().count("once") == 1


def test_an_exception_the_loop_caught_is_one_of_our_lines(said: Said) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_exception_handler({"message": "Unclosed thing"})

    asyncio.run(main())
    assert [line["event"] for line in said() if line["level"] == "error"] == ["Unclosed thing"]


def test_no_value_can_forge_a_line_on_a_console(stream: io.StringIO) -> None:
    configure("info", "console", 0, stream)
    evil = "x\n2026-01-01T00:00:00Z [error] forged\r\x1b[2J\x9b\u2028\u202e"
    log.info(evil, value=evil, nested=[{evil: evil}], **{evil: 1})
    log.error("failed", exc_info=ValueError(evil))
    written = stream.getvalue()
    ours = [line for line in written.split("\n") if line and not line.startswith("    ")]
    assert len(ours) == 2
    assert not re.search("[\r\x1b\x9b\u2028\u202e]", written)


def test_no_colours_without_a_terminal(stream: io.StringIO) -> None:
    configure("info", "console", 0, stream)
    log.warning("plain", status=1)
    assert "\x1b" not in stream.getvalue()
    assert "[warning  ] plain" in stream.getvalue()


SPEAK = (
    "from agent.telemetry import logs; logs.configure(); logs.get_logger('x').info('hello', n=1)"
)


@pytest.mark.parametrize(
    ("environ", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_a_terminal_gets_columns_and_colours_unless_it_asks_for_none(
    environ: dict[str, str], coloured: bool
) -> None:
    ours, theirs = pty.openpty()
    try:
        environ = {"TERM": "xterm", "NO_COLOR": "", **environ}
        assert run_python(SPEAK, stderr=theirs, environ=environ).returncode == 0
        shown = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "hello" in shown
    assert not shown.startswith("{")
    assert ("\x1b[" in shown) is coloured


def test_anything_but_a_terminal_gets_json() -> None:
    assert run_python(SPEAK, stderr=subprocess.PIPE).stderr.startswith('{"timestamp":"')


def test_saying_nothing_imports_nothing() -> None:
    code = """
import sys
from agent.telemetry import logs
logs.configure(level="warning")
logs.get_logger("x").info("not said")
assert not {"structlog", "rich", "orjson"} & set(sys.modules), "too much was imported"
logs.get_logger("x").warning("said")
assert "structlog" in sys.modules
"""
    ran = run_python(code, stderr=subprocess.PIPE)
    assert (ran.returncode, "said" in ran.stderr) == (0, True), ran.stderr


STUBBORN = SPEAK + "; logs.get_logger('x').error('again'); print('done')"


def test_a_full_disk_under_stderr_stops_nothing_and_changes_no_exit_code() -> None:
    with Path("/dev/full").open("w") as full:
        ran = run_python(STUBBORN, stdout=subprocess.PIPE, stderr=full)
    assert (ran.returncode, ran.stdout) == (0, "done\n")


def test_a_broken_pipe_under_stderr_stops_nothing_and_changes_no_exit_code() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ran = run_python(STUBBORN, stdout=subprocess.PIPE, stderr=writing)
    finally:
        os.close(writing)
    assert (ran.returncode, ran.stdout) == (0, "done\n")


@pytest.mark.parametrize("close", ["sys.stderr.close()", "sys.stderr = None"])
def test_a_stderr_that_is_gone_stops_nothing(close: str) -> None:
    ran = run_python(f"import sys; {close}; {STUBBORN}", stdout=subprocess.PIPE)
    assert (ran.returncode, ran.stdout) == (0, "done\n")


def test_a_closed_stream_stops_nothing(stream: io.StringIO) -> None:
    configure("info", "auto", 0, stream)
    stream.close()
    log.error("nobody hears this")


def test_lines_go_to_where_stderr_is_now(
    quiet_again: None, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("info", "json")
    log.info("first")
    elsewhere = io.StringIO()
    before, sys.stderr = sys.stderr, elsewhere
    try:
        log.info("second")
    finally:
        sys.stderr = before
    assert "first" in capsys.readouterr().err
    assert "second" in elsewhere.getvalue()


class Unspeakable:
    def __str__(self) -> str:
        raise RuntimeError("cannot be said")


def test_a_field_that_cannot_be_shown_costs_no_line(said: Said) -> None:
    log.error("odd", value=Unspeakable(), text="\udcff", number=2**70)
    (line,) = said()
    assert (line["value"], line["text"]) == ("[Unspeakable]", "\\udcff")


def test_no_call_raises_whatever_it_is_given(said: Said) -> None:
    log.error("odd", once_per="value", value=Unspeakable())
    log.exception("nothing is being caught")
    assert [line["event"] for line in said()] == ["nothing is being caught"]


def test_threads_do_not_mix_their_lines(said: Said) -> None:
    def speak(number: int) -> None:
        for _ in range(100):
            log.info("said", number=number, text="x" * 200)

    threads = [threading.Thread(target=speak, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said()) == 400
