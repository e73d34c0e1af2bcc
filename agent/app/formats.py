"""How is taken apart what a source reads in another format than lines?"""

from collections.abc import Callable

from agent.config.formats import Formatted, Received
from agent.core.containers import READERS
from agent.core.documents import Documents
from agent.core.framing import LineFramer
from agent.core.joining import Joining
from agent.core.syslog import SyslogMessages
from agent.core.unwrapping import Unwrapper
from agent.delivery.intake import IntakeLimits
from agent.record import Position

_WRAPPED = 2  # a line may be so many times as long as the record in it, for its escapes

Format = Callable[[Position], tuple[Unwrapper, LineFramer | None]]
"""Begins to take a stream apart, from a position on."""


def format_of(settings: Formatted | Received, limits: IntakeLimits) -> Format:
    """How to take apart what a source reads that is not one record a line."""
    record, head = limits.record_bytes_max, limits.dead_letter_bytes_max
    if settings.format == "json":
        return lambda start: (Documents(start, record, head), None)
    line = _WRAPPED * record
    if settings.format == "syslog":
        return lambda start: (SyslogMessages(start), LineFramer(line, head))
    assert isinstance(settings, Formatted), "nobody sends the lines of a container's log"
    read, only = READERS[settings.format], None if settings.stream == "all" else settings.stream
    return lambda start: (Joining(read, start, record, head, only), LineFramer(line, head))
