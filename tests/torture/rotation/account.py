"""What came of lines that were written to files which were rotated, and is it as it must be?"""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """What came of one run."""

    written: int
    raced: int  # lines that no file held any more, for they were written while one was cut
    missing: tuple[str, ...]
    duplicates: Counter[str]  # by file
    most_duplicates: int
    kills: int
    operations: Counter[str]
    lost_bytes: dict[str, int]  # as the agent suspects, by cause
    seconds: float

    @property
    def findings(self) -> list[str]:
        """What must not be."""
        found = [f"{len(self.missing)} lines are missing: {self.missing[:5]}"] * bool(self.missing)
        if self.duplicates.total() > self.most_duplicates:
            found.append(
                f"{self.duplicates.total()} duplicates, {self.most_duplicates} had a cause"
            )
        return found

    def told(self) -> str:
        """The account in words."""
        operations = ", ".join(f"{name} {count}" for name, count in self.operations.most_common())
        return "\n".join(
            (
                f"{self.written:,} lines written in {self.seconds:.0f} s, {self.kills} kills",
                f"operations: {operations}",
                f"missing: {len(self.missing)}",
                f"written while a file was cut, and in no file after it: {self.raced}",
                f"duplicates: {self.duplicates.total():,} {dict(self.duplicates)},"
                f" at most {self.most_duplicates:,} have a cause",
                f"bytes the agent suspects to be lost: {self.lost_bytes or 'none'}",
                *self.findings,
            )
        )


def again(landed: Counter[bytes]) -> Counter[str]:
    """How often a line came again, by file."""
    found: Counter[str] = Counter()
    for line, count in landed.items():
        found[line[8:10].decode()] += count - 1
    return +found
