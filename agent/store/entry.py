"""What does one change of the store consist of? All of an entry becomes durable, or none of it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.record import Batch, DeadLetter, Position, Receipt, Row, Span


@dataclass(frozen=True, slots=True)
class Mark:
    """How far a source was read: up to `end`, and `count` records came of it.

    `identity` tells what was read from others, where that is known better than at the beginning.
    """

    source: str
    end: Position
    count: int
    identity: str | None = None


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose entry it is: the flow's name, empty where it has none, and its destination's number."""

    flow: str = ""
    destination_id: int = 0  # 0: it spools nothing


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `passed` are the lines that need not be read again once it is durable."""

    receipts: Sequence[Receipt] = ()
    dead_letters: Sequence[DeadLetter] = ()
    appended: Sequence[Batch] = ()  # to the spool
    removed: Sequence[Batch] = ()  # from it
    changed: Sequence[Batch] = ()  # attempted in vain: their attempts and times
    passed: Sequence[Span] = ()
    dropped: Mapping[str, int] = field(default_factory=dict)  # records, by reason
    filtered: Mapping[str, int] = field(default_factory=dict)  # records, by filter
    known: int = 0  # of the records passed, those that are dead letters of an earlier run
    unplaced: int = 0  # records besides those passed, which were filtered before they had a place

    @property
    def is_empty(self) -> bool:
        """Whether it changes nothing."""
        verdicts = (
            self.receipts or self.dead_letters or self.passed or self.dropped or self.unplaced
        )
        return not (verdicts or self.appended or self.removed or self.changed)

    @property
    def frees(self) -> bool:
        """Whether it makes room, writes little besides, and waits for no entry before it.

        That may come to be so while it waits: once the rows it removes are there.
        """
        if not self.removed or self.appended or self.dead_letters or self.passed:
            return False
        return all(batch.row is Row.THERE for batch in self.removed)

    def ledger(self) -> Mapping[tuple[str, str], int]:
        """What it adds to the ledger, by entry and reason."""
        read = self.unplaced - self.known + sum([span.count for span in self.passed])
        added = {("read", ""): read}
        if self.receipts:
            added["accepted", ""] = sum([receipt.count for receipt in self.receipts])
        if self.known:
            added["known", ""] = self.known
        if self.dead_letters:
            reasons = Counter(letter.reason for letter in self.dead_letters)
            added |= {("dead_lettered", reason): count for reason, count in reasons.items()}
        added |= {("dropped", reason): count for reason, count in self.dropped.items()}
        added |= {("filtered", name): count for name, count in self.filtered.items()}
        return added


NOTHING = Entry()
NOBODY = Owner()
