"""Where are records read from?"""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from agent.config.fields import Text, wrong
from agent.config.section import Section


class StdinSource(Section):
    """Records from standard input, until it ends."""

    type: Literal["stdin"] = Field(description="stdin: records from standard input.")
    name: Annotated[str, Text("a name")] = Field(
        default="stdin",
        description="Name in receipts, dead letters and metrics.",
        examples=["stdin"],
    )


class FileSource(Section):
    """Files read once, from their beginning to their end."""

    type: Literal["file"] = Field(description="file: files, read once from the beginning.")
    paths: tuple[Annotated[str, Text("a path or a pattern such as /var/log/app/*.json")], ...] = (
        Field(
            description="Paths or patterns of the files; .gz files are decompressed.",
            examples=[["/var/log/app/*.json"]],
            json_schema_extra={"minItems": 1},
        )
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


Source = Annotated[StdinSource | FileSource, Field(discriminator="type")]
