"""How are durations, sizes, counts and shares read, and within which bounds?"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from agent.config.units import parse_duration, parse_size, show_duration, show_size
from agent.config.written import Written


@dataclass(frozen=True)
class Quantity(Written):
    """A quantity between two bounds, which are themselves written the way people write them."""

    at_least: str
    at_most: str
    optional: bool = False
    json_types: ClassVar[tuple[str, ...]] = ("string", "number")
    noun: ClassVar[str]
    examples: ClassVar[str]

    @property
    def advice(self) -> str:
        return f"{self.noun} from {self.at_least} to {self.at_most}{self.examples}"

    @abstractmethod
    def parse(self, text: str) -> float:
        """The quantity that a text spells; ValueError where it spells none."""

    @abstractmethod
    def show(self, quantity: float) -> str:
        """A quantity the way people write it."""

    def read(self, value: object) -> float:
        if not isinstance(value, str | int | float):
            raise ValueError("neither text nor a number")
        quantity = self.parse(str(value))
        if not self.parse(self.at_least) <= quantity <= self.parse(self.at_most):
            raise ValueError("out of bounds")
        return quantity


class Duration(Quantity):
    """Seconds, as a float."""

    pattern = r"^ *[0-9.]+(ms|[dhms]|)([0-9.]+(ms|[hms]))* *$|\$\{"
    noun = "a duration"
    examples = ", such as 1s, 500ms or 2m"

    def parse(self, text: str) -> float:
        return parse_duration(text)

    def show(self, quantity: float) -> str:
        return show_duration(quantity)


class Size(Quantity):
    """Bytes, as an int."""

    pattern = r"^ *[0-9.]+ ?([KMGTkmgt]?[Ii]?[Bb])? *$|\$\{"
    noun = "a size"
    examples = ", such as 500KB, 1MiB or 1000000"

    def parse(self, text: str) -> int:
        return parse_size(text)

    def show(self, quantity: float) -> str:
        return show_size(int(quantity))


class Whole(Quantity):
    """A count, as an int."""

    json_types = ("integer", "string")
    pattern = r"^[0-9]+$|\$\{"
    noun = "a whole number"
    examples = ""

    def parse(self, text: str) -> int:
        return int(text)

    def show(self, quantity: float) -> str:
        return str(quantity)


class Share(Quantity):
    """A part of a whole, as a float."""

    json_types = ("number", "string")
    pattern = r"^[0-9.]+$|\$\{"
    noun = "a share"
    examples = ", such as 0.5"

    def parse(self, text: str) -> float:
        return float(text)

    def show(self, quantity: float) -> str:
        return str(quantity)
