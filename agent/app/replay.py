"""What takes the place of sources and books while dead letters are sent again?"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from agent.core.identities import Identities
from agent.record import Span
from agent.sources.dead_letters import DeadLetterSource
from agent.sources.source import Source
from agent.store.disk import Store
from agent.store.replays import Replays, Underway


@dataclass(frozen=True, slots=True)
class Replay:
    """One replay: what it reads, and who is told of the verdicts."""

    source: DeadLetterSource
    receipts_enabled: bool

    @property
    def lanes(self) -> list[list[Source]]:
        """The sources of this run."""
        return [[self.source]]

    def journal(self, store: Store) -> Replays:
        """Where verdicts are kept."""
        underway = self.source.underway
        return Replays(store.submit, underway, receipts_enabled=self.receipts_enabled)

    def identities(self, identities: Identities) -> Identities:
        """The same ids as these records would have got when they were first read."""
        return _AtHome(identities.by, identities.field, self.source.underway)


@dataclass(frozen=True)
class _AtHome(Identities):
    """Identities that know where the records really stand."""

    underway: Underway = field(default_factory=Underway)

    def add(self, records: list[bytes], spans: Sequence[Span]) -> tuple[list[bytes], bytes]:
        return super().add(records, self.underway.spans(spans))
