"""What is new in a configuration that was read again, and what of it waits for the next start?

Two configurations in, the difference out. Most keys take effect at once. Those that do not say
where records go and in which form, or what was opened with them: their old values stay till then.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import TypeVar

from agent.config.flows import FlowSettings
from agent.config.model import Config
from agent.config.section import Section, names
from agent.config.sources import Source, StdinSource
from agent.errors import ConfigError

LATER = frozenset(
    {
        *("data_dir", "platform", "admin", "receipts", "dead_letters.max_record_bytes"),
        *("record_id", "buffer.type", "inlet.url", "inlet.flow", "inlet.flow_id"),
        *("inlet.ready_at", "inlet.envelope", "inlet.mode", "inlet.compression"),
        "inlet.max_request_bytes",
    }
)
"""The keys, and sections, that take effect at the next start; those of a flow without its name."""

_BUFFER = frozenset({"buffer.max_bytes", "buffer.memory_bytes", "buffer.when_full"})
_APART = frozenset({"sources", "flows", *names(FlowSettings)})

_Section = TypeVar("_Section", bound=Section)


@dataclass(frozen=True, slots=True)
class Changes:
    """What an agent does that runs with one configuration and is given another."""

    config: Config  # with which it goes on
    at_once: tuple[str, ...]  # what takes effect, in words: keys, sources, flows
    later: tuple[str, ...]  # the keys that do so at the next start
    stopped: tuple[Source, ...]  # as the configuration had them before
    started: tuple[Source, ...]  # as it has them now
    flows_added: tuple[str, ...]
    flows_removed: tuple[str, ...]


def changes(before: Config, after: Config, leaving: Collection[str] = ()) -> Changes:
    """The way from the configuration that an agent runs with to another one.

    *leaving* are flows that were removed before, and go on only until they hold nothing.
    Raises ConfigError where there is no way but a restart.
    """
    if bool(before.flows) != bool(after.flows):
        raise ConfigError(
            "flows: an agent that runs cannot begin to have flows, or have none any more; restart"
            " it, and keep the old configuration until then"
        )
    config, at_once, later = _merged(before, after, apart=_APART)
    old, new = before.each_flow(), after.each_flow()
    flows: dict[str, FlowSettings] = {}
    for name, wanted in new.items():
        if name not in old or name in leaving:
            at_once.append(f"flow {name} added")
        if name not in old:
            flows[name] = wanted
            continue
        place = f"flows.{name}." if name else ""
        is_other = old[name].buffer.type != wanted.buffer.type
        flows[name], soon, not_yet = _merged(
            old[name], wanted, LATER | _BUFFER if is_other else LATER
        )
        at_once += [place + path for path in soon]
        later += [place + path for path in not_yet]
        _require_sizes(place, flows[name])
    removed = tuple(name for name in old if name not in new and name not in leaving)
    at_once += [f"flow {name} removed" for name in removed]
    sources, kept = _sources(before, after)
    parts = {"flows": flows} if flows.keys() != {""} else dict(flows[""])
    config = config.replaced(**parts, sources=sources)
    stopped, started = _beyond(before, config), _beyond(config, before)
    return Changes(
        config=config,
        at_once=(*at_once, *_told(stopped, started)),
        later=(*later, *kept),
        stopped=stopped,
        started=started,
        flows_added=tuple(name for name in new if name not in old),
        flows_removed=removed,
    )


def _merged(
    before: _Section,
    after: _Section,
    later: frozenset[str] = LATER,
    apart: frozenset[str] = frozenset(),
    place: str = "",
) -> tuple[_Section, list[str], list[str]]:
    """*after* with what must wait as it was *before*; the keys that are new, and that wait."""
    update: dict[str, object] = {}
    at_once: list[str] = []
    waiting: list[str] = []
    for name, new in after:
        old, path = getattr(before, name), f"{place}{name}"
        if old == new or name in apart:
            continue
        if path in later:
            update[name] = old
            waiting += _leaves(old, new, path)
        elif isinstance(old, Section) and type(old) is type(new):
            update[name], soon, not_yet = _merged(old, new, later, place=f"{path}.")
            at_once += soon
            waiting += not_yet
        else:
            at_once.append(path)
    return after.replaced(**update), at_once, waiting


def _leaves(old: object, new: object, path: str) -> Iterator[str]:
    """The keys of a section that differ, or the key."""
    if isinstance(old, Section) and type(old) is type(new):
        for name, one in old:
            if one != (other := getattr(new, name)):
                yield from _leaves(one, other, f"{path}.{name}")
    else:
        yield path


def _require_sizes(place: str, flow: FlowSettings) -> None:
    """Raise ConfigError where new sizes do not fit those that stay as they are."""
    for ways_out in flow.disagreements():
        key, advice = next(iter(ways_out.items()))
        raise ConfigError(
            f"{place}{key}: until the next start, write {advice}; or restart the agent"
        )


def _sources(before: Config, after: Config) -> tuple[tuple[Source, ...], list[str]]:
    """The sources from now on, and what is said of standard input: nobody can let go of that and
    take it up again where it was."""
    is_read = [source for source in before.sources if isinstance(source, StdinSource)]
    if not is_read:
        return after.sources, []
    flow = before.flow_of(is_read[0])
    if flow not in after.each_flow() or flow != after.flow_of(is_read[0]):
        raise ConfigError(
            f"flows: standard input is read for {flow}, and cannot go on for another flow; keep"
            f" {flow}, or restart the agent"
        )
    if is_read[0] in after.sources:
        return after.sources, []
    others = [source for source in after.sources if not isinstance(source, StdinSource)]
    return (*is_read, *others), [f"sources: {is_read[0].name}"]


def _beyond(config: Config, other: Config) -> tuple[Source, ...]:
    """The sources of one configuration that another one does not have, or has for another flow."""
    there = [(other.flow_of(source), source) for source in other.sources]
    return tuple(
        source for source in config.sources if (config.flow_of(source), source) not in there
    )


def _told(stopped: tuple[Source, ...], started: tuple[Source, ...]) -> Iterator[str]:
    old, new = ([name_of(source) for source in sources] for sources in (stopped, started))
    yield from (f"source {name} removed" for name in old if name not in new)
    yield from (f"source {name} {'changed' if name in old else 'added'}" for name in new)


def name_of(source: Source) -> str:
    """What people know a source by."""
    if source.type == "file":
        return source.name or ", ".join(source.paths)
    return source.name if source.type == "stdin" else source.shown_name
