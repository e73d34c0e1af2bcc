"""What is held between reading a record and knowing what became of it?"""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from agent.config.fields import Size, wrong
from agent.config.section import Section


class BufferSettings(Section):
    """buffer: what is held between reading a record and knowing what became of it."""

    type: Literal["memory"] = Field(
        default="memory",
        description="memory: what is held is lost with the agent; files can be read again.",
    )
    max_bytes: Annotated[int, Size("2KB", "1TiB")] = Field(
        default=33_554_432,
        description="Bytes held at most; 32MiB rides out short pauses and keeps the agent small.",
        examples=["32MiB"],
    )
    when_full: Literal["block"] = Field(
        default="block",
        description="block: the reader waits, so that nothing is dropped.",
    )

    @field_validator("type", mode="before")
    @classmethod
    def _disk_comes_later(cls, value: object) -> object:
        if value == "disk":
            raise wrong("memory: a buffer on disk is not yet available in this version")
        return value
