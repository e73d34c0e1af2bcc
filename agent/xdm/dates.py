"""Which moment does a string mean, in the forms that the platform reads without being told?"""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

FORMS: Final = (
    "yyyy-MM-dd HH:mm:ssZ",
    "yyyy-MM-dd HH:mm:ss.SSSZ",
    "yyyy-MM-dd HH:mm:ss.SSS",
    "yyyy-MM-dd'T'HH:mm:ss.SSSX",
    "yyyy-MM-dd'T'HH:mm:ss'Z'",
    "yyyy-MM-dd",
    "yyyy/MM/dd",
    "yyyy.MM.dd",
    "yyyy-MMM-dd",
    "yyyyMMdd",
    "MM-dd-yyyy",
    "MMddyyyy",
    "M/dd/yyyy",
    "dd.M.yyyy",
    "M/dd/yyyy hh:mm:ss a",
    "dd.M.yyyy hh:mm:ss a",
    "dd.MMM.yyyy",
    "dd-MMM-yyyy",
)
_MONTHS: Final = (
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
)
_LETTERS: Final = {
    "yyyy": r"(?P<year>\d{4})",
    "MMM": r"(?P<name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d\d)",
    "M": r"(?P<month>\d\d?)",
    "dd": r"(?P<day>\d\d)",
    "HH": r"(?P<hour>\d\d)",
    "hh": r"(?P<hour>\d\d)",
    "mm": r"(?P<minute>\d\d)",
    "SSS": r"(?P<milli>\d{3})",
    "ss": r"(?P<second>\d\d)",
    "a": r"(?P<half>[AaPp][Mm])",
    "Z": r"(?P<zone>[+-]\d{4})",
    "X": r"(?P<zone>Z|[+-]\d\d(?:\d\d)?)",
    "'T'": "T",
    "'Z'": "Z",
}
_LETTER: Final = re.compile("|".join(_LETTERS) + "|.")


def _pattern(form: str) -> re.Pattern[str]:
    written = "".join(_LETTERS.get(part, re.escape(part)) for part in _LETTER.findall(form))
    return re.compile(written, re.ASCII)


_PATTERNS: Final = tuple(_pattern(form) for form in FORMS)


def moment(text: str) -> datetime | None:
    """The moment, with its zone (UTC where none is written); None when the form is unknown."""
    for pattern in _PATTERNS:
        found = pattern.fullmatch(text)
        if found is not None:
            try:
                return _moment(found.groupdict())
            except ValueError:
                continue  # a day that does not exist in this form may exist in the next
    return None


def _moment(parts: dict[str, str | None]) -> datetime:
    month = parts.get("month")
    name = parts.get("name")
    hour = int(parts.get("hour") or 0)
    half = parts.get("half")
    if half is not None:
        if not 1 <= hour <= 12:
            raise ValueError("an hour of half a day is 1 to 12")
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    return datetime(
        int(parts["year"] or 0),
        int(month) if month is not None else _MONTHS.index(str(name).lower()) + 1,
        int(parts["day"] or 0),
        hour,
        int(parts.get("minute") or 0),
        int(parts.get("second") or 0),
        int(parts.get("milli") or 0) * 1000,
        _zone(parts.get("zone")),
    )


def _zone(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    ahead = timedelta(hours=int(text[1:3]), minutes=int(text[3:] or 0))
    return timezone(-ahead if text[0] == "-" else ahead)


def written(at: datetime) -> str:
    """RFC 3339 in UTC, milliseconds where there are any."""
    spec = "milliseconds" if at.microsecond else "seconds"
    return at.astimezone(UTC).isoformat(timespec=spec).replace("+00:00", "Z")
