"""How are numbers shown so that a person takes them in at a glance?"""

from collections.abc import Sequence
from typing import Any, TypeGuard

_BLOCKS = "▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[float], columns: int) -> str:
    """Numbers as a row of blocks; where there are more than columns, one for the most of some."""
    share = max(1, -(-len(values) // columns))
    most = [max(values[at : at + share]) for at in range(0, len(values), share)]
    highest = max(most)
    if highest <= 0:
        return _BLOCKS[0] * len(most)
    return "".join(_BLOCKS[min(7, int(value / highest * 7.999))] for value in most)


def bar(share: float) -> str:
    """A share from 0 to 1, drawn."""
    filled = min(8, max(0, round(share * 8)))
    return "▰" * filled + "▱" * (8 - filled)


def number(value: float) -> str:
    """A number without what nobody reads behind the point."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.1f}"


def is_number(value: Any) -> TypeGuard[float]:
    """Whether a value of JSON is one, and not NaN."""
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def duration(seconds: Any) -> str:
    """Seconds in the two units that matter."""
    if not is_number(seconds):
        return "-"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, hours = int(seconds // 60), int(seconds // 3600)
    if hours >= 48:
        return f"{hours // 24} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min {int(seconds % 60)} s"
