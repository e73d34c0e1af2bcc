"""What is held between reading a record and knowing what became of it, and where?"""

from typing import Annotated, Literal

from agent.config.quantities import Duration, Size
from agent.config.section import Section, SoFar, checks, setting
from agent.config.written import Wrong

DISK_BYTES = 1 << 30


class BufferSettings(Section):
    """buffer: what is held between reading a record and knowing what became of it."""

    type: Literal["disk", "memory"] = setting(
        default="disk",
        description="disk: what is held outlives the agent; memory: it is lost with the agent.",
    )
    max_bytes: Annotated[int | None, Size("2KB", "1TiB", optional=True)] = setting(
        default=None,
        description="Bytes held at most; unset: 1GiB on disk, about 5GB of records, compressed.",
        examples=["1GiB"],
    )
    memory_bytes: Annotated[int, Size("2KB", "1TiB")] = setting(
        default=33_554_432,
        description="Bytes of it in memory, besides requests in flight; less if a cgroup is small.",
        examples=["32MiB"],
    )
    write_after: Annotated[float, Duration("0s", "1m")] = setting(
        default=0.05,
        description="A batch not answered for by then is written to disk; 0s writes every one.",
        examples=["50ms"],
    )
    when_full: Literal["block", "drop_newest", "drop_oldest"] = setting(
        default="block",
        description="block: the reader waits; drop_newest, drop_oldest: batches go, and count.",
    )

    @checks("when_full")
    @classmethod
    def _memory_blocks(cls, when_full: str, info: SoFar) -> str:
        if when_full != "block" and info.data.get("type") == "memory":
            raise Wrong("block, or choose buffer.type disk: only what is on disk can be dropped")
        return when_full

    @property
    def memory_limit(self) -> int:
        """Bytes between reading and being durable or answered for."""
        return self.memory_bytes if self.type == "disk" else self.max_bytes or self.memory_bytes

    @property
    def disk_limit(self) -> int:
        """Bytes of batches on disk; 0 where none are kept there."""
        return (self.max_bytes or DISK_BYTES) if self.type == "disk" else 0
