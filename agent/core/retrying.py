"""How long to wait before the next attempt."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRY_AFTER_MAX = 3600.0  # seconds: more than an hour is nonsense, or as good as never

_SECONDS = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def backoff(attempt: int, *, dice: float, initial: float, ceiling: float) -> float:
    """Seconds to wait after the *attempt*th failure (1-based): full jitter, doubling to a ceiling.

    *dice* is chance, 0 <= dice < 1. [AWS Architecture Blog: exponential backoff and jitter]
    """
    return dice * min(ceiling, initial * 2.0 ** min(attempt - 1, 40))


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds that a Retry-After header asks for, between 0 and an hour; None where it is nonsense.

    *now* is the wall clock: the header may be a date. [RFC 9110, 10.2.3]
    """
    text = (value or "").strip()
    if _SECONDS.fullmatch(text):
        return min(float(text), RETRY_AFTER_MAX)
    try:
        date = parsedate_to_datetime(text)
        if date.tzinfo is None:
            date = date.replace(tzinfo=UTC)
        seconds = (date - datetime.fromtimestamp(now, UTC)).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    return max(0.0, min(seconds, RETRY_AFTER_MAX))
