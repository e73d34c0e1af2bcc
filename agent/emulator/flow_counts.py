"""What became of the records of one flow, in numbers?"""

from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

_SAMPLES = 5


@dataclass(slots=True)
class FlowCounts:
    """Its records that wait, landed, failed, or were lost (by reason), and the mapping's warnings.

    What the mapping warned of is counted since the emulator started.
    """

    waiting: int = 0
    landed: int = 0
    failed: int = 0
    too_long_for_profile: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    warnings: int = 0
    last_warnings: deque[str] = field(default_factory=lambda: deque(maxlen=_SAMPLES))

    def as_json(self) -> dict[str, Any]:
        """As /_emulator/flows answers them."""
        return {
            "accepted": self.waiting + self.landed + self.failed + self.lost.total(),
            "waiting": self.waiting,
            "landed": self.landed,
            "failed": self.failed,
            "lost": dict(self.lost),
            "too_long_for_profile": self.too_long_for_profile,
            "warnings": self.warnings,
            "last_warnings": list(self.last_warnings),
        }
