"""What does whoever runs the agent hear of files: which are not read, and what is missing?"""

from collections.abc import Mapping

from agent.sources.tail.known import KnownFiles
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

log = get_logger("file")


class Notices:
    """Log lines and counts about one source's files. `problems`: by path, why it is not read."""

    def __init__(self, name: str, meters: Meters) -> None:
        self.problems: dict[str, str] = {}
        self._name = name
        self._meters = meters

    def trouble(self, path: str, why: str) -> None:
        """It is not read; told once for each reason."""
        if self.problems.get(path) != why:
            self.problems[path] = why
            log.warning("a file is not read, looking again later", path=path, reason=why)

    def recovered(self, path: str) -> None:
        """It can be read after all."""
        self.problems.pop(path, None)
        log.info("a file can be read now", once_per=(), path=path)

    def looked(self, problems: Mapping[str, str], known: KnownFiles) -> None:
        """Compare what could not even be looked at with what is known of it."""
        for path, why in problems.items():
            self.trouble(path, why)
        for path in [path for path in self.problems if path not in problems]:
            file = known.by_path.get(path)
            if file is None or file.is_well:
                del self.problems[path]

    def rotated(self) -> None:
        """A file was renamed or removed."""
        self._meters.files_rotated.add(1, self._name)

    def cut(self, path: str) -> None:
        """A file was cut."""
        self._meters.files_truncated.add(1, self._name)
        log.info("a file was cut, reading it from its beginning", path=path)

    def lost(self, count: int, cause: str, path: str) -> None:
        """So many bytes were written, and cannot be read any more."""
        if count > 0:
            self._meters.file_lost_bytes.add(count, self._name, cause)
            log.warning(
                "bytes are gone that had not been read", path=path, bytes=count, cause=cause
            )

    def skipped(self, count: int) -> None:
        """So many NULs were passed over."""
        self._meters.file_skipped_bytes.add(count, self._name)

    def resumed(self, stream: str, line: int, path: str) -> None:
        """An earlier run had got to there."""
        log.info("going on where reading had got to", source=stream, line=line, path=path)

    def found_copy(self, stream: str, path: str) -> None:
        """What a file had not been read of when it was cut is in a copy."""
        log.info("going on in the copy of a file that was cut", source=stream, path=path)
