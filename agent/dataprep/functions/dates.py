"""The date and time functions."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from agent.dataprep.date_patterns import form
from agent.dataprep.dates import moment_at, moment_of
from agent.dataprep.evaluation import Evaluation
from agent.dataprep.faults import EvaluationError
from agent.dataprep.functions.table import Category
from agent.dataprep.values import number_of, shown
from agent.dataprep.zones import moved, zone

DATES = Category("Date / Time")

_PARTS: Mapping[str, Callable[[datetime], int]] = {
    "year": lambda at: at.year,
    "quarter": lambda at: (at.month + 2) // 3,
    "month": lambda at: at.month,
    "dayofyear": lambda at: at.timetuple().tm_yday,
    "day": lambda at: at.day,
    "week": lambda at: at.isocalendar().week,
    "weekday": datetime.isoweekday,  # the documents do not say which day is the first
    "hour": lambda at: at.hour,
    "hour12": lambda at: at.hour % 12 or 12,
    "minute": lambda at: at.minute,
    "second": lambda at: at.second,
    "millisecond": lambda at: at.microsecond // 1000,
}
# `w` is listed for week and for weekday; it is the former.
_NAMES = {
    "year": "year yyyy yy",
    "quarter": "quarter qq q",
    "month": "month mm m",
    "dayofyear": "dayofyear dy y",
    "day": "day dd d",
    "week": "week ww w",
    "weekday": "weekday dw",
    "hour": "hour hh hh24",
    "hour12": "hh12",
    "minute": "minute mi n",
    "second": "second ss s",
    "millisecond": "millisecond ms sss",
}
_PART_NAMES = {name: part for part, names in _NAMES.items() for name in names.split()}
_SETTABLE = ("year", "month", "day", "hour", "minute", "second")


@DATES.function()
def now(evaluation: Evaluation) -> datetime:
    """Returns the current time."""
    return evaluation.now()


@DATES.function()
def timestamp(evaluation: Evaluation) -> int:
    """Returns the current time in milliseconds since 1970."""
    return int(evaluation.now().timestamp() * 1000)


@DATES.function(
    'format(date("2019-10-23T11:24:00+00:00"), "yyyy-MM-dd HH:mm:ss")', "2019-10-23 11:24:00"
)
def format_(date: datetime, format_: str) -> str:
    """Writes a date in the form of a pattern. (The documents' sample ends in other seconds.)"""
    return form(format_).write(date)


@DATES.function(
    "dformat(1571829875000, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")", "2019-10-23T11:24:35.000Z"
)
def dformat(timestamp: Any, format_: str) -> str | None:
    """Writes a timestamp, in milliseconds since 1970, in the form of a pattern."""
    return None if timestamp is None else form(format_).write(moment_at(number_of(timestamp)))


@DATES.function('date("2019-10-23 11:24", "yyyy-MM-dd HH:mm")', "2019-10-23T11:24:00Z")
def date(
    date: Any, format_: str | None = None, default_date: datetime | None = None
) -> datetime | None:
    """Reads a date from a string, in the form of a pattern or in any that is known.

    The default is for a date that is null.
    """
    if date is None:
        return default_date
    return form(format_).read(date) if format_ and isinstance(date, str) else moment_of(date)


@DATES.function('date_part("MM", date("2019-10-17 11:55:12"))', 10)
def date_part(component: str, date: datetime) -> int:
    """Returns a part of a date."""
    return _PARTS[_part(component)](date)


@DATES.function(
    'set_date_part("m", 4, date("2016-11-09T11:44:44.797Z"))', "2016-04-09T11:44:44.797Z"
)
def set_date_part(component: str, value: int, date: datetime) -> datetime:
    """Replaces a part of a date. (The documents' sample loses the milliseconds.)"""
    part = _part(component)
    if part not in _SETTABLE:
        raise EvaluationError(f"of a date, {', '.join(_SETTABLE)} can be set, not {part}")
    return date.replace(**{part: value})  # type: ignore[arg-type]


def make_date_time(
    year: int,
    month: int,
    day: int,
    hour: int,
    minute: int,
    second: int,
    nanosecond: int,
    timezone: str,
) -> datetime:
    """Makes a date of its parts; of the nanoseconds it keeps the microseconds.

    The documents' sample prints the time of America/Los_Angeles with a Z, as if it were UTC; here
    it has its own offset.
    """
    return datetime(
        year, month, day, hour, minute, second, nanosecond // 1000, tzinfo=zone(timezone)
    )


for _name in ("make_date_time", "make_timestamp"):
    DATES.function(
        f'{_name}(2019, 10, 17, 11, 55, 12, 999, "America/Los_Angeles")',
        "2019-10-17T11:55:12-07:00",
        name=_name,
    )(make_date_time)


@DATES.function('zone_date_to_utc(date("2019-10-17T11:55:12 PST"))', "2019-10-17T19:55:12Z")
def zone_date_to_utc(date: datetime) -> datetime:
    """Converts a date of any time zone to UTC."""
    return moved(date, UTC)


@DATES.function(
    'zone_date_to_zone(date("2021-10-26T13:43:59Z"), "Europe/Paris")', "2021-10-26T15:43:59+02:00"
)
def zone_date_to_zone(date: datetime, zone_: str) -> datetime:
    """Converts a date to another time zone. (The documents' sample calls Paris time Z.)"""
    return moved(date, zone(zone_))


def _part(component: str) -> str:
    part = _PART_NAMES.get(component.lower())
    if part is None:
        raise EvaluationError(f"{shown(component)} is no part of a date")
    return part
