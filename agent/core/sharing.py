"""How much does each get, where several want more together than there is?"""

from collections.abc import Sequence


def most_each(wanted: Sequence[int], available: int) -> int:
    """The most that each may have, at least 1; who wants less leaves the rest to the others."""
    left = available
    for done, least in enumerate(sorted(wanted)):
        share = left // (len(wanted) - done)
        if least > share:
            return max(1, share)
        left -= least
    return max(wanted, default=1)
