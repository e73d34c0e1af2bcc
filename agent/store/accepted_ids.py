"""How are the ids of one answer written down, and how is one of them found again?

`XactionIds.indexes` becomes text such as `0-9,11-479`; a number alone is a run of one.
"""

from collections.abc import Iterable, Iterator

_SEPARATORS = ":-"


def write_runs(runs: Iterable[range]) -> str:
    """The text for runs of whole numbers of at least 0, in their order."""
    return ",".join(_write_run(run) for run in runs if run)


def read_runs(text: str) -> tuple[range, ...]:
    """What `write_runs` wrote: the same numbers in the same order, in runs of step 1."""
    return tuple(_read_run(part) for part in text.split(",") if part)


def ordinals_of(number: int, runs: Iterable[range]) -> Iterator[int]:
    """At which places, counted from 0, the runs name *number*: none, or (nearly always) one."""
    before = 0
    for run in runs:
        if number in run:
            yield before + run.index(number)
        before += len(run)


def number_at(ordinal: int, runs: Iterable[range]) -> int | None:
    """The number at a place counted from 0; None beyond the last."""
    for run in runs:
        if ordinal < len(run):
            return run[ordinal]
        ordinal -= len(run)
    return None


def split_id(xaction_id: str) -> tuple[str, int] | None:
    """Prefix and number of an id that ends in `:<number>` or `-<number>`; None for any other."""
    digits_at = max(xaction_id.rfind(separator) for separator in _SEPARATORS) + 1
    prefix, digits = xaction_id[:digits_at], xaction_id[digits_at:]
    if not prefix or not digits.isascii() or not digits.isdecimal() or len(digits) > 18:
        return None
    number = int(digits)
    return (prefix, number) if str(number) == digits else None


def _write_run(run: range) -> str:
    if run.step != 1:
        return ",".join(map(str, run))
    return f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0])


def _read_run(text: str) -> range:
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)
