"""What does a letter of a DateTimeFormatter pattern write of a date, and what does it read?

Names are English. Weeks are those of ISO 8601, as the documents have it. Where the documents list
`u` as the day of the week (it is that in Java's older SimpleDateFormat), it is the year here, as in
DateTimeFormatter.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from agent.dataprep.values import offset
from agent.dataprep.zones import NAMES

Part = int | str
MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_QUARTERS = ("1st quarter", "2nd quarter", "3rd quarter", "4th quarter")
_HALVES = ("AM", "PM")
_ERAS = {4: "Anno Domini", 5: "A"}
_ZONE = r"[A-Za-z]++(?:/[A-Za-z_+\-0-9]++)*+(?:[+-]\d{1,2}(?::?\d{2})?)?|[+-]\d{2}:\d{2}"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a pattern: which part of a date it is, the form it is read in, and both ways."""

    part: str
    form: str
    read: Callable[[str], Part]
    write: Callable[[datetime], str]


def field(letter: str, count: int) -> Field | None:
    """The field of so many equal letters; None where there is no such letter."""
    make = _LETTERS.get(letter)
    return None if make is None else make(count)


def _number(part: str, digits: int, get: Callable[[datetime], int]) -> Callable[[int], Field]:
    """A number of at most so many digits, and at least as many as there are letters."""

    def make(count: int) -> Field:
        form = rf"\d{{{count},{max(count, digits)}}}"
        return Field(part, form, int, lambda moment: f"{get(moment):0{count}}")

    return make


def _year(part: str, get: Callable[[datetime], int]) -> Callable[[int], Field]:
    def make(count: int) -> Field:
        if count == 2:
            return Field(
                part, r"\d{2}", lambda text: 2000 + int(text), lambda at: f"{get(at) % 100:02}"
            )
        return _number(part, 4, get)(count)

    return make


def _named(
    part: str, names: Sequence[str], get: Callable[[datetime], int], short: int
) -> Callable[[int], Field]:
    """A number in up to two letters, a short name in three, the name in four, its first in five."""

    def make(count: int) -> Field:
        if count < 3:
            return _number(part, 2, get)(count)
        length = {3: short, 5: 1}.get(count)
        written = [name[:length] for name in names]
        return Field(
            part,
            "|".join(written),
            lambda text: written.index(text) + 1,
            lambda at: written[get(at) - 1],
        )

    return make


def _quarter(count: int) -> Field:
    if count != 3:
        return _named("quarter", _QUARTERS, _quarter_of, 1)(count)
    return Field("quarter", "Q[1-4]", lambda text: int(text[1]), lambda at: f"Q{_quarter_of(at)}")


def _weekday(count: int) -> Field:
    return _named("weekday", DAYS, datetime.isoweekday, 3)(max(count, 3))


def _half(count: int) -> Field:
    return Field("half", "AM|PM", _HALVES.index, lambda at: _HALVES[at.hour >= 12])


def _era(count: int) -> Field:
    written = _ERAS.get(count, "AD")
    return Field("era", written, str, lambda at: written)


def _fraction(count: int) -> Field:
    return Field(
        "microsecond",
        rf"\d{{{count}}}",
        lambda text: int(f"{text:0<6}"[:6]),
        lambda at: f"{at.microsecond:06}".ljust(count, "0")[:count],
    )


def _offset(form: str, *, zero: str | None, colon: bool, short: bool = False) -> Field:
    """`+0200`, `+02:00`, where *short* `+02`; *zero* is what stands for no offset at all."""

    def write(at: datetime) -> str:
        written = offset(at)
        if written == "Z":
            if zero is not None:
                return zero
            written = "+00:00"
        if short and written.endswith(":00"):
            return written[:3]
        return written if colon else written.replace(":", "")

    return Field("zone", form, str, write)


def _iso_offset(count: int) -> Field:
    if count == 1:
        return _offset(r"Z|[+-]\d{2}(?:\d{2})?", zero="Z", colon=False, short=True)
    if count % 2 == 0:
        return _offset(r"Z|[+-]\d{4}", zero="Z", colon=False)
    return _offset(r"Z|[+-]\d{2}:\d{2}", zero="Z", colon=True)


def _plain_offset(count: int) -> Field:
    if count == 1:
        return _offset(r"[+-]\d{2}(?:\d{2})?", zero=None, colon=False, short=True)
    colon = count % 2 == 1
    return _offset(r"[+-]\d{2}:\d{2}" if colon else r"[+-]\d{4}", zero=None, colon=colon)


def _mail_offset(count: int) -> Field:
    if count == 4:
        return _named_offset(4)
    if count == 5:
        return _iso_offset(3)
    return _offset(r"[+-]\d{4}", zero=None, colon=False)


def _named_offset(count: int) -> Field:
    """`GMT+8`, or `GMT+08:00` in four letters."""

    def write(at: datetime) -> str:
        written = offset(at)
        if written == "Z":
            return "GMT"
        if count == 4:
            return f"GMT{written}"
        minutes = "" if written.endswith(":00") else written[3:]
        return f"GMT{written[0]}{int(written[1:3])}{minutes}"

    return Field("zone", r"GMT(?:[+-]\d{1,2}(?::\d{2})?)?", str, write)


def _zone_name(count: int) -> Field:
    """`PST`, `Pacific Standard Time`, `Europe/Paris`: what it is called is not always known."""
    names = "|".join(NAMES)
    return Field("zone", f"{names}|{_ZONE}", str, lambda at: at.tzname() or offset(at))


def _zone_id(count: int) -> Field:
    return Field(
        "zone", _ZONE, str, lambda at: getattr(at.tzinfo, "key", None) or at.tzname() or offset(at)
    )


def _quarter_of(at: datetime) -> int:
    return (at.month + 2) // 3


def _week_of_month(at: datetime) -> int:
    """Week 1 is the first that has four days in the month, as in ISO 8601."""
    monday = at.day - at.weekday()  # the day of the month, or before it, of this week's Monday
    return (monday + 9) // 7


_LETTERS: Mapping[str, Callable[[int], Field]] = {
    "G": _era,
    "y": _year("year", lambda at: at.year),
    "u": _year("year", lambda at: at.year),
    "Y": _year("week_year", lambda at: at.isocalendar().year),
    "M": _named("month", MONTHS, lambda at: at.month, 3),
    "L": _named("month", MONTHS, lambda at: at.month, 3),
    "Q": _quarter,
    "q": _quarter,
    "w": _number("week", 2, lambda at: at.isocalendar().week),
    "W": _number("week_of_month", 1, _week_of_month),
    "D": _number("day_of_year", 3, lambda at: at.timetuple().tm_yday),
    "d": _number("day", 2, lambda at: at.day),
    "F": _number("week_of_days", 1, lambda at: (at.day - 1) // 7 + 1),
    "E": _weekday,
    "a": _half,
    "H": _number("hour", 2, lambda at: at.hour),
    "k": _number("hour_to_24", 2, lambda at: at.hour or 24),
    "K": _number("hour_to_11", 2, lambda at: at.hour % 12),
    "h": _number("hour_to_12", 2, lambda at: at.hour % 12 or 12),
    "m": _number("minute", 2, lambda at: at.minute),
    "s": _number("second", 2, lambda at: at.second),
    "S": _fraction,
    "z": _zone_name,
    "V": _zone_id,
    "Z": _mail_offset,
    "O": _named_offset,
    "X": _iso_offset,
    "x": _plain_offset,
}
