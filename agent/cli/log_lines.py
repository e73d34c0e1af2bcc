"""Which lines of a log are the agent's own? Others may be records: of a program that shares it."""

import json
import re
from pathlib import Path

from agent.telemetry.redaction import scrub_fields

LOGGERS = frozenset(
    [
        *("admin", "agent", "config", "credentials", "delivery", "discovery", "file", "memory"),
        *("platform", "progress", "push", "reload", "service", "source", "store"),
    ]
)
_LAST_BYTES = 8 << 20
_LAST_LINES = 20_000
_PRIORITY = re.compile(rb"^<[0-7]>")  # as journald wants it before a line


def own_lines(path: Path) -> bytes:
    """The last lines in JSON that the agent wrote, and at the end how many others there were."""
    own: list[bytes] = []
    others = 0
    for line in _last(path):
        told = _own(_PRIORITY.sub(b"", line))
        if told is None:
            others += 1
        else:
            own.append(told)
    note = {"lines": len(own), "left_out": others, "reason": "not written by the agent in JSON"}
    return b"\n".join([*own, json.dumps(note).encode(), b""])


def _last(path: Path) -> list[bytes]:
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - _LAST_BYTES))
        lines = file.read(_LAST_BYTES).split(b"\n")
    if size > _LAST_BYTES:
        del lines[0]  # it has lost its beginning
    return [line for line in lines if line.strip()][-_LAST_LINES:]


def _own(line: bytes) -> bytes | None:
    try:
        told = json.loads(line)
    except ValueError:
        return None
    is_own = (
        isinstance(told, dict)
        and told.get("logger") in LOGGERS
        and {"timestamp", "level", "event"} <= told.keys()
    )
    return json.dumps(scrub_fields(told), ensure_ascii=False).encode() if is_own else None
