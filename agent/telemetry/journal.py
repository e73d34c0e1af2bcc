"""How important is a line in systemd's journal? It is told by `<N>` before it (sd-daemon(3))."""

import os
from collections.abc import Mapping
from typing import TextIO

PRIORITIES = ("auto", "always", "never")

_NUMBERS = {"debug": 7, "info": 6, "warning": 4, "error": 3}


def are_meant(
    priorities: str, stream: TextIO | None, environ: Mapping[str, str] = os.environ
) -> bool:
    """Whether lines to *stream* get their priority: `auto` where the journal reads them.

    systemd names in the environment the socket that leads to the journal; a stream that was led
    elsewhere since is another one.
    """
    if priorities != "auto":
        return priorities == "always"
    try:
        device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
        there = os.fstat(stream.fileno()) if stream else None
        return there is not None and (there.st_dev, there.st_ino) == (int(device), int(inode))
    except (OSError, ValueError):
        return False


def with_priority(level: str, text: str) -> str:
    """Each line of the text with the priority of that level; the journal takes it off again."""
    prefix = f"<{_NUMBERS[level]}>"
    return prefix + text.replace("\n", f"\n{prefix}")
