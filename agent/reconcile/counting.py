"""How many records were accepted in a time, by the receipts that are kept?"""

import sqlite3
from dataclasses import dataclass

from agent.store import receipts


@dataclass(frozen=True, slots=True)
class Window:
    """From when to when, in seconds since 1970, and how long a record may take to land."""

    since: float
    until: float
    lag: float


@dataclass(frozen=True, slots=True)
class Accepted:
    """Records with a receipt; the last three are not in `records`, or only a part of it."""

    records: int
    young: int  # of them: so late that they may be on their way
    before: int  # accepted so shortly before that they may have landed in the window
    first_at: float | None
    last_at: float | None


def accepted(connection: sqlite3.Connection, window: Window, flow: str = "") -> Accepted:
    """What the receipts of a flow, or of all, say of a time."""
    records = young = before = 0
    first_at = last_at = None
    for receipt in receipts.each_receipt(connection, window.since - window.lag, flow):
        at = receipt.accepted_at
        if at < window.since:
            before += receipt.count
        elif at <= window.until:
            records += receipt.count
            young += receipt.count if at > window.until - window.lag else 0
            first_at = at if first_at is None else first_at
            last_at = at
    return Accepted(records, young, before, first_at, last_at)
