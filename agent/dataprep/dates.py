"""Which moment does a value of a record mean, where a function asks for a date?"""

from datetime import UTC, datetime, timedelta
from typing import Any

from agent.dataprep.date_patterns import form
from agent.dataprep.faults import EvaluationError
from agent.dataprep.values import is_number, kind_of, shown
from agent.xdm.dates import FORMS

# What `date` reads without being told a form: the list of the documents, in its order, and what
# their samples use without being on it.
_FORMS = (*FORMS, "yyyy-MM-dd HH:mm[:ss][ z]", "yyyy-MM-dd'T'HH:mm[:ss][ z]")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(value: Any) -> datetime:
    """The moment that a date, or a text in a known form, means. Raises EvaluationError."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise EvaluationError(f"a date was expected, found {kind_of(value)}")
    written = value.strip()
    try:
        # ISO 8601 with a time first: it is what most dates are, and no form above means another.
        if len(written) >= 20 and written[10:11] in ("T", " "):
            moment = datetime.fromisoformat(written)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except ValueError:
        pass
    for pattern in _FORMS:
        try:
            return form(pattern).read(written)
        except EvaluationError:
            continue
    raise EvaluationError(f"{shown(value)} is a date in no known form: date(…, form) tells one")


def moment_at(milliseconds: Any) -> datetime:
    """The moment so many milliseconds after 1970. Raises EvaluationError."""
    if not is_number(milliseconds):
        raise EvaluationError(f"milliseconds were expected, found {kind_of(milliseconds)}")
    try:
        return _EPOCH + timedelta(milliseconds=int(milliseconds))
    except (OverflowError, ValueError):
        raise EvaluationError("the date is out of the range of years 1 to 9999") from None
