"""Records thrown by dice for a schema as `xed-full` answers it: right ones, and nearly right."""

import re
from random import Random
from typing import Any

WRONG = [None, True, 7, -(2**70), 2**64, 0.5, -1e-9, "", "?", "wrong", [], [None], {}, {"other": 1}]
WRITTEN = {
    "date": ["2026-11-25", "1985-01-01"],
    "date-time": ["2026-11-25T10:11:12Z", "2026-11-25T10:11:12.345+02:00"],
    "uri": ["https://example.com/a?b=c", "urn:isbn:0451450523"],
    "uri-reference": ["https://example.com/", "a-1", "/relative"],
    "email": ["jane@example.com"],
    "ipv4": ["203.0.113.7"],
    "ipv6": ["2001:db8::1"],
}
PATTERNED = [
    *("FR", "EUR", "33", "fr-CH", "FR-75", "12-24", "2026", "Q4", "1.12.2026"),
    *("text/html", "https://example.com/a"),
]
DEEPEST = 6


class Dice:
    """`wrong` is the chance that a value is of the wrong kind, or a field too many or too few."""

    def __init__(self, seed: int, wrong: float = 0.0) -> None:
        self._dice = Random(seed)
        self._wrong = wrong

    def value(self, schema: dict[str, Any], deep: int = DEEPEST) -> Any:
        if self._dice.random() < self._wrong:
            return self._dice.choice(WRONG)
        if "oneOf" in schema:
            return self.value(schema["oneOf"][0], deep)
        if "enum" in schema:
            return self._dice.choice(schema["enum"])
        match schema.get("type"):
            case "integer":
                return self._dice.randint(*bounds(schema, 2**31))
            case "number":
                low, high = bounds(schema, 10**6)
                return self._dice.choice([low, high, round(self._dice.uniform(low, high), 3)])
            case "boolean":
                return self._dice.random() < 0.5
            case "array":
                return self._array(schema, deep)
            case "object":
                return self._object(schema, deep)
            case _:
                return self._text(schema)

    def _text(self, schema: dict[str, Any]) -> str:
        if "pattern" in schema:
            fitting = [text for text in PATTERNED if re.search(schema["pattern"], text)]
            return self._dice.choice(fitting)
        if schema.get("format") in WRITTEN:
            return self._dice.choice(WRITTEN[schema["format"]])
        least = schema.get("minLength", 0)
        length = self._dice.randint(least, min(schema.get("maxLength", least + 8), least + 8))
        return "".join(self._dice.choices('aZ0 é漢🎈"\\/~', k=length))

    def _array(self, schema: dict[str, Any], deep: int) -> list[Any]:
        least = schema.get("minItems", 0)
        most = min(schema.get("maxItems", 2), 2) if deep else 0
        count = max(least, self._dice.randint(0, most))
        return [self.value(schema.get("items", {}), deep - 1) for _ in range(count)]

    def _object(self, schema: dict[str, Any], deep: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        names = {name for name in schema.get("required", ()) if self._dice.random() >= self._wrong}
        if deep and properties:
            count = self._dice.randint(0, min(4, len(properties)))
            names.update(self._dice.sample(sorted(properties), count))
        made = {name: self.value(properties.get(name, {}), deep - 1) for name in sorted(names)}
        others = schema.get("additionalProperties")
        if deep and isinstance(others, dict):
            made.update({name: self.value(others, deep - 1) for name in ("Email", "ECID")})
        if self._dice.random() < self._wrong:
            made["unheardOf"] = 1
        return made


def bounds(schema: dict[str, Any], widest: int) -> tuple[int, int]:
    """The integers between which the values of a schema lie."""
    low = schema.get("minimum", schema.get("exclusiveMinimum", -widest - 1) + 1)
    return int(low), int(schema.get("maximum", max(low, 0) + widest))
