"""How are files followed?"""

from dataclasses import dataclass

from agent.sources.tail.lines import LineLimits


@dataclass(frozen=True, slots=True)
class TailSettings:
    """What a user may choose; times in seconds."""

    patterns: tuple[str, ...]
    limits: LineLimits
    excluded: tuple[str, ...] = ()
    from_end: bool = False  # of what is there at the very first start
    ignore_older: float | None = None
    poll: float = 0.25
    unfinished: float = 5.0  # silence after which a last line without an end is looked at
    let_go: float = 5.0  # silence after which a file that nothing leads to is left
    copied: float = 2.0  # within which a copy and the cutting of its original belong together
    most_open: int = 1000
