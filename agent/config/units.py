"""How do people write durations and sizes, and how are they shown to people?

Durations are seconds, sizes are bytes. What `show_…` writes, `parse_…` reads back unchanged.
"""

import re
from decimal import Decimal

_SECONDS = {
    "d": Decimal(86400),
    "h": Decimal(3600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
}
_SHOWN = {
    "TiB": 1024**4,
    "TB": 1000**4,
    "GiB": 1024**3,
    "GB": 1000**3,
    "MiB": 1024**2,
    "MB": 1000**2,
    "KiB": 1024,
    "KB": 1000,
}
# The bounds keep the arithmetic exact, far above any limit of a key.
_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,9})?"
_BYTES = {"b": 1} | {unit.lower(): factor for unit, factor in _SHOWN.items()}
_PLAIN = re.compile(_NUMBER)
# Each unit at most once, from the longest to the shortest: 1m1m is a slip, not two minutes.
_DURATION = re.compile("".join(rf"(?:({_NUMBER}){unit})?" for unit in _SECONDS))
_SIZE = re.compile(rf"({_NUMBER}) ?([A-Za-z]+)")


def parse_duration(text: str) -> float:
    """Seconds in `1s`, `500ms`, `2m`, `1h30m`, `30d` or a plain number; ValueError otherwise."""
    text = text.strip()
    if _PLAIN.fullmatch(text):
        return float(text)
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        raise ValueError(text)
    parts = zip(found.groups(), _SECONDS.values(), strict=True)
    return float(sum(Decimal(number) * unit for number, unit in parts if number))


def parse_size(text: str) -> int:
    """Bytes in `500KB` (500,000), `1MiB` (1,048,576) or a plain number; ValueError otherwise."""
    text = text.strip()
    if _PLAIN.fullmatch(text):
        text += "B"
    found = _SIZE.fullmatch(text)
    unit = _BYTES.get(found[2].lower()) if found else None
    if found is None or unit is None:
        raise ValueError(text)
    size = Decimal(found[1]) * unit
    if size % 1:
        raise ValueError(text)
    return int(size)


def show_duration(seconds: float) -> str:
    """`1.5` as `1s500ms`, `5400` as `1h30m`, `0` as `0s`."""
    rest = Decimal(repr(seconds))
    words = []
    for unit, length in _SECONDS.items():
        number = rest if unit == "ms" else rest // length * length
        count = number / length
        if count:
            words.append(f"{count.normalize():f}{unit}")
        rest -= number
    return "".join(words) or "0s"


def show_size(size: int) -> str:
    """`500000` as `500KB`, `1048576` as `1MiB`, and what no unit divides in bytes, as `1001B`."""
    for unit, factor in _SHOWN.items():
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return f"{size}B"
