"""In which words does Data Prep refuse a call?

The codes (MAPPER-…) are not Adobe's own, since those are not documented.
"""

from agent.emulator import refusals
from agent.emulator.refusals import Refused


def bad(detail: str) -> Refused:
    """What was asked makes no sense."""
    report = {"detailed-message": detail}
    return refusals.by_service("MAPPER-1000-400", "Bad request", detail, report)


def not_found(what: str) -> Refused:
    """What was asked for is not there."""
    detail = f"The {what} is not found"
    report = {"detailed-message": detail}
    return refusals.by_service("MAPPER-1001-404", "Not found", detail, report)
