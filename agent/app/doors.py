"""What stands between a source and the intake, where its configuration asks for anything?"""

from dataclasses import dataclass

from agent.conditions import condition, path
from agent.config.filters import Filtered, FilterSettings
from agent.core.changes import Hashing, Removing, Setting
from agent.core.filters import Conditional, Filter, Filters, Sample
from agent.delivery.intake import Intake
from agent.record import BEGINNING, Position
from agent.sources.source import Doors, Feed


@dataclass(frozen=True, slots=True)
class Filtering:
    """Doors of the intake, behind which records are chosen and changed."""

    intake: Intake
    filters: Filters

    def feed(
        self,
        source: str,
        start: Position = BEGINNING,
        identity: str | None = None,
        label: str | None = None,
    ) -> Feed:
        """The feed of a stream of that name."""
        return self.intake.feed(source, start, identity, label, self.filters)


def doors_of(settings: Filtered, intake: Intake) -> Doors:
    """What a source of these settings puts what it reads into: the intake itself, by default."""
    filters = filters_of(settings, intake.limits.record_bytes_max)
    return Filtering(intake, filters) if filters else intake


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
