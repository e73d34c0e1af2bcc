"""Which days does a shipper go through, and what does the inlet do on each of them?"""

from dataclasses import dataclass

# Records are known by the ids that benchmarks.events gives them: block and place in it.
POISON = "00000000-00777"
REFUSED_LAST_DIGIT = "3"


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its name, what is told of it, and what the inlet is started with."""

    name: str
    told: str
    inlet: tuple[str, ...] = ()
    killed: bool = False  # kill -9 once half of the records are accepted, then started again
    fast: bool = False  # a larger file: what is measured is speed

    def refuses(self, record: str) -> bool:
        """Whether no inlet will ever accept this record, known by its id, on that day."""
        if self.name == "refused":
            return record.endswith(REFUSED_LAST_DIGIT)
        return self.name == "poison" and record == POISON


DAYS = (
    Day("refused", "207, and one item in ten is refused", ("--refuse-tenth",)),
    Day("away", "503 and 429 with Retry-After for some seconds", ("--away", "4")),
    Day("killed", "kill -9 in the midst, and a new start", ("--slow", "0.1"), killed=True),
    Day("poison", "one record that gives its whole request a 400", ("--poison",)),
    Day("good", "nothing goes wrong", fast=True),
)
