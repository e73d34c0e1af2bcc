"""Are records refused for what they are, or is everything refused because something changed?

A few refusals among many verdicts are the records' own fault. When most of the last verdicts are
refusals, the schema, the mapping or the flow is more likely to blame, and the breaker opens: from
then on refusals are not believed, and what was refused is kept to be sent again, until a request
sent since is accepted for its most part.

A batch may be bad by itself in a stream that is good. One that was kept back before the last such
recovery has had its chance: when it is refused again, that is believed, and does not count.
"""

from collections import OrderedDict, deque
from collections.abc import Iterable

_KEPT_MAX = 10_000  # batches that are remembered; a forgotten one is kept back once more


class Breaker:
    """Judges the verdicts of one destination. Batches go by their numbers."""

    def __init__(self, share: float, least: int, window: int) -> None:
        """Opens when *share* of the last *window* verdicts are refusals, given *least* of them.

        A share of 1 believes every refusal.
        """
        self.is_open = False
        self._share = share
        self._least = least
        self._window = window
        self._verdicts: deque[tuple[int, int]] = deque()  # accepted and refused, by answer
        self._accepted = self._refused = 0  # the sums of those
        self._opened_at = 0.0
        self._recoveries = 0
        self._kept: OrderedDict[int, int] = OrderedDict()  # by number: recoveries before that

    def believes(self, batch: int, accepted: int, refused: int, sent: float, now: float) -> bool:
        """Take in what an answer said of a batch; whether what it refused is to be refused.

        False keeps the refused records back. *sent* tells whether the breaker was open before.
        """
        mostly_refused = self._share < 1 and refused >= self._share * (accepted + refused)
        if self.is_open and sent < self._opened_at:
            self._note(accepted, refused)  # it belongs to what it was opened for
            self.is_open = self._is_too_much()
            return not refused
        if self.is_open:
            if mostly_refused:
                return False
            self._recover()
        elif refused and self.has_had_its_chance(batch):
            del self._kept[batch]
            return True
        self._note(accepted, refused)
        if not refused or not self._is_too_much():
            return True
        self.is_open, self._opened_at = True, now
        return False

    def keep(self, batches: Iterable[int]) -> None:
        """These batches hold records that were refused and are kept back."""
        self._remember(dict.fromkeys(batches, self._recoveries))

    def has_had_its_chance(self, batch: int) -> bool:
        """Whether it was kept back, other records were accepted since, and nothing is wrong now."""
        return not self.is_open and self._kept.get(batch, self._recoveries) < self._recoveries

    def replaced(self, batch: int, parts: Iterable[int]) -> None:
        """A batch was split: what holds for it holds for its parts."""
        if (before := self._kept.pop(batch, None)) is not None:
            self._remember(dict.fromkeys(parts, before))

    def _remember(self, kept: dict[int, int]) -> None:
        self._kept |= kept
        while len(self._kept) > _KEPT_MAX:
            self._kept.popitem(last=False)

    def _recover(self) -> None:
        self.is_open = False
        self._recoveries += 1
        self._verdicts.clear()
        self._accepted = self._refused = 0

    def _note(self, accepted: int, refused: int) -> None:
        self._verdicts.append((accepted, refused))
        self._accepted += accepted
        self._refused += refused
        while (excess := self._accepted + self._refused - self._window) > 0:
            accepted, refused = self._verdicts.popleft()
            if (verdicts := accepted + refused) > excess:  # a part of that answer stays
                old = refused * excess // verdicts
                self._verdicts.appendleft((accepted - excess + old, refused - old))
                accepted, refused = excess - old, old
            self._accepted -= accepted
            self._refused -= refused

    def _is_too_much(self) -> bool:
        verdicts = self._accepted + self._refused
        enough = verdicts >= self._least
        return enough and self._share < 1 and self._refused >= self._share * verdicts
