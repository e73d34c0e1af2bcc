"""What did a run come to? One table for people, one object for scripts."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table

from torture.points import POINTS
from torture.rounds import Result


def as_json(seed: int, results: Sequence[Result]) -> dict[str, Any]:
    """Everything, added up over the rounds."""
    verdicts = [result.verdict for result in results]
    endings = _sum(result.endings for result in results)
    return {
        "seed": seed,
        "rounds": len(results),
        "ills": dict(Counter(result.written.ill for result in results)),
        "kills": sum(result.kills for result in results),
        "crash_points_met": f"{len(_points_met(endings))} of {len(POINTS)}",
        "endings": dict(endings.most_common()),
        "faults": dict(_sum(result.faults for result in results).most_common()),
        "records": sum(each.minted for each in verdicts),
        "accepted": sum(each.accepted for each in verdicts),
        "dead_lettered": sum(each.dead_lettered for each in verdicts),
        "duplicates": sum(each.duplicates for each in verdicts),
        "duplicates_at_most": sum(each.doubles.total for each in verdicts),
        "because_of": dict(_sum(Counter(asdict(each.doubles)) for each in verdicts)),
        "lost": sum(each.lost for each in verdicts),
        "findings": [finding for each in verdicts for finding in each.findings],
        "slowest_recovery_seconds": round(max(each.recovery_seconds for each in results), 1),
        "slowest_drain_seconds": round(max(each.drain_seconds for each in results), 1),
        "seconds": round(sum(each.seconds for each in results), 1),
    }


def line_of(seed: int, result: Result) -> str:
    """One round in a line; what was found, and how to have it again, in further ones."""
    verdict = result.verdict
    number = result.written.number
    lines = [
        f"round {number} ({result.written.ill}): {result.kills} kills,"
        f" {verdict.minted:,} records, {verdict.accepted:,} accepted,"
        f" {verdict.dead_lettered:,} dead letters, {verdict.duplicates:,} duplicates of"
        f" {verdict.doubles.total:,} at most, {verdict.lost} lost, recovered in"
        f" {result.recovery_seconds:.1f} s, {result.seconds:.1f} s"
    ]
    lines += [f"  FOUND: {finding}" for finding in verdict.findings]
    if verdict.findings:
        lines.append(f"  again: make torture SEED={seed} ROUND={number}")
    return "\n".join(lines)


def show(seed: int, results: Sequence[Result]) -> None:
    """Print the table."""
    whole = as_json(seed, results)
    table = Table(title=f"torture, SEED={seed}", show_header=False)
    for key, value in whole.items():
        if isinstance(value, dict):
            value = "\n".join(f"{count:>6,}  {name}" for name, count in value.items())
        elif isinstance(value, list):
            value = "\n".join(value) or "none"
        elif isinstance(value, int) and key != "seed":
            value = f"{value:,}"
        table.add_row(key.replace("_", " "), str(value))
    Console().print(table)


def _points_met(endings: Iterable[str]) -> set[str]:
    return {name for _, colon, name in (each.partition(": ") for each in endings) if colon} & {
        *POINTS
    }


def _sum(counters: Iterable[Counter[str]]) -> Counter[str]:
    whole: Counter[str] = Counter()
    for counter in counters:
        whole.update(counter)
    return whole
