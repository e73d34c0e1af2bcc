"""What does one log line look like? JSON for machines, aligned columns for people.

This module imports structlog, which takes a tenth of a second: `agent.telemetry.logs` imports it
when the first line is to be written.
"""

import os
import re
import sys
import traceback
from typing import Any, TextIO

import orjson

from agent.telemetry import journal
from agent.telemetry.redaction import Plain, scrub_fields, scrub_text

# Where rich is installed structlog imports it, for tracebacks that are not wanted here: 3 MB.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None makes importing it fail
import structlog  # noqa: E402
from structlog.typing import (  # noqa: E402
    EventDict,
    FilteringBoundLogger,
    Processor,
    WrappedLogger,
)

if sys.modules["rich"] is None:
    del sys.modules["rich"]

_FIRST = ("timestamp", "level", "logger", "event")
# C0 and C1 controls, line and paragraph separators, and marks that turn the direction of text.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class Sink:
    """Writes lines to a stream."""

    def __init__(self, stream: TextIO | None) -> None:
        """Without `stream`, lines go to what `sys.stderr` is at that moment."""
        self._stream = stream

    @property
    def is_terminal(self) -> bool:
        """Is somebody watching?"""
        return self._target is not None and self._target.isatty()

    def write(self, line: str) -> None:
        """Write one line; raises OSError or ValueError where the stream does not take it."""
        target = self._target
        if target is None:
            return
        target.write(line + "\n")
        target.flush()

    debug = info = warning = error = write

    def is_journal(self, priorities: str) -> bool:
        """Is what is written read by systemd's journal, as far as `log.priorities` lets it be?"""
        return journal.are_meant(priorities, self._target)

    @property
    def _target(self) -> TextIO | None:
        return self._stream or sys.stderr


def build(format: str, priorities: str, stream: TextIO | None) -> FilteringBoundLogger:
    """A logger that writes to `stream` (or stderr).

    `format` is auto, json or console, `priorities` auto, always or never.
    """
    sink = Sink(stream)
    if format == "auto":
        format = "console" if sink.is_terminal else "json"
    last = _console(sink.is_terminal) if format == "console" else _json()
    processors: list[Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _spell_out_exception,
        _scrub,
        *last,
    ]
    if sink.is_journal(priorities):
        processors.append(_say_how_important)
    logger: FilteringBoundLogger = structlog.wrap_logger(
        sink,
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(0),
        cache_logger_on_first_use=True,
    )
    return logger


def _json() -> list[Processor]:
    return [structlog.processors.JSONRenderer(lambda line, **_: orjson.dumps(line).decode())]


def _console(is_terminal: bool) -> list[Processor]:
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    columns = structlog.dev.ConsoleRenderer(
        colors=is_terminal and not plain,
        sort_keys=False,
        pad_event_to=40,
        exception_formatter=structlog.dev.plain_traceback,
    )
    return [_escape_controls, columns]


def _say_how_important(_logger: WrappedLogger, method: str, line: Any) -> str:
    return journal.with_priority(method, line)


def _spell_out_exception(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    error = line.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()[1]
    if isinstance(error, tuple):
        error = error[1]
    if isinstance(error, BaseException):
        line["exception"] = "".join(traceback.format_exception(error)).rstrip()
    return line


def _scrub(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    ours = {name: line.pop(name) for name in _FIRST if name in line}
    ours["event"] = scrub_text(str(ours["event"]))
    exception = line.pop("exception", None)
    shown: EventDict = {**ours, **scrub_fields(line)}
    if exception is not None:
        shown["exception"] = scrub_text(exception, keep_end=True)
    return shown


def _escape_controls(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """No value may begin a line of its own: whoever reads a terminal would take it for ours."""
    exception = line.pop("exception", None)
    shown: EventDict = {_escaped(name): _escaped_within(value) for name, value in line.items()}
    if exception is not None:
        shown["exception"] = "\n".join(f"    {_escaped(row)}" for row in exception.split("\n"))
    return shown


def _escaped_within(value: Plain) -> Plain:
    if isinstance(value, str):
        return _escaped(value)
    if isinstance(value, list):
        return [_escaped_within(item) for item in value]
    if isinstance(value, dict):
        return {_escaped(name): _escaped_within(item) for name, item in value.items()}
    return value


def _escaped(text: str) -> str:
    return _CONTROLS.sub(lambda control: control[0].encode("unicode_escape").decode(), text)
