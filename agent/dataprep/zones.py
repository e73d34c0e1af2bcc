"""Which time zone does a name mean?"""

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from agent.dataprep.faults import EvaluationError
from agent.dataprep.values import shown

_OFFSET = re.compile(r"(?:UTC|GMT|UT)?(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?")
_NAME_MAX = 64

# Abbreviations mean what they say, in summer too: the documents turn "11:55:12 PST" of an October
# into 19:55:12 UTC, where Java would read daylight saving time into it.
_HOURS = {
    "PST": -8, "PDT": -7, "MST": -7, "MDT": -6, "CST": -6, "CDT": -5, "EST": -5, "EDT": -4,
    "AKST": -9, "AKDT": -8, "HST": -10, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "EET": 2,
    "EEST": 3, "MSK": 3, "JST": 9, "KST": 9, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13,
    "BST": 1,
}  # fmt: skip
NAMES = {
    "Pacific Standard Time": -8,
    "Pacific Daylight Time": -7,
    "Mountain Standard Time": -7,
    "Mountain Daylight Time": -6,
    "Central Standard Time": -6,
    "Central Daylight Time": -5,
    "Eastern Standard Time": -5,
    "Eastern Daylight Time": -4,
    "Central European Time": 1,
    "Central European Summer Time": 2,
    "Greenwich Mean Time": 0,
    "Coordinated Universal Time": 0,
}


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """The zone of a name: `Z`, `UTC`, `+02:00`, `GMT+8`, `PST`, `Europe/Paris`.

    Raises EvaluationError where there is none.
    """
    if name in ("Z", "UTC", "GMT", "UT", "Etc/UTC"):
        return UTC
    if name in _HOURS or name in NAMES:
        return timezone(timedelta(hours=_HOURS.get(name, NAMES.get(name, 0))), name)
    if match := _OFFSET.fullmatch(name):
        hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
        if hours <= 18 and minutes < 60:
            away = timedelta(hours=hours, minutes=minutes)
            return timezone(-away if match["sign"] == "-" else away)
    elif len(name) <= _NAME_MAX and name.isascii():
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass
    raise EvaluationError(f"{shown(name)} is no time zone, as Europe/Paris and +02:00 are")


def moved(moment: datetime, to: tzinfo) -> datetime:
    """The same moment in another zone."""
    try:
        return moment.astimezone(to)
    except OverflowError:
        raise EvaluationError("the date is out of the range of years 1 to 9999") from None
