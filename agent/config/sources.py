"""Where are records read from?"""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from agent.config.fields import Text, wrong
from agent.config.filters import Filtered
from agent.config.pushes import HttpSource
from agent.config.sockets import TcpSource, UdpSource, UnixDatagramSource, UnixSource


class StdinSource(Filtered):
    """Records from standard input, until it ends."""

    type: Literal["stdin"] = Field(description="stdin: records from standard input.")
    name: Annotated[str, Text("a name")] = Field(
        default="stdin",
        description="Name in receipts, dead letters and metrics.",
        examples=["stdin"],
    )


class FileSource(Filtered):
    """Files read once, to their end; a later run reads what was added to them."""

    type: Literal["file"] = Field(description="file: files, each read once to its end.")
    paths: tuple[Annotated[str, Text("a path or a pattern such as /var/log/app/*.json")], ...] = (
        Field(
            description="Paths or patterns of the files; .gz files are decompressed.",
            examples=[["/var/log/app/*.json"]],
            json_schema_extra={"minItems": 1},
        )
    )
    resume: bool = Field(
        default=True,
        description="Whether reading goes on where an earlier run had got to, or begins anew.",
    )
    name: Annotated[str | None, Text("a name", optional=True)] = Field(
        default=None,
        description="Name in receipts, dead letters and metrics; unset uses each file's path.",
        examples=["orders"],
    )

    @field_validator("paths")
    @classmethod
    def _some_paths(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        if not paths:
            raise wrong("at least one path or pattern")
        return paths


Source = Annotated[
    StdinSource | FileSource | TcpSource | UdpSource | UnixSource | UnixDatagramSource | HttpSource,
    Field(discriminator="type"),
]
