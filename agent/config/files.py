"""How are files read?"""

from typing import Annotated, Literal

from agent.config.fields import Text
from agent.config.formats import Formatted
from agent.config.quantities import Duration, Whole
from agent.config.section import checks, setting
from agent.config.written import Wrong

Pattern = Annotated[str, Text("a path or a pattern such as /var/log/app/*.json")]


class FileSource(Formatted):
    """Files, followed as they grow and are rotated; or read once, to their end."""

    type: Literal["file"] = setting(description="file: files, followed as they grow.")
    paths: tuple[Pattern, ...] = setting(
        description="Paths or patterns of the files; .gz files are decompressed.",
        examples=[["/var/log/app/*.json"]],
        json_schema_extra={"minItems": 1},
    )
    exclude: tuple[Pattern, ...] = setting(
        default=(),
        description="Patterns of paths or names that are left out, though a path means them.",
        examples=[["*.gz"]],
    )
    follow: bool = setting(
        default=True,
        description="Whether files are read as they grow, or once to the end they have.",
    )
    start: Literal["beginning", "end"] = setting(
        default="beginning",
        description="Where files of the very first start begin; those found later are read whole.",
    )
    ignore_older: Annotated[float | None, Duration("1s", "3650d", optional=True)] = setting(
        default=None,
        description="Files not written to for so long are left out until they are; null takes all.",
        examples=["7d"],
    )
    poll: Annotated[float, Duration("10ms", "1h")] = setting(
        default=0.25,
        description="How often files are looked at, where no hint of a change comes sooner.",
        examples=["250ms"],
    )
    unfinished: Annotated[float, Duration("100ms", "1h")] = setting(
        default=5.0,
        description="Silence after which a last line counts without its end, if it is a record.",
        examples=["5s"],
    )
    let_go: Annotated[float, Duration("0s", "1d")] = setting(
        default=5.0,
        description="Silence after which a file that was renamed or removed is read no further.",
        examples=["5s"],
    )
    max_open_files: Annotated[int, Whole("16", "1000000")] = setting(
        default=1000,
        description="Files kept open at most, or fewer if ulimit -n says so; others wait closed.",
        examples=[1000],
    )
    resume: bool = setting(
        default=True,
        description="Whether reading goes on where an earlier run had got to, or begins anew.",
    )
    name: Annotated[str | None, Text("a name", optional=True)] = setting(
        default=None,
        description="Name in receipts, dead letters and metrics; unset uses each file's path.",
        examples=["orders"],
    )

    @checks("paths")
    @classmethod
    def _some_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        if not paths:
            raise Wrong("at least one path or pattern")
        return paths
