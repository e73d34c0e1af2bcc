"""What is fed to the agent? Lines whose bytes follow from a seed, so that any change is noticed.

Every line is different. It holds its own name, by which a changed one is still recognised.
"""

import json
import random
import re
from collections.abc import Iterator
from enum import StrEnum

NAME = re.compile(rb"torture-\d+-\d+-\d+-\d+")
REFUSED_MARK = '"refuse": true'  # the platform refuses the record in its item of the 207
POISON_MARK = '"poison": true'  # the platform refuses every request that has it

_WORDS = ("plain", "Zürich", "東京 🚲", "tab\\t\\u00e9", "Ελλάδα", 'quote\\"d', "null\\u0000")


class Kind(StrEnum):
    """What is to become of a line."""

    SOUND = "sound"  # accepted
    REFUSED = "refused"  # dead letter, from an item of an answer
    POISON = "poison"  # dead letter, found among the others of a refused request
    BROKEN = "broken"  # dead letter, never sent


_SHARES = {Kind.SOUND: 9700, Kind.BROKEN: 150, Kind.REFUSED: 140, Kind.POISON: 10}
# Longest filling, and how many lines in a thousand have one up to it.
_SIZES = {0: 300, 100: 400, 1_000: 250, 8_000: 40, 49_000: 10}


class Mint:
    """The lines of one round, by their bytes (without line end)."""

    def __init__(self, seed: int, round_number: int) -> None:
        self.minted: dict[bytes, Kind] = {}
        self._dice = random.Random(f"lines {seed} {round_number}")
        self._prefix = f"torture-{seed}-{round_number}"
        self._count = 0

    def lines(self, count: int) -> list[bytes]:
        """That many new lines."""
        fresh = [self._line() for _ in range(count)]
        self.minted.update(fresh)
        return [line for line, _ in fresh]

    def expected(self, *kinds: Kind) -> set[bytes]:
        """All lines of these kinds."""
        return {line for line, kind in self.minted.items() if kind in kinds}

    def _line(self) -> tuple[bytes, Kind]:
        dice = self._dice
        kind = dice.choices(list(_SHARES), list(_SHARES.values()))[0]
        self._count += 1
        name = f"{self._prefix}-{self._count}-{dice.randrange(10**6)}"
        if kind is Kind.BROKEN:
            return _broken(name.encode(), dice), kind
        mark = {Kind.REFUSED: f", {REFUSED_MARK}", Kind.POISON: f", {POISON_MARK}"}.get(kind, "")
        body = ", ".join(_members(dice))
        return f'{{"id": "{name}"{mark}{body and ", "}{body}}}'.encode(), kind


def _members(dice: random.Random) -> Iterator[str]:
    longest = dice.choices(list(_SIZES), list(_SIZES.values()))[0]
    if not longest:
        return
    yield f'"word": "{dice.choice(_WORDS)}"'
    noise = dice.randbytes(dice.randrange(longest) // 2).hex()
    yield f'"noise": {json.dumps(noise)}'
    if dice.random() < 0.1:
        yield f'"big": {dice.getrandbits(70)}, "deep": [[{{"": [1e-7, -0.0, null]}}]]'


def _broken(name: bytes, dice: random.Random) -> bytes:
    """A line that is no record, for one of many reasons."""
    return (
        dice.choice(
            (
                b'{"id": "%b", "cut": "sho',
                b'{"id": "%b"} {"two": 2}',
                b'["%b"]',
                b'"%b"',
                b'{"id": "%b", "utf-8": "\xff\xfe"}',
                b'{"id": "%b", "number": NaN}',
                b'{"id": "%b", "comma": 1,}',
                b"%b is no JSON",
                b"\x1f\x8b %b \x00\x01",
            )
        )
        % name
    )
