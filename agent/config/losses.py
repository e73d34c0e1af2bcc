"""What can be lost under which fault, and what can arrive twice, with this configuration?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent.config.buffer import BufferSettings
from agent.config.delivery import PoisonSettings
from agent.config.files import FileSource
from agent.config.flows import FlowSettings
from agent.config.formats import Formatted
from agent.config.model import Config
from agent.config.pushes import HttpSource
from agent.config.sockets import SocketSource, UdpSource
from agent.config.sources import Source, StdinSource
from agent.config.summary import described
from agent.config.units import show_duration, show_size

_PUSHED = (
    "nothing that was answered with 2xx over HTTP; who gets another answer, or none, still has it"
)
_COMMIT = 0.05  # seconds until what is handed to the store is durable, where the disk is quick


@dataclass(frozen=True)
class Consequence:
    """What one fault does to records: how many are lost, and how many arrive twice."""

    fault: str
    lost: str
    twice: str


def consequences(config: Config, name: str = "") -> Iterator[Consequence]:
    """One consequence per fault, from the everyday ones to the rare ones, for the flow *name*."""
    flow = config.each_flow()[name]
    held = show_size(flow.buffer.disk_limit or flow.buffer.memory_limit)
    longest = show_duration(flow.delivery.retry.max)
    kept = show_size(config.dead_letters.max_record_bytes)
    yield Consequence(
        "the platform is away, throttles, or refuses the credentials",
        f"{_when_full(flow.buffer, held)}, and sending is tried again for ever, "
        f"at most {longest} apart",
        "nothing",
    )
    yield Consequence(
        "a record is not JSON, is too large for a request, or is rejected by the platform",
        f"nothing up to {kept}: it becomes a dead letter with its bytes and the reason; "
        "of a longer record only the first part, the length and a hash are kept",
        "nothing",
    )
    yield from _filtered(config.sources_of(name))
    yield from _refusals(flow.delivery.poison)
    yield Consequence(
        "an answer is lost: a timeout, a connection cut",
        "nothing: the batch is sent again",
        "the records of that batch, if the platform had accepted them" + _recognised(flow),
    )
    yield from _endings(config, name)
    yield from _files(config.sources_of(name))
    if len(config.flows) > 1:
        yield Consequence(
            "another flow is blocked, for whatever reason",
            "nothing, and nothing waits: only the disk and dead_letters.max_bytes are shared",
            "nothing",
        )
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


def _filtered(sources: Sequence[Source]) -> Iterator[Consequence]:
    for source in sources:
        where = f" of {source.name}" if source.name else ""
        for name, each in zip(source.filter_names, source.filters, strict=True):
            if each.kind in ("keep", "drop", "sample"):
                lost = f"what filter {name} leaves out: it is counted as filtered, and gone"
            else:
                lost = f"what filter {name} takes the place of: dead letters do not hold it either"
            yield Consequence(f"a record{where} meets a filter: {described(each)}", lost, "nothing")
        if isinstance(source, Formatted) and source.stream != "all":
            lost = "that line: it is counted as filtered (other_stream), and gone"
            yield Consequence(f"a line{where} is not of {source.stream}", lost, "nothing")
        if source.non_json == "drop":
            lost = "that line: it is counted as filtered (non_json), and gone"
            yield Consequence(f"a line{where} is no JSON object", lost, "nothing")


def _when_full(buffer: BufferSettings, held: str) -> str:
    if buffer.when_full == "block":
        return f"nothing: reading waits once {held} are held"
    which = "newest" if buffer.when_full == "drop_newest" else "oldest"
    return f"the {which} batches once {held} are held, counted as dropped"


def _refusals(poison: PoisonSettings) -> Iterator[Consequence]:
    fault = "most records are rejected: the schema, the mapping or the flow has changed"
    if poison.share < 1:
        most = max(poison.least, round(poison.share * poison.window))
        held = (
            f"nothing: after {most} dead letters at most the others are held, and sending is tried "
            "now and then"
        )
        yield Consequence(fault, held, "nothing")
    else:
        yield Consequence(fault, "nothing: all of them become dead letters", "nothing")


def _files(sources: Sequence[Source]) -> Iterator[Consequence]:
    followed = [each for each in sources if isinstance(each, FileSource) and each.follow]
    if not followed:
        return
    let_go = show_duration(max(source.let_go for source in followed))
    yield Consequence(
        "a followed file is renamed or removed",
        f"what is written to it after {let_go} of silence; until then it is read on",
        "nothing",
    )
    yield Consequence(
        "a followed file is cut (copytruncate, > file)",
        "what was written right before and not read: where a path means its copy too, that is read "
        "on, and only what was written between copying and cutting is lost; both counted as far as "
        "it is known (aep_agent_file_lost_bytes_total)",
        "the copy, where it cannot be told for certain that it is one",
    )


def _endings(config: Config, name: str) -> Iterator[Consequence]:
    flow = config.each_flow()[name]
    sources = config.sources_of(name)
    grace = show_duration(config.shutdown.grace)
    window = show_duration(round(flow.batch.max_wait + flow.buffer.write_after + _COMMIT, 1))
    on_disk = flow.buffer.type == "disk"
    most = show_size(flow.buffer.memory_limit)
    yield Consequence(
        "the agent is stopped (SIGTERM, Ctrl-C)",
        "nothing: what has no answer stays on disk, and is sent at the next start"
        if on_disk
        else _unanswered(
            sources,
            most,
            f"was read from {_fleeting(sources)} and is still unanswered {grace} later",
        ),
        "nothing",
    )
    pipe = (
        f"was read from {_fleeting(sources)} in the last {window} or so"
        if on_disk
        else f"was read from {_fleeting(sources)} and was not yet answered"
    )
    lost = _unanswered(sources, most, pipe) + _on_the_way(sources)
    yield Consequence(
        "the agent is killed (kill -9, out of memory, a crash)",
        lost,
        "the requests in flight, if the platform had accepted them, and what it answered in the "
        f"last {show_duration(_COMMIT)} or so{_recognised(flow)}",
    )
    yield Consequence(
        "the power fails",
        lost + "; what was recorded stays (SQLite, synchronous=FULL)",
        "as when the agent is killed",
    )
    if any(isinstance(source, UdpSource) for source in sources):
        yield Consequence(
            "UDP datagrams come faster than they are read, as when the buffer is full",
            "what the kernel drops: it is counted in datagrams, and nobody knows the records",
            "nothing",
        )
    if on_disk:
        yield Consequence(
            f"the store in {config.data_dir} is damaged",
            "what can no longer be read: the file is set aside, never deleted, and the rest of it "
            "is taken over row by row",
            "nothing",
        )


def _recognised(flow: FlowSettings) -> str:
    """Who notices that a record came twice."""
    if flow.record_id.add == "none":
        return ""
    return (
        f"; they have the same {flow.record_id.field} again: Profile ignores an event whose _id"
        " it has, the data lake keeps both"
    )


def _fleeting(sources: Sequence[Source]) -> str:
    """What cannot be read again, in words."""
    parts = []
    if any(isinstance(source, StdinSource) for source in sources):
        parts.append("stdin")
    if any(isinstance(source, SocketSource) for source in sources):
        parts.append("sockets")
    return " and ".join(parts)


def _on_the_way(sources: Sequence[Source]) -> str:
    """What is lost with the sockets of a process."""
    if any(isinstance(source, SocketSource) for source in sources):
        return "; of sockets, also what clients had sent and the agent had not yet received"
    return ""


def _unanswered(sources: Sequence[Source], most: str, condition: str) -> str:
    parts = []
    if _fleeting(sources):
        parts.append(f"what {condition}, at most {most}")
    if any(isinstance(source, FileSource) for source in sources):
        parts.append("nothing of files: reading goes on where it had got to")
    if any(isinstance(source, HttpSource) for source in sources):
        parts.append(_PUSHED)
    return "; ".join(parts) or "nothing"
