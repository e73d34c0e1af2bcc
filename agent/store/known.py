"""Which dead letters has an earlier run already written, before it could move its position on?"""

from collections.abc import Mapping
from dataclasses import replace

from agent.record import DeadLetter
from agent.store.entry import Entry


class KnownDeadLetters:
    """Those that are met again where sources go on from a position before them."""

    def __init__(self, ahead: Mapping[str, set[int]]) -> None:
        """*ahead* are the lines of dead letters after the saved position, by source."""
        self._found = ahead
        self._ahead: dict[str, set[int]] = {}

    def resumed(self, source: str) -> None:
        """A source goes on where its saved position says."""
        self._ahead[source] = set(self._found.get(source, ()))

    def without(self, entry: Entry) -> Entry:
        """The entry without those that are known, each of them once."""
        if not entry.dead_letters or not self._ahead:
            return entry
        new: list[DeadLetter] = []
        for letter in entry.dead_letters:
            line, ahead = letter.position.line, self._ahead.get(letter.source, set())
            if line in ahead:
                ahead.discard(line)
            else:
                new.append(letter)
        known = len(entry.dead_letters) - len(new)
        return replace(entry, dead_letters=new, known=known) if known else entry
