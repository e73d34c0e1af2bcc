"""Is what was accepted in the dataset, or has it failed, or is it missing?"""

from dataclasses import dataclass

from agent.reconcile.counting import Accepted
from agent.reconcile.platform_side import Counts


@dataclass(frozen=True, slots=True)
class Comparison:
    """The store's account beside the platform's."""

    accepted: Accepted
    platform: Counts

    @property
    def unexplained(self) -> int:
        """Records accepted that neither landed nor failed; less than 0: there are others'."""
        return self.accepted.records - self.platform.landed - self.platform.failed

    @property
    def on_their_way(self) -> int:
        """Of those, how many may still land: as many were accepted only just now."""
        return min(max(self.unexplained, 0), self.accepted.young)

    @property
    def missing(self) -> int:
        """Of those, how many should have landed by now."""
        return max(self.unexplained, 0) - self.on_their_way

    @property
    def of_others(self) -> int:
        """Records there that this store knows nothing of; they may hide that ours are missing."""
        return max(-self.unexplained, 0)

    @property
    def not_counted(self) -> int:
        """Messages that the inlet acknowledged, and the platform's own count does not have."""
        messages = self.platform.messages
        if messages is None:
            return 0
        return max(0, self.accepted.records - self.accepted.young - messages)

    @property
    def is_well(self) -> bool:
        """Whether nothing is missing and nothing failed."""
        return not (self.missing or self.platform.failed)
