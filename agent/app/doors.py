"""What stands between a source and the intake, where its configuration asks for anything?"""

from collections.abc import Callable
from dataclasses import dataclass

from agent.conditions import condition, path
from agent.config.filters import Filtered, FilterSettings
from agent.config.formats import Formatted, Received
from agent.core.changes import Hashing, Removing, Setting
from agent.core.containers import READERS
from agent.core.documents import Documents
from agent.core.filters import Conditional, Filter, Filters, Sample
from agent.core.framing import LineFramer
from agent.core.joining import Joining
from agent.core.syslog import SyslogMessages
from agent.core.unwrapping import Unwrapper
from agent.delivery.intake import Intake, IntakeLimits
from agent.record import BEGINNING, Position
from agent.sources.source import Doors, Feed
from agent.sources.unwrapping import Unwrapping

_WRAPPED = 2  # a line may be so many times as long as the record in it, for its escapes

Format = Callable[[Position], tuple[Unwrapper, LineFramer | None]]
"""Begins to take a stream apart, from a position on."""


@dataclass(frozen=True, slots=True)
class Passage:
    """Doors of the intake at which records are taken out of what they come in, and filtered."""

    intake: Intake
    filters: Filters | None
    unwrapped: Format | None

    def feed(
        self,
        source: str,
        start: Position = BEGINNING,
        identity: str | None = None,
        label: str | None = None,
    ) -> Feed:
        """The feed of a stream of that name."""
        feed = self.intake.feed(source, start, identity, label, self.filters)
        return Unwrapping(feed, *self.unwrapped(start)) if self.unwrapped else feed


def doors_of(settings: Filtered, intake: Intake) -> Doors:
    """What a source of these settings puts what it reads into: the intake itself, by default."""
    filters = filters_of(settings, intake.limits.record_bytes_max)
    unwrapped = None
    if isinstance(settings, Formatted | Received):
        unwrapped = format_of(settings, intake.limits)
    return Passage(intake, filters, unwrapped) if filters or unwrapped else intake


def format_of(settings: Formatted | Received, limits: IntakeLimits) -> Format | None:
    """How to take apart what a source reads; None where that is one record a line."""
    record, head = limits.record_bytes_max, limits.dead_letter_bytes_max
    if settings.format == "ndjson":
        return None
    if settings.format == "json":
        return lambda start: (Documents(start, record, head), None)
    line = _WRAPPED * record
    if settings.format == "syslog":
        return lambda start: (SyslogMessages(start), LineFramer(line, head))
    assert isinstance(settings, Formatted), "nobody sends the lines of a container's log"
    read, only = READERS[settings.format], None if settings.stream == "all" else settings.stream
    return lambda start: (Joining(read, start, record, head, only), LineFramer(line, head))


def filters_of(settings: Filtered, record_bytes_max: int) -> Filters | None:
    """The filters of a source; None where it has none."""
    if not settings.filters and settings.non_json == "dead_letter":
        return None
    filters = [
        _filter(name, each)
        for name, each in zip(settings.filter_names, settings.filters, strict=True)
    ]
    return Filters(filters, record_bytes_max, drop_non_json=settings.non_json == "drop")


def _filter(name: str, settings: FilterSettings) -> Filter:
    if conditions := settings.keep or settings.drop:
        read = [condition(text) for text in conditions]
        return Filter(name, Conditional(read, keep=settings.keep is not None))
    if settings.sample is not None:
        return Filter(name, Sample(settings.sample, path(settings.by) if settings.by else None))
    removing = (Removing(path(text)) for text in settings.remove or ())
    hashing = (Hashing(path(text), settings.normalize) for text in settings.hash or ())
    setting = (
        Setting(tuple(map(str, path(text))), value) for text, value in (settings.set or {}).items()
    )
    return Filter(name, changes=(*removing, *hashing, *setting))
