"""Answers of the inlet as tests write them, and what is read of them."""

import json
from typing import Any

from agent.core.responses import Reading

BATCH = "1565628583792:1485:153"
UUID = "9341f8eb-06c4-4e9d-a2d1-0a7d4a3ee90c"
SINGLE = "1584479347507:2153:240"
RECEIVED = 1565628583854

Answer = dict[str, Any]


def encoded(answer: object) -> bytes:
    return json.dumps(answer).encode()


def settled(reading: Reading, count: int) -> tuple[list[int], list[int], list[int]]:
    """The three lists, having made sure that each record is in just one of them."""
    rejected = [rejection.index for rejection in reading.rejected]
    accepted, again = list(reading.accepted), list(reading.again)
    assert sorted([*accepted, *rejected, *again]) == list(range(count))
    assert accepted == sorted(accepted)
    assert len(reading.ids) == len(list(reading.ids)) == len(accepted)
    assert all(reading.ids)
    return accepted, rejected, again
