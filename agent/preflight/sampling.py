"""Which records does the platform validate, too? Some of every kind, and some at random."""

from collections.abc import Iterable, Iterator
from random import Random

from agent.preflight.examining import Block, Examiner, Verdict
from agent.preflight.findings import Findings, Place

_SEED = 2026  # the same records each time


class Reservoir:
    """Lines taken from all that pass by, each as likely as any other."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._dice = Random(_SEED)
        self._seen = 0
        self._kept: list[tuple[Place, bytes]] = []

    def passing(self, blocks: Iterable[Block]) -> Iterator[Block]:
        """The same blocks; some of their lines are kept."""
        for block in blocks:
            if isinstance(block.content, bytes):
                for line, text in enumerate(block.content.split(b"\n")[:-1], block.line):
                    self._see(Place(block.source, line), text)
            yield block

    def _see(self, place: Place, text: bytes) -> None:
        self._seen += 1
        if len(self._kept) < self._count:
            self._kept.append((place, text))
        elif (index := self._dice.randrange(self._seen)) < self._count:
            self._kept[index] = (place, text)

    def chosen(self, found: Findings, examiner: Examiner) -> list[tuple[Place, Verdict]]:
        """The first of each kind of error, up to half of all, and others: with our verdicts."""
        firsts = [(kind.places[0], kind.sample) for kind in found.errors if kind.places]
        chosen: dict[Place, Verdict] = {}
        for place, text in (*firsts[: (self._count + 1) // 2], *self._kept):
            for verdict in examiner.verdicts(Block(place.source, place.line, text + b"\n", 0)):
                if len(chosen) < self._count and verdict.is_record:
                    chosen.setdefault(place, verdict)
        return list(chosen.items())
