"""How is it told what became of accepted records?"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from agent.cli.stored import counted, iso, printable, when

if TYPE_CHECKING:
    from agent.aep.ways import Way
    from agent.reconcile.comparing import Comparison
    from agent.reconcile.counting import Window
    from agent.reconcile.pulling import Pulled

_REASONS_SHOWN = 10


def as_object(
    flow: str, window: "Window", found: "Comparison", pulled: "Pulled | None"
) -> dict[str, Any]:
    """For scripts."""
    platform, accepted = found.platform, found.accepted
    told: dict[str, Any] = {
        "flow": flow,
        "since": iso(window.since),
        "until": iso(window.until),
        "lag_seconds": window.lag,
        "accepted": accepted.records,
        "accepted_just_before": accepted.before,
        "landed": platform.landed,
        "failed": platform.failed,
        "on_their_way": found.on_their_way,
        "missing": found.missing,
        "of_others": found.of_others,
        "platform": {
            "inlet_requests": platform.requests,
            "inlet_requests_refused": platform.requests_refused,
            "inlet_messages": platform.messages,
            "dataset_records": platform.dataset_records,
            "batches": len(platform.batches),
            "failed_batches": [
                {"id": each.id, "records": each.failed} for each in platform.batches if each.failed
            ],
        },
        "reasons": dict(_reasons(found, pulled).most_common()),
    }
    if pulled is not None:
        told["pulled"] = {
            "new": pulled.new,
            "as_read": pulled.original,
            "as_exported": pulled.exported,
            "before": pulled.before,
            "of_others": pulled.of_others,
        }
    return told


def in_words(way: "Way", window: "Window", found: "Comparison", pulled: "Pulled | None") -> str:
    """For people."""
    platform, accepted = found.platform, found.accepted
    now = window.until
    lines = [
        printable(f"{way}, {when(window.since, 0.0)} to {when(now, 0.0)} UTC"),
        "",
        _line("accepted, by receipts", accepted.records, _from_to(found, now)),
        _line("landed", platform.landed, _dataset(way, found)),
        _line("failed", platform.failed, _batches(found)),
        _line("on their way", found.on_their_way, f"accepted in the last {_span(window.lag)}"),
        _line("missing", found.missing, ""),
    ]
    lines += [printable(words) for words in _remarks(window, found)]
    reasons = _reasons(found, pulled).most_common()
    if reasons:
        lines += ["", "why they failed:"]
        lines += [printable(f"{count:>10,}  {why}") for why, count in reasons[:_REASONS_SHOWN]]
    if pulled is not None:
        lines += ["", *_pulled(pulled)]
    elif platform.failed:
        lines += ["", "--pull keeps them as dead letters"]
    return "\n".join(lines)


def _line(name: str, records: int, words: str) -> str:
    return printable(f"  {name:<22}{records:>13,}   {words}".rstrip())


def _from_to(found: "Comparison", now: float) -> str:
    first, last = found.accepted.first_at, found.accepted.last_at
    if first is None or last is None:
        return ""
    return f"the first {when(first, now)}, the last {when(last, now)}"


def _dataset(way: "Way", found: "Comparison") -> str:
    counts = found.platform
    words = f"in {way.dataset_name or way.dataset_id or 'no dataset'}"
    if counts.dataset_records is not None and counts.dataset_records != counts.landed:
        words += f"; Observability Insights counts {counts.dataset_records:,} in the dataset"
    return words


def _batches(found: "Comparison") -> str:
    failed = sum(batch.failed > 0 for batch in found.platform.batches)
    return f"in {counted(failed, 'batch', 'batches')}" if failed else ""


def _remarks(window: "Window", found: "Comparison") -> list[str]:
    remarks = []
    if found.of_others:
        remarks.append(
            f"{found.of_others:,} records are there that have no receipt here: others write to the"
            " dataset, or receipts were removed; some of ours may be missing all the same"
        )
    if found.accepted.before:
        remarks.append(
            f"{found.accepted.before:,} were accepted in the {_span(window.lag)} before, and some"
            " of them may be among those that landed"
        )
    if found.not_counted:
        remarks.append(
            f"the inlet counts {found.platform.messages:,} messages, {found.not_counted:,} fewer"
            " than it has accepted: give Adobe's support the xactionIds (aep-agent receipts)"
        )
    if found.missing:
        remarks.append(
            "missing records landed nowhere and failed nowhere: was the flow new, changed or"
            " disabled, or the organisation's capacity exceeded? Send them again from their source."
            " Receipts of another inlet that this store sent to before count, too: --since leaves"
            " them out"
        )
    return ["", *remarks] if remarks else []


def _reasons(found: "Comparison", pulled: "Pulled | None") -> Counter[str]:
    if pulled is not None and pulled.reasons:
        return pulled.reasons
    reasons: Counter[str] = Counter()
    for batch in found.platform.batches:
        if batch.failed:
            reasons.update(batch.reasons)
    return reasons


def _pulled(pulled: "Pulled") -> list[str]:
    lines = [f"{counted(pulled.new, 'new dead letter')}"]
    if pulled.new:
        lines[0] += (
            f": {pulled.original:,} as they were read, {pulled.exported:,} as the platform exports"
            " them"
        )
    if pulled.before:
        lines.append(f"{pulled.before:,} were pulled before")
    if pulled.of_others:
        lines.append(f"{pulled.of_others:,} failed that have no receipt here: they are not pulled")
    if pulled.new:
        lines.append("next: aep-agent dead-letters list")
    return lines


def _span(seconds: float) -> str:
    for size, noun in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return counted(round(seconds / size), noun)
    return counted(round(seconds), "second")
