"""In which format are records in what a source reads?"""

from typing import Literal, Self

from agent.config.filters import Filtered
from agent.config.section import checks_section, setting
from agent.config.written import Wrong


class Received(Filtered):
    """What can be said of sources that others send to, who frame what they send."""

    format: Literal["ndjson", "syslog"] = setting(
        default="ndjson",
        description="ndjson: what comes is records. syslog: messages with a record behind the"
        " header of each.",
    )


class Formatted(Filtered):
    """What can be said of sources of bytes, which may be in any format."""

    format: Literal["ndjson", "json", "docker", "cri", "syslog"] = setting(
        default="ndjson",
        description="ndjson: one object a line. json: objects over several lines, or with nothing"
        " between them. docker, cri: lines of a container's log, with a record in each. syslog:"
        " messages with a record behind the header of each.",
    )
    stream: Literal["all", "stdout", "stderr"] = setting(
        default="all",
        description="Stream of the container that is read, with docker and cri; others are left"
        " out, and counted.",
        validate_default=True,
    )

    @checks_section
    def _streams_are_of_containers(self) -> Self:
        if self.stream != "all" and self.format not in ("docker", "cri"):
            raise Wrong("`stream` beside format docker or cri only", key="stream")
        return self
