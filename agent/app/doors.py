"""What stands between a source and the intake, where its configuration asks for anything?"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.config.filters import Filtered
from agent.config.formats import Formatted, Received
from agent.delivery.intake import Intake, IntakeLimits
from agent.record import BEGINNING, Position
from agent.sources.source import Doors, Feed
from agent.sources.unwrapping import Unwrapping

if TYPE_CHECKING:
    from agent.app.formats import Format
    from agent.core.filters import Filters


@dataclass(frozen=True, slots=True)
class Passage:
    """Doors of the intake at which records are taken out of what they come in, and filtered."""

    intake: Intake
    filters: "Filters | None"
    unwrapped: "Format | None"

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


# Most sources are read line by line and not filtered; what does more is not loaded for them.


def format_of(settings: Formatted | Received, limits: IntakeLimits) -> "Format | None":
    """How to take apart what a source reads; None where that is one record a line."""
    if settings.format == "ndjson":
        return None
    from agent.app import formats

    return formats.format_of(settings, limits)


def filters_of(settings: Filtered, record_bytes_max: int) -> "Filters | None":
    """The filters of a source; None where it has none."""
    if not settings.filters and settings.non_json == "dead_letter":
        return None
    from agent.app import filtering

    return filtering.filters_of(settings, record_bytes_max)
