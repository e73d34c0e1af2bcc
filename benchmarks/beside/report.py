"""How is what became of the records shown? As Markdown, for a terminal and for a document alike."""

from collections.abc import Iterator, Sequence

from benchmarks.beside.days import DAYS
from benchmarks.beside.shippers import SHIPPERS
from benchmarks.beside.trial import Outcome
from benchmarks.report import machine

_MEBIBYTE = 1 << 20


def text(outcomes: Sequence[Outcome], versions: dict[str, str]) -> str:
    """Both tables, with what they were measured on."""
    on = machine()
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    notes = [f"{each.name}: {each.note}" for each in SHIPPERS if each.note and each.name in versions]
    return "\n".join(
        [
            f"{on['cpus']} CPUs, {on['cpu']}, {on['system']}, Python {on['python']}; {said}",
            "",
            *_fates(outcomes),
            "",
            *_costs(outcomes),
            "",
            *notes,
        ]
    )


def _fates(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What became of the records on each of the bad days."""
    yield "| day | shipper | records | accepted | lost | doubled | dead letters | waiting | requests |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for day in DAYS:
        for each in outcomes:
            if each.day != day.name or day.fast:
                continue
            dead = f"{each.dead:,}"
            if each.dead_in_vain:
                dead += f", {each.dead_in_vain:,} of them good"
            asked = f"{each.requests:,}"
            if each.sent_away:
                asked += f", {each.sent_away:,} in vain"
            counts = (each.records, each.accepted, each.lost, each.doubled)
            cells = [day.told, each.shipper, *(f"{count:,}" for count in counts), dead]
            yield f"| {' | '.join([*cells, f'{each.waiting:,}', asked])} |"


def _costs(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What it cost on a good day."""
    yield "| shipper | | MB of input per CPU-second | MB per second | peak RSS |"
    yield "|---|---|--:|--:|--:|"
    fast = {day.name for day in DAYS if day.fast}
    for each in outcomes:
        if each.day in fast:
            how = "gzip" if each.gzip else "plain"
            rate, wall = each.per_cpu_second, each.megabytes / each.wall_seconds
            rss = f"{each.peak_rss / _MEBIBYTE:,.0f} MiB"
            yield f"| {each.shipper} | {how} | {rate:,.0f} | {wall:,.0f} | {rss} |"
