"""What can be lost under which fault, and what can arrive twice, with this configuration?"""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.config.model import Config
from agent.config.sources import FileSource, StdinSource
from agent.config.units import show_duration, show_size


@dataclass(frozen=True)
class Consequence:
    """What one fault does to records: how many are lost, and how many arrive twice."""

    fault: str
    lost: str
    twice: str


def consequences(config: Config) -> Iterator[Consequence]:
    """One consequence per fault, from the everyday ones to the rare ones."""
    held = show_size(config.buffer.max_bytes)
    longest = show_duration(config.delivery.retry.max)
    kept = show_size(config.dead_letters.max_record_bytes)
    yield Consequence(
        "the platform is away, throttles, or refuses the credentials",
        f"nothing: reading waits once {held} are held, and sending is tried again for ever, "
        f"at most {longest} apart",
        "nothing",
    )
    yield Consequence(
        "a record is not JSON, is too large for a request, or is rejected by the platform",
        f"nothing up to {kept}: it becomes a dead letter with its bytes and the reason; "
        "of a longer record only the first part, the length and a hash are kept",
        "nothing",
    )
    yield Consequence(
        "an answer is lost: a timeout, a connection cut",
        "nothing: the batch is sent again",
        "the records of that batch, if the platform had accepted them",
    )
    yield from _endings(config)
    yield Consequence(
        f"the disk of {config.data_dir} is full, or dead letters reach "
        f"{show_size(config.dead_letters.max_bytes)}",
        "nothing: what cannot be recorded is held, and reading waits until there is room",
        "nothing",
    )
    yield Consequence(
        "the platform accepts a record and fails to store it later",
        "that record, as far as the agent can see: accepted is not yet landed; "
        + (
            f"its receipt names it to Adobe for {show_duration(config.receipts.keep)}, "
            f"or until receipts reach {show_size(config.receipts.max_bytes)}"
            if config.receipts.enabled
            else "receipts are off, so nothing names it to Adobe"
        ),
        "nothing",
    )


def _endings(config: Config) -> Iterator[Consequence]:
    stdin = any(isinstance(source, StdinSource) for source in config.sources)
    files = any(isinstance(source, FileSource) for source in config.sources)
    twice = (
        "records of files that were accepted before, since files are read from their beginning"
        if files
        else "nothing"
    )
    grace = show_duration(config.shutdown.grace)
    yield Consequence(
        "the agent is stopped (SIGTERM, Ctrl-C)",
        _unanswered(config, stdin, files, f"is still unanswered {grace} later"),
        twice,
    )
    yield Consequence(
        "the agent is killed (kill -9, out of memory, a crash)",
        _unanswered(config, stdin, files, "was not yet answered"),
        twice,
    )
    yield Consequence(
        "the power fails",
        _unanswered(config, stdin, files, "was not yet answered")
        + "; dead letters"
        + (" and receipts" if config.receipts.enabled else "")
        + " that were recorded stay (SQLite, synchronous=FULL)",
        twice,
    )


def _unanswered(config: Config, stdin: bool, files: bool, condition: str) -> str:
    parts = []
    if stdin:
        most = show_size(config.buffer.max_bytes)
        parts.append(f"what was read from stdin and {condition}, at most {most}")
    if files:
        parts.append("nothing of files: they are still there and are sent again")
    return "; ".join(parts)
