"""Does a figure grow while the load stays the same? What the samples of a soak say."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

_WARM_UP = 0.25  # of the samples: caches fill, and the C library learns what to keep
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Column:
    """One figure that is sampled: how it is shown, and how much of a rise is noise."""

    name: str
    unit: str
    slack: float  # over the whole soak
    part: float = 0.1  # of what it usually is, where that is more


def growth(samples: Sequence[tuple[float, float]]) -> float:
    """By how much a figure rose from the first to the last of its (seconds, value) samples.

    The median of the slopes between any two of them (Theil and Sen), so that single outliers, of
    which a busy machine has many, count for nothing. What comes first is left out as warming up.
    """
    settled = samples[int(len(samples) * _WARM_UP) :]
    slopes = [
        (value - before) / (at - began)
        for (began, before), (at, value) in combinations(settled, 2)
        if at > began
    ]
    if not slopes:
        return 0.0
    return median(slopes) * (settled[-1][0] - settled[0][0])


def grows(column: Column, samples: Sequence[tuple[float, float]]) -> bool:
    """Whether that is more than noise."""
    usual = median(value for _, value in samples)
    return growth(samples) > max(column.slack, column.part * usual)


def chart(values: Sequence[float], width: int = 60) -> str:
    """The course of a figure as a line of bars, from its least to its most."""
    step = max(1, -(-len(values) // width))
    shown = [max(values[at : at + step]) for at in range(0, len(values), step)]
    least, most = min(shown), max(shown)
    span = (most - least) or 1.0
    return "".join(_BARS[int((value - least) / span * (len(_BARS) - 1))] for value in shown)
