"""Which item of a 207 is about which record.

One item per record in request order is what the platform documents; its own sample breaks it. An
index in an item's id is the better witness where there is one. Items without one are placed only
where the indexes round them leave no doubt; a record that no item certainly speaks of gets none.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from agent.core.items import Item, Outcome


def align(items: Sequence[Item], count: int) -> list[Item | None]:
    """For each of *count* records the item that is certainly about it, or None."""
    placed, contradicted = _by_index(items, count)
    unplaced = [index for index in range(count) if index not in placed]
    named = Counter(item.index for item in items)
    # an item that is there twice, or about a record that was not sent, says nothing of the order
    witnesses = [
        item
        for item in items
        if item.index is None or (item.index < count and named[item.index] == 1)
    ]
    indexes = [item.index for item in witnesses if item.index is not None]
    if all(before < after for before, after in pairwise(indexes)):
        placed |= _between(witnesses, unplaced)
    else:
        placed |= _left_over(witnesses, unplaced)
    return [None if index in contradicted else placed.get(index) for index in range(count)]


def _by_index(items: Sequence[Item], count: int) -> tuple[dict[int, Item], set[int]]:
    """Items by the record they name, and the records that items contradict each other about."""
    placed: dict[int, Item] = {}
    contradicted: set[int] = set()
    for item in items:
        if item.index is not None and item.index < count:
            first = placed.setdefault(item.index, item)
            if first.outcome is not item.outcome:
                contradicted.add(item.index)
    return placed, contradicted


def _between(witnesses: Sequence[Item], unplaced: Sequence[int]) -> dict[int, Item]:
    """Items without an index, placed between neighbours that have one."""
    placed: dict[int, Item] = {}
    start = 0  # in unplaced
    unnamed: list[Item] = []
    for item in witnesses:
        if item.index is None:
            unnamed.append(item)
            continue
        end = bisect_left(unplaced, item.index)
        placed |= _fill(unplaced[start:end], unnamed)
        start, unnamed = end, []
    return placed | _fill(unplaced[start:], unnamed)


def _left_over(witnesses: Sequence[Item], records: Sequence[int]) -> dict[int, Item]:
    """Items without an index when the order is broken: placed only if it makes no difference."""
    unnamed = [item for item in witnesses if item.index is None]
    if len(unnamed) == len(records) and _all_say_the_same(unnamed):
        return dict(zip(records, unnamed, strict=True))
    return {}


def _fill(records: Sequence[int], unnamed: Sequence[Item]) -> dict[int, Item]:
    """As many items as records: one each. More, all refusing alike: it holds for each record."""
    if len(unnamed) == len(records):
        return dict(zip(records, unnamed, strict=True))
    if len(unnamed) > len(records) and _all_say_the_same(unnamed):
        return dict(zip(records, unnamed, strict=False))
    return {}


def _all_say_the_same(items: Sequence[Item]) -> bool:
    """Whether every item refuses its record in the same words."""
    return len({(item.status, item.message) for item in items}) <= 1 and all(
        item.outcome is Outcome.REJECTED for item in items
    )
