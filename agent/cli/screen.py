"""What does the status of an agent look like in a terminal? What needs a person comes first.

The status may come from elsewhere, from an older agent too: what it lacks is left out, and no text
of it reaches the terminal with anything in it that is not to be printed.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.filesize import decimal
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from agent.cli.amounts import bar, duration, is_number, number, sparkline
from agent.cli.stored import counted, printable, shortened

Status = Mapping[str, Any]

_NOW = "10s"  # the window of rates that is "now"
_COLOURS = {"ready": "green", "draining": "cyan", "warming_up": "cyan", "throttled": "yellow"}
_MESSAGE_LONGEST = 200
_CHART_COLUMNS = 60
_WIDE = 90  # columns, below which less is shown
_MORE = ("refused", "buffer", "in flight", "lag p99")


class Screen:
    """Everything, as it is now, fitted to the width there is whenever it is drawn."""

    def __init__(self, status: Status, url: str) -> None:
        self._status = status
        self._url = url

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        status, is_wide = self._status, options.max_width >= _WIDE
        flows: Mapping[str, Status] = status.get("flows") or {"": status}
        yield _head(status, self._url)
        yield _waits(flows)
        yield _flows(flows, is_wide=is_wide)
        yield _charts(status, options.max_width)
        yield _sources(flows, is_wide=is_wide)
        yield _dead_letters(status, is_wide=is_wide)
        yield _store(status)


def absent(words: str) -> RenderableType:
    """What stands there while there is no agent."""
    told = f"{printable(words)}\n\nStill asking; q or Ctrl-C ends this."
    return Panel(Text(told), title="no answer", border_style="red")


def line(status: Status) -> str:
    """The most important of it, in one plain line."""
    rates = _rates(status)
    words = [
        time.strftime("%H:%M:%S"),
        f"{_word(status, 'stage')}{'' if status.get('ready') else ', not ready'}",
        f"inlet {_state(status)}",
        f"read {_rate(rates, 'read')}",
        f"accepted {_rate(rates, 'accepted')}",
        f"{_count(status, 'accepted')} accepted",
        f"{_count(status, 'dead_lettered')} dead-lettered",
        f"{_count(status, 'held')} held",
        f"oldest {duration(_at(status, 'buffer', 'oldest_seconds'))}",
    ]
    causes = [str(each.get("cause")) for each in status.get("waits") or ()]
    return printable(" · ".join([*words, *([f"waits: {', '.join(causes)}"] if causes else [])]))


def _head(status: Status, url: str) -> RenderableType:
    ready = bool(status.get("ready"))
    head = Text(f"aep-agent {_word(status, 'version')}", style="bold")
    head.append(f"  {_word(status, 'stage')}", style="default not bold")
    head.append(f"  {_word(status, 'why')}", style=f"{'green' if ready else 'red'} not bold")
    head.append(f"  up {duration(status.get('seconds'))}  {printable(url)}", style="dim not bold")
    names = ("read", "accepted", "dead-lettered", "filtered", "dropped", "held")
    counts = Text(" · ".join(f"{_count(status, each.replace('-', '_'))} {each}" for each in names))
    if _at(status, "last_reload", "outcome") == "refused":
        why = printable("; ".join(map(str, _at(status, "last_reload", "problems") or ())))
        counts.append(f"\nthe configuration was read again and refused: {why}", style="yellow")
    if residue := _at(status, "ledger", "residue"):
        wrong = Text(f"{residue:,} records are unaccounted for: aep-agent audit", style="bold red")
        return Group(head, counts, wrong)
    return Group(head, counts)


def _waits(flows: Mapping[str, Status]) -> RenderableType:
    lines: list[RenderableType] = []
    for name, flow in flows.items():
        for wait in flow.get("waits") or ():
            notes = [f"flow {name}"] if name else []
            notes += [f"for {duration(wait['seconds'])}"] if wait.get("seconds") else []
            noted = f" ({', '.join(notes)})" if notes else ""
            says = printable(f"{wait.get('says', '')}{noted}")
            lines.append(Text.assemble(("● ", "yellow"), (says, "bold")))
            lines.append(Padding(Text(printable(str(wait.get("next_step", "")))), (0, 0, 0, 2)))
    return Group(*lines)


def _flows(flows: Mapping[str, Status], *, is_wide: bool) -> RenderableType:
    names = ["flow"] if "" not in flows else []
    table = _table([*names, "inlet"], ["read", "accepted", "held", "oldest", *_MORE[: 4 * is_wide]])
    for name, flow in flows.items():
        rates, buffer, state = _rates(flow), flow.get("buffer") or {}, _state(flow)
        limit = buffer.get("spool_limit_bytes") or buffer.get("limit_bytes") or 0
        held = buffer.get("spooled_bytes") or buffer.get("held_bytes") or 0
        more = [
            _rate(rates, "dead_lettered"),
            f"{bar(held / limit if limit else 0.0)} {decimal(int(held))}",
            _in_flight(flow),
            duration(_at(flow, "receive_lag_seconds", _NOW, "p99")),
        ]
        table.add_row(
            *([Text(printable(name))] if names else []),
            Text(printable(state), style=_COLOURS.get(state, "red")),
            _rate(rates, "read"),
            _rate(rates, "accepted"),
            _count(flow, "held"),
            duration(buffer.get("oldest_seconds")),
            *(more if is_wide else []),
        )
    return table


def _in_flight(flow: Status) -> str:
    limit = _at(flow, "inlet", "in_flight_limit")
    return f"{flow.get('requests_in_flight', 0)}{f'/{limit}' if limit else ''}"


def _charts(status: Status, width: int) -> RenderableType:
    history = status.get("history") or {}
    rows = (
        ("read", "read", number),
        ("accepted", "accepted", number),
        ("held", "held", number),
        ("lag p99", "lag_p99", duration),
    )
    charts = Table.grid(padding=(0, 1))
    for label, name, shown in rows:
        values = [each if is_number(each) else 0.0 for each in history.get(name) or ()]
        if values:
            most = max(values)
            chart = Text(sparkline(values, max(1, min(_CHART_COLUMNS, width - 30))), style="cyan")
            charts.add_row(Text(label, style="dim"), chart, Text(f"max {shown(most)}", style="dim"))
    return charts


def _sources(flows: Mapping[str, Status], *, is_wide: bool) -> RenderableType:
    names = ["flow"] if "" not in flows and is_wide else []
    table = _table(["source", *names], ["records", "now", "bytes", "behind"])
    table.add_column("", no_wrap=True, overflow="ellipsis")
    for name, flow in flows.items():
        for label, source in (flow.get("sources") or {}).items():
            rates = _at(source, "rates", _NOW) or {}
            lag = source.get("lag_bytes")
            table.add_row(
                Text(printable(label)),
                *([Text(printable(name))] if names else []),
                _count(source, "records"),
                _rate(rates, "records"),
                f"{decimal(int(rates.get('bytes') or 0))}/s",
                decimal(int(lag)) if is_number(lag) else "",
                Text(printable(_besides(source)), style="dim"),
            )
    return table


def _besides(source: Status) -> str:
    """What else there is to say of a source: it depends on its kind."""
    numbers = {
        "file": source.get("files"),
        "connection": source.get("connections"),
        "dropped datagram": source.get("dropped_datagrams"),
        "waiting request": _at(source, "waiting", "requests"),
        "refused connection": source.get("refused_connections"),
    }
    words = [counted(int(n), what) for what, n in numbers.items() if is_number(n) and n]
    unread = source.get("not_read") or {}
    words += [f"cannot be read: {path}, {why}" for path, why in [*unread.items()][:1]]
    return "; ".join(words)


def _dead_letters(status: Status, *, is_wide: bool) -> RenderableType:
    found: Iterable[Status] = status.get("last_dead_letters") or ()
    if not found:
        return Text("")
    table = _table(["last dead letters", *(["where"] if is_wide else [])], [])
    if is_wide:
        table.add_column("what was said")  # which is cut before reason and place are
    for each in found:
        count = each.get("count") or 1
        reason = str(each.get("reason", "")).replace("_", " ")
        words = [time.strftime("%H:%M:%SZ", time.gmtime(each.get("at") or 0)), reason]
        where = f"{each.get('source')}:{each.get('line')}"
        said = shortened(str(each.get("message") or ""), _MESSAGE_LONGEST)
        table.add_row(
            Text(printable(" ".join([*words, *([f"({count:,} times)"] if count > 1 else [])]))),
            *((Text(printable(where)), _cut(said)) if is_wide else ()),
        )
    return table


def _store(status: Status) -> RenderableType:
    store = status.get("store") or {}
    words = []
    if is_number(store.get("bytes_on_disk")):
        words.append(f"store {decimal(int(store['bytes_on_disk']))}")
    if is_number(store.get("disk_free_bytes")):
        words.append(f"{decimal(int(store['disk_free_bytes']))} free")
    if is_number(store.get("disk_full_in_seconds")):
        words.append(f"full in {duration(store['disk_full_in_seconds'])}")
    statuses = status.get("requests_by_status") or {}
    if statuses:
        words.append("answers " + ", ".join(f"{code}: {n:,}" for code, n in statuses.items()))
    return Text(printable(" · ".join(words)), style="dim")


def _table(texts: Iterable[str], numbers: Iterable[str]) -> Table:
    """A table of columns of text, which are cut where there is no room, and of numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    table.padding = (0, 1, 0, 0)
    for name in texts:
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cut(words: str) -> Text:
    """A text that keeps to one line, whatever room there is."""
    return Text(words, no_wrap=True, overflow="ellipsis")


def _at(status: Status, *path: str) -> Any:
    found: Any = status
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _rates(status: Status) -> Status:
    return _at(status, "rates", _NOW) or {}


def _state(status: Status) -> str:
    return str(_at(status, "inlet", "state") or status.get("destination") or "unknown")


def _word(status: Status, name: str) -> str:
    return printable(str(status.get(name) or ""))


def _count(status: Status, name: str) -> str:
    value = status.get(name)
    return f"{value:,}" if is_number(value) else "-"


def _rate(rates: Status, name: str) -> str:
    value = rates.get(name)
    return "-" if not is_number(value) else f"{number(value)}/s"
