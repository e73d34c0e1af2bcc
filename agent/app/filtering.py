"""Which filters does a source have?"""

from agent.conditions import condition, path
from agent.config.filters import Filtered, FilterSettings
from agent.core.changes import Hashing, Removing, Setting
from agent.core.filters import Conditional, Filter, Filters, Sample


def filters_of(settings: Filtered, record_bytes_max: int) -> Filters:
    """The filters of a source, and what it does with what is no JSON."""
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
