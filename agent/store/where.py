"""Which records are meant by `order.total > 100`? A small language over the JSON of a record.

SQLite reads the records, so that only those that match are handed over, and no text of the user
becomes part of a statement.
"""

import json
import math
import re
from dataclasses import dataclass

EXISTS, MISSING = "exists", "missing"
_COMPARED = ("!=", ">=", "<=", "=", ">", "<", "~")
_NAME = r'(?:[^\s."\\\[\]=!<>~]+|"[^"\\\x00]+")'
_PATH = rf"{_NAME}(?:\.{_NAME}|\[\d{{1,9}}\])*"
_COMPARISON = re.compile(rf"\s*({_PATH})\s*({'|'.join(_COMPARED)})\s*(\S.*?)\s*", re.DOTALL)
_PRESENCE = re.compile(rf"\s*({_PATH})\s+({EXISTS}|{MISSING})\s*")
_STEP = re.compile(rf"({_NAME})|\[(\d+)\]")

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Condition:
    """What one field must be. `path` is SQLite's: `$."order"."total"`."""

    path: str
    operator: str
    value: Value = None


def condition(text: str) -> Condition:
    """Read `FIELD = VALUE` (or `!=`, `>`, `>=`, `<`, `<=`, `~` for contains), `FIELD exists`, or
    `FIELD missing`.

    A field is a path, `order.items[0].sku`; names with other characters are put in double quotes. A
    value is JSON, or a bare word. Raises ValueError, saying what is possible, for anything else.
    """
    if match := _PRESENCE.fullmatch(text):
        return Condition(_path(match[1]), match[2])
    match = _COMPARISON.fullmatch(text)
    if match is None:
        raise ValueError(
            f"{text!r} is no condition; write such as 'type = \"order\"', 'order.total > 100',"
            " 'items[0].sku ~ \"A-\"', 'email exists' or 'email missing'"
        )
    path, operator, value = match.groups()
    return Condition(_path(path), operator, _value(value, operator, text))


def as_json(conditions: tuple[Condition, ...]) -> str | None:
    """What `MATCHES_WHERE` takes as `:where`; None where there are no conditions."""
    if not conditions:
        return None
    return json.dumps([{"p": c.path, "o": c.operator, "v": c.value} for c in conditions])


def _path(text: str) -> str:
    steps = (
        f'."{name.strip(chr(34))}"' if name else f"[{index}]" for name, index in _STEP.findall(text)
    )
    return "$" + "".join(steps)


def _value(text: str, operator: str, whole: str) -> Value:
    try:
        value = json.loads(text, parse_constant=str)
    except ValueError:
        if text.startswith(('"', "{", "[")):
            raise ValueError(f"{whole!r}: {text} is not complete JSON") from None
        return text
    if isinstance(value, str):
        return value
    if operator == "~":
        return text
    if isinstance(value, (dict, list)) or (value in (math.inf, -math.inf)):
        raise ValueError(f"{whole!r}: compare with a text, a number, true, false or null")
    if operator not in ("=", "!=") and (value is None or isinstance(value, bool)):
        raise ValueError(f"{whole!r}: only texts and numbers have an order")
    return value  # type: ignore[no-any-return]


_NUMBER = "('integer', 'real')"
_EQUAL = f"""CASE
    WHEN wanted = 'text' THEN found = 'text' AND field = value
    WHEN wanted IN {_NUMBER} THEN found IN {_NUMBER} AND field = value
    ELSE found = wanted END"""
_ORDERED = "(wanted = 'text') = (found = 'text') AND found IN ('text', 'integer', 'real')"
# One row for each condition. A path that leads nowhere has no type: NULL.
_TESTS = f"""SELECT CASE operator
        WHEN '=' THEN {_EQUAL}
        WHEN '!=' THEN NOT COALESCE({_EQUAL}, FALSE)
        WHEN '>' THEN {_ORDERED} AND field > value
        WHEN '>=' THEN {_ORDERED} AND field >= value
        WHEN '<' THEN {_ORDERED} AND field < value
        WHEN '<=' THEN {_ORDERED} AND field <= value
        WHEN '~' THEN instr(CAST(field AS TEXT), CAST(value AS TEXT)) > 0
        WHEN 'exists' THEN found IS NOT NULL
        WHEN 'missing' THEN found IS NULL END AS holds
    FROM (SELECT json_extract(each.value, '$.o') AS operator,
        json_extract(each.value, '$.v') AS value, json_type(each.value, '$.v') AS wanted,
        json_type(text, json_extract(each.value, '$.p')) AS found,
        json_extract(text, json_extract(each.value, '$.p')) AS field
        FROM json_each(:where) AS each)"""  # noqa: S608
# SQLite's own check of JSON ends at a NUL, which no JSON has.
MATCHES_WHERE = f"""(:where IS NULL OR COALESCE((
    SELECT CASE WHEN NOT instr(record, x'00') AND json_valid(text) THEN
        CASE WHEN json_type(text) = 'object' THEN
            NOT EXISTS (SELECT 1 FROM ({_TESTS}) WHERE NOT COALESCE(holds, FALSE)) END END
    FROM (SELECT record, CAST(record AS TEXT) AS text
        FROM dead_letter_records WHERE id = letter.id)), FALSE))"""  # noqa: S608
