"""Which sources read the files of a configuration, and in which lanes?"""

from collections.abc import Sequence

from agent.config.files import FileSource
from agent.config.sources import Source as SourceSettings
from agent.delivery.intake import IntakeLimits
from agent.sources.files import files
from agent.sources.source import Source
from agent.sources.tail.lines import LineLimits
from agent.sources.tail.settings import TailSettings
from agent.sources.tail.streams import Streams
from agent.sources.tail.tail import Tail
from agent.store.disk import Store
from agent.telemetry.meters import Meters


class Tails:
    """Makes the sources of files. Those without a name know of each other's files."""

    def __init__(
        self, limits: IntakeLimits, block_bytes: int, meters: Meters, nameless: Streams
    ) -> None:
        """*nameless* are the files of all sources without a name, of other flows too."""
        self._limits = LineLimits(
            block_bytes, limits.record_bytes_max, limits.dead_letter_bytes_max
        )
        self._meters = meters
        self._nameless = nameless

    def lane(self, settings: FileSource) -> list[Source]:
        """The sources to be read one after the other. Raises ConfigError."""
        if not settings.follow:
            by_line = settings.format != "json"
            size = self._limits.block_bytes
            return [*files(settings.paths, settings.name, size, by_line=by_line)]
        streams = Streams(settings.name) if settings.name else self._nameless
        chosen = TailSettings(
            patterns=settings.paths,
            limits=self._limits,
            excluded=settings.exclude,
            from_end=settings.start == "end",
            ignore_older=settings.ignore_older,
            poll=settings.poll,
            unfinished=settings.unfinished,
            let_go=settings.let_go,
            most_open=settings.max_open_files,
        )
        return [Tail(settings.name or ", ".join(settings.paths), chosen, streams, self._meters)]


def resume(
    sources: Sequence[SourceSettings], lanes: Sequence[Sequence[Source]], store: Store
) -> None:
    """Have sources, one lane for the settings of each, go on where an earlier run had got to."""
    names = None
    for settings, lane in zip(sources, lanes, strict=False):
        if isinstance(settings, FileSource) and not settings.resume:
            continue
        for source in lane:
            if isinstance(source, Tail):
                names = store.names() if names is None else names
                source.streams.learn(names)
            source.resume(store.contents.saved)
