"""How is a finished run told to a person?"""

import shlex
from pathlib import Path

from agent.app.summary import Snapshot
from agent.cli.stored import printable


def report(done: Snapshot, flags: str = "") -> str:
    """What became of everything, in a few lines; with these *flags* commands find its store."""
    lines = [
        f"{done.read:,} records read, {done.accepted:,} accepted,"
        f" {done.dead_letters:,} dead-lettered,{_filtered(done)} {done.held:,} without an answer"
    ]
    lines += [f"  {words}" for words in reasons(done)]
    lines.append(
        f"{done.seconds:.1f} s, {done.records_per_second:,.0f} records/s,"
        f" {done.megabytes_per_cpu_second:,.0f} MB of input per CPU-second"
    )
    lines += [printable(f"not read to the end: {problem}") for problem in done.unreadable]
    if done.held:
        lines += _left_over(done)
    if done.state == "schema_changed":
        lines.append(
            "most records were refused, so the others were held back and not dead-lettered: do"
            " they fit the flow's mapping and schema? (delivery.poison.share=1 refuses them all)"
        )
    if done.dead_lettered.get("rejected") and not done.accepted:
        lines.append("nothing was accepted: are inlet.url and inlet.flow_id those of the flow?")
    if done.dead_letters:
        lines.append(f"why, record by record: aep-agent dead-letters list{flags}")
    return "\n".join(lines)


def reasons(done: Snapshot) -> list[str]:
    """Why records were dead-lettered, the most frequent reason first."""
    return [
        f"{count:,} {reason.replace('_', ' ')}"
        for reason, count in sorted(done.dead_lettered.items(), key=lambda item: -item[1])
    ]


def _filtered(done: Snapshot) -> str:
    count = sum(done.filtered.values())
    return f" {count:,} filtered," if count else ""


def _left_over(done: Snapshot) -> list[str]:
    lines = ["everything before these lines has its verdict:"]
    for source, position in done.safe.items():
        resume = f"   (go on with: tail -n +{position.line} {shlex.quote(source)})"
        place = printable(f"  {source}: line {position.line}")
        lines.append(f"{place}{resume if source.isprintable() and Path(source).is_file() else ''}")
    return lines
