"""Which sources read the files of a configuration, and in which lanes?"""

from collections.abc import Collection, Iterable, Mapping

from agent.app.pipeline import Lane
from agent.config.files import FileSource
from agent.delivery.intake import IntakeLimits
from agent.sources.files import files
from agent.sources.source import Source
from agent.sources.tail.lines import LineLimits
from agent.sources.tail.settings import TailSettings
from agent.sources.tail.streams import Streams
from agent.sources.tail.tail import Tail
from agent.store.disk import Store
from agent.store.positions import SavedPosition
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
    lanes: Iterable[Lane],
    store: Store,
    reached: Mapping[str, SavedPosition],
    just_left: Collection[str] = (),
) -> None:
    """Have sources go on where those before them had got to, in an earlier run or in this one.

    Those that are not to resume go on only in streams that were *just left*, that is in this run.
    """
    names = None
    for lane in lanes:
        known = reached
        if isinstance(lane.settings, FileSource) and not lane.settings.resume:
            known = {name: each for name, each in reached.items() if name in just_left}
            if not known:
                continue
        for source in lane.sources:
            if isinstance(source, Tail):
                names = store.names() if names is None else names
                source.streams.learn(names)
            source.resume(known)
