"""How is it told what would become of records that were not sent?"""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent.cli.stored import counted, printable, shortened

if TYPE_CHECKING:
    from agent.preflight.findings import Findings, Kind, Kinds
    from agent.preflight.synchronous import Compared

_SAMPLE_LETTERS = 160
_DIFFERENT_SHOWN = 10
_KINDS_SHOWN = 30


def as_object(
    found: "Findings",
    of: str,
    doubts: Sequence[str],
    compared: "Sequence[Compared]",
    seconds: float,
) -> dict[str, Any]:
    """For scripts."""
    told: dict[str, Any] = {"rules": of, **found.as_json(), "mapping_problems": list(doubts)}
    told["seconds"] = round(seconds, 3)
    if compared:
        told["sync"] = {
            "sent": len(compared),
            "agreed": sum(each.agree for each in compared),
            "different": [
                {
                    "source": each.place.source,
                    "line": each.place.line,
                    "ours": list(each.ours),
                    "theirs": list(each.theirs),
                }
                for each in compared
                if not each.agree
            ],
        }
    return told


def in_words(
    found: "Findings",
    of: str,
    doubts: Sequence[str],
    compared: "Sequence[Compared]",
    seconds: float,
    *,
    show: int,
) -> str:
    """For people."""
    pace = found.records / max(seconds, 0.001)
    landing = found.records - found.rejected
    lines = [
        f"{counted(found.records, 'record')} examined, {landing:,} would land,"
        f" {found.rejected:,} would be rejected",
        printable(f"by {of}; {seconds:.1f} s, {pace:,.0f} records/s"),
    ]
    if doubts:
        lines += ["", "the mapping set and the schema do not fit, whatever the record:"]
        lines += [printable(f"  {doubt}") for doubt in doubts]
    if len(found.errors):
        lines += ["", "would be rejected, by reason:", *_table(found.errors, show)]
    if len(found.warnings):
        lines += [
            "",
            f"warnings, which by themselves reject nothing ({counted(found.warned, 'record')}):",
            *_table(found.warnings, show),
        ]
    if compared:
        lines += ["", *_beside(compared)]
    return "\n".join(lines)


def _table(kinds: "Kinds", show: int) -> list[str]:
    lines = []
    for kind in islice(kinds, _KINDS_SHOWN):
        lines.append(_headline(kind))
        if show and kind.places:
            lines.append(f"{'':>12}{_places(kind, show)}")
            sample = kind.sample.decode("utf-8", "backslashreplace")
            lines.append(f"{'':>12}such as {shortened(sample, _SAMPLE_LETTERS)}")
    if len(kinds) > _KINDS_SHOWN:
        lines.append(f"{'':>12}… and {len(kinds) - _KINDS_SHOWN:,} kinds more; --json has all")
    return lines


def _headline(kind: "Kind") -> str:
    words = " ".join(filter(None, (kind.keyword.replace("_", " "), kind.pointer)))
    told = f"{words}: {kind.message}" if kind.message else words
    return printable(f"{kind.count:>10,}  {told}")


def _places(kind: "Kind", show: int) -> str:
    """Where the first of them stand: `orders.ndjson lines 17, 19, 44 …`."""
    by_source: dict[str, list[int]] = {}
    for place in kind.places[:show]:
        by_source.setdefault(place.source, []).append(place.line)
    told = []
    for source, numbers in by_source.items():
        noun = "line" if len(numbers) == 1 else "lines"
        name = "standard input" if source == "-" else source
        told.append(f"{name} {noun} {', '.join(map(str, numbers))}")
    more = " …" if kind.count > min(show, len(kind.places)) else ""
    return printable("; ".join(told)) + more


def _beside(compared: "Sequence[Compared]") -> list[str]:
    different = [each for each in compared if not each.agree]
    agreed = len(compared) - len(different)
    lines = [
        f"synchronous validation: {counted(len(compared), 'record')} sent, of {agreed:,} the"
        " platform says the same"
    ]
    for each in different[:_DIFFERENT_SHOWN]:
        lines.append(printable(f"  {each.place}"))
        lines.append(printable(f"    here:      {'; '.join(each.ours) or 'would land'}"))
        lines.append(printable(f"    platform:  {'; '.join(each.theirs) or 'passes'}"))
    if len(different) > _DIFFERENT_SHOWN:
        lines.append(f"  … and {len(different) - _DIFFERENT_SHOWN:,} more")
    if different:
        lines.append("  a schema that was changed within 15 minutes may still be known as it was")
    return lines
