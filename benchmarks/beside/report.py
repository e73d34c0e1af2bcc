"""How is what became of the records shown? As Markdown, for a terminal and for a document alike."""

from collections.abc import Iterator, Sequence
from statistics import median

from benchmarks.beside.days import DAYS
from benchmarks.beside.shippers import SHIPPERS
from benchmarks.beside.trial import Outcome
from benchmarks.report import machine

_MEBIBYTE = 1 << 20


def text(outcomes: Sequence[Outcome], versions: dict[str, str]) -> str:
    """Both tables, with what they were measured on."""
    on = machine()
    said = ", ".join(f"{name} {version}" for name, version in versions.items())
    notes = [
        f"{each.name}: {each.note}" for each in SHIPPERS if each.note and each.name in versions
    ]
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
    counts = ("records", "accepted", "lost", "doubled", "dead letters", "waiting", "requests")
    yield f"| day | shipper | {' | '.join(counts)} |"
    yield f"|---|---|{'--:|' * len(counts)}"
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
            numbers = (each.records, each.accepted, each.lost, each.doubled)
            cells = [day.told, each.shipper, *(f"{number:,}" for number in numbers), dead]
            yield f"| {' | '.join([*cells, f'{each.waiting:,}', asked])} |"


def _costs(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What it cost on a good day."""
    yield "| shipper | | MB of input per CPU-second | MB per second | peak RSS |"
    yield "|---|---|--:|--:|--:|"
    fast = {day.name for day in DAYS if day.fast}
    rounds: dict[tuple[str, bool], list[Outcome]] = {}
    for each in outcomes:
        if each.day in fast:
            rounds.setdefault((each.shipper, each.gzip), []).append(each)
    for (shipper, gzip), made in sorted(rounds.items(), key=lambda row: not row[0][1]):
        rate = median(each.per_cpu_second for each in made)
        wall = median(each.megabytes / each.wall_seconds for each in made)
        rss = max(each.peak_rss for each in made) / _MEBIBYTE
        how = "gzip" if gzip else "plain"
        yield f"| {shipper} | {how} | {rate:,.0f} | {wall:,.0f} | {rss:,.0f} MiB |"
