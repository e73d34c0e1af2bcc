"""Input for tests: records that differ from each other."""

import json
from collections.abc import Sequence


def orders(count: int, first: int = 1) -> list[bytes]:
    """Records of some hundred bytes, all different, not all ASCII."""
    return [_order(number) for number in range(first, first + count)]


def lines(records: Sequence[bytes]) -> bytes:
    """One record a line."""
    return b"".join(record + b"\n" for record in records)


def _order(number: int) -> bytes:
    city = "Zürich" if number % 7 else "東京 🚲"
    order = {"order": number, "city": city, "note": "x" * (number % 90)}
    return json.dumps(order, ensure_ascii=False).encode()
