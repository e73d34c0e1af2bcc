"""Which item of a 207 is about which record.

One item per record in request order is what the platform documents; its own sample breaks it. An
index in an item's id is the better witness where there is one. Items without one are placed only
where none is missing and the indexes round them leave no doubt; a record that no item certainly
speaks of gets none.
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
    witnesses = _witnesses(items, count)
    if sum(item.index is None for item in witnesses) < len(unplaced):
        unplaced = []  # items are missing: the others may be about any of these records
    indexes = [item.index for item in items if item.index is not None and item.index < count]
    in_order = all(before < after for before, after in pairwise(indexes))
    between = _between(witnesses, unplaced) if in_order else None
    placed |= _left_over(witnesses, unplaced) if between is None else between
    return [None if index in contradicted else placed.get(index) for index in range(count)]


def _witnesses(items: Sequence[Item], count: int) -> list[Item]:
    """The items that say something of the order, without what was certainly added.

    Where one of two items with the same index belongs is not known: neither says anything.
    """
    named = Counter(item.index for item in items)
    first = {(item.xaction_id, item.outcome): item for item in reversed(items)}
    return [
        item
        for item in items
        if (item.xaction_id is None or first[item.xaction_id, item.outcome] is item)
        and (item.index is None or (item.index < count and named[item.index] == 1))
    ]


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


def _between(witnesses: Sequence[Item], unplaced: Sequence[int]) -> dict[int, Item] | None:
    """Items without an index, placed between neighbours that have one; None where that fails.

    None is missing, so a gap with fewer items than records means that one stands elsewhere.
    """
    placed: dict[int, Item] = {}
    start = 0  # in unplaced
    unnamed: list[Item] = []
    for item in (*witnesses, None):
        if item and item.index is None:
            unnamed.append(item)
            continue
        end = bisect_left(unplaced, item.index or 0) if item else len(unplaced)
        if len(unnamed) < end - start:
            return None
        placed |= _fill(unplaced[start:end], unnamed)
        start, unnamed = end, []
    return placed


def _fill(records: Sequence[int], unnamed: Sequence[Item]) -> dict[int, Item]:
    """As many items as records: one each. More, all refusing: so each of the records is refused."""
    refusing = all(item.outcome is Outcome.REJECTED for item in unnamed)
    if len(unnamed) == len(records) or refusing:
        return dict(zip(records, unnamed, strict=False))
    return {}


def _left_over(witnesses: Sequence[Item], records: Sequence[int]) -> dict[int, Item]:
    """Items without an index when the order is broken: placed only if it makes no difference."""
    unnamed = [item for item in witnesses if item.index is None]
    verdicts = {(item.outcome, item.status, item.message) for item in unnamed}
    all_refuse_alike = len(verdicts) == 1 and unnamed[0].outcome is Outcome.REJECTED
    if len(unnamed) == len(records) and all_refuse_alike:
        return dict(zip(records, unnamed, strict=True))
    return {}
