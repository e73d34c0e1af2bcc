"""How does a part of the agent say something? `get_logger(name).info("words", field=value)`.

Events are short lower-case phrases that never vary; whatever varies is a field. A warning or error
that repeats itself within `repeat` seconds is held back, and the next one let through carries
`repeated=N`; `once_per="status"` counts each status as news of its own, and throttles a debug or
info line in the same way. Secrets and records are taken out (see `agent.telemetry.redaction`).

A line below the level costs one comparison, and structlog is imported by the first line that is
written: a run with nothing to say never pays for it. A line that cannot be written is lost; no call
here raises.
"""

import logging
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TextIO

from agent.telemetry.journal import PRIORITIES
from agent.telemetry.redaction import forget, redact
from agent.telemetry.repeats import Repeats

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

__all__ = ["Logger", "configure", "forget", "get_logger", "redact", "saying"]

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
FORMATS = ("auto", "json", "console")
_DEBUG, _INFO, _WARNING, _ERROR = LEVELS.values()
_NAMES = {number: name for name, number in LEVELS.items()}
_RESERVED = frozenset({"timestamp", "level", "logger", "event", "repeated", "exception"})

OncePer = str | tuple[str, ...] | None

_said_besides: ContextVar[Mapping[str, object] | None] = ContextVar("said besides", default=None)


@contextmanager
def saying(**fields: object) -> Iterator[None]:
    """Add these fields to what is said within, and by tasks and timers that are started within.

    Lines that differ in them do not repeat each other.
    """
    token = _said_besides.set({**(_said_besides.get() or {}), **fields})
    try:
        yield
    finally:
        _said_besides.reset(token)


class _Voice:
    """The settings in force, and the structlog logger once something was said."""

    def __init__(self) -> None:
        # Reentrant, because the collector may run inside a line, and what it closes may speak.
        self._lock = threading.RLock()
        self.settle_on("info", "auto", 30.0, "auto", None)

    def settle_on(
        self, level: str, format: str, repeat: float, priorities: str, stream: TextIO | None
    ) -> None:
        self.threshold = LEVELS[level]
        self._format = format
        self._priorities = priorities
        self._stream = stream
        self._repeats = Repeats(repeat)
        self._logger: FilteringBoundLogger | None = None

    def say(
        self,
        level: int,
        name: str,
        event: str,
        fields: dict[str, object],
        once_per: OncePer = None,
        topic: str | None = None,
    ) -> None:
        try:
            besides = _said_besides.get() or {}
            fields = {**besides, **fields}
            with self._lock:
                held_back: int | None = 0
                if once_per is not None or level >= _WARNING:
                    chosen = *_chosen(once_per or (), fields), *_chosen(tuple(besides), fields)
                    key = (level, name, topic or event, *chosen)
                    held_back = self._repeats.admit(key, time.monotonic())
                if held_back is not None:
                    self._write(level, name, event, fields, held_back)
        except Exception:  # noqa: BLE001 - a line that cannot be said must not stop the work it is about
            return

    def _write(
        self, level: int, name: str, event: str, fields: dict[str, object], held_back: int
    ) -> None:
        line = {f"{key}_" if key in _RESERVED else key: value for key, value in fields.items()}
        if held_back:
            line["repeated"] = held_back
        if self._logger is None:
            from agent.telemetry import lines

            self._logger = lines.build(self._format, self._priorities, self._stream)
        self._logger.bind(logger=name, **line).log(level, event)


def _chosen(names: str | tuple[str, ...], fields: dict[str, object]) -> list[str]:
    names = (names,) if isinstance(names, str) else names
    return [str(fields.get(name))[:200] for name in names]


class Logger:
    """Speaks for one part of the agent, under its name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def debug(self, event: str, /, *, once_per: OncePer = None, **fields: object) -> None:
        """Say something only a developer wants to know."""
        if _voice.threshold <= _DEBUG:
            _voice.say(_DEBUG, self.name, event, fields, once_per)

    def info(self, event: str, /, *, once_per: OncePer = None, **fields: object) -> None:
        """Say something that is as it should be."""
        if _voice.threshold <= _INFO:
            _voice.say(_INFO, self.name, event, fields, once_per)

    def warning(self, event: str, /, *, once_per: OncePer = None, **fields: object) -> None:
        """Say something that may need somebody's attention; repeats are held back."""
        if _voice.threshold <= _WARNING:
            _voice.say(_WARNING, self.name, event, fields, once_per)

    def error(self, event: str, /, *, once_per: OncePer = None, **fields: object) -> None:
        """Say something that needs somebody's attention; `exc_info=error` adds a traceback."""
        if _voice.threshold <= _ERROR:
            _voice.say(_ERROR, self.name, event, fields, once_per)

    def exception(self, event: str, /, *, once_per: OncePer = None, **fields: object) -> None:
        """As `error`, with the traceback of the exception being caught."""
        if _voice.threshold <= _ERROR:
            fields.setdefault("exc_info", sys.exception())
            _voice.say(_ERROR, self.name, event, fields, once_per)


class Routed(logging.Handler):
    """Takes what libraries say through the standard `logging` to our own lines."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say `record` in our format; its template, not its text, tells whether it repeats."""
        topic = str(record.msg)
        try:
            event = record.getMessage()
        except Exception:  # noqa: BLE001 - arguments that do not fit their template
            event = topic
        level = max((number for number in _NAMES if number <= record.levelno), default=_DEBUG)
        fields: dict[str, object] = {"exc_info": record.exc_info} if record.exc_info else {}
        _voice.say(level, record.name, event, fields, topic=topic)


def configure(
    level: str = "info",
    format: str = "auto",
    repeat: float = 30.0,
    stream: TextIO | None = None,
    *,
    priorities: str = "auto",
) -> None:
    """Choose what is said, how and where, and route the standard `logging` the same way.

    `level` is debug, info, warning or error; `format` is json, console, or auto: console on a
    terminal, else json. Repeats within `repeat` seconds are held back (0: none are). Without
    `stream`, lines go to whatever `sys.stderr` is when they are written. `priorities` says whether
    each begins with its own for systemd's journal, `<6>`: auto (where the journal reads them),
    always or never. Raises ValueError for an unknown word.
    """
    for word, words in ((level, LEVELS), (format, FORMATS), (priorities, PRIORITIES)):
        if word not in words:
            raise ValueError(f"{word!r}: write one of {', '.join(words)}")
    _voice.settle_on(level, format, repeat, priorities, stream)
    root = logging.getLogger()
    if not any(isinstance(handler, Routed) for handler in root.handlers):
        root.addHandler(Routed())
    root.setLevel(LEVELS[level])


def get_logger(name: str) -> Logger:
    """A logger for the part called `name`, such as "delivery"; costs nothing until it speaks."""
    return Logger(name)


_voice = _Voice()
