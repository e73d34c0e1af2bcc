"""Why do records wait, and what can be done about it? In words, for whoever has to see to it."""

from collections.abc import Iterator
from dataclasses import dataclass

from agent.core.destination import (
    AUTH_BLOCKED,
    DISK_FULL,
    DOWN,
    DRAINING,
    READY,
    SCHEMA_CHANGED,
    THROTTLED,
    WARMING_UP,
)

# By state: what is the matter, and what to do.
_STATES = {
    READY: ("The inlet takes records.", ""),
    AUTH_BLOCKED: (
        "The inlet refuses our credentials. Records wait; none is lost.",
        "Renew what is behind inlet.token, token_file or credentials. A file that is replaced is"
        " read again, and sending goes on by itself.",
    ),
    SCHEMA_CHANGED: (
        "The inlet refuses most records, so the others are held and not dead-lettered.",
        "Compare the last dead letters with the flow's mapping and schema, and check"
        " inlet.flow_id. Once records are taken again, sending goes on by itself.",
    ),
    DISK_FULL: (
        "The store takes nothing, so no verdict could be kept. Records wait; none is lost.",
        "Free space on the disk of data_dir, or purge dead letters:"
        " aep-agent dead-letters purge --replayed.",
    ),
    DOWN: (
        "The inlet does not answer usably. Records wait; none is lost.",
        "Check inlet.url, DNS, proxy and network, and the platform's status page. It is asked"
        " again by itself.",
    ),
    THROTTLED: (
        "The inlet asks for fewer requests, and is left alone for as long as it says.",
        "Nothing, if it passes. If it lasts, the organisation's capacity is used up: set"
        " delivery.records_per_second to your share of it, or buy more.",
    ),
    WARMING_UP: (
        "The flow is so new that it would lose records, so they are held.",
        "Nothing: sending begins by itself at inlet.ready_at.",
    ),
    DRAINING: (
        "The agent stops: what is held gets shutdown.grace to be answered.",
        "Nothing: what has no answer by then stays in the spool, if there is one.",
    ),
}

OF_ALL = frozenset({"residue", "store"})  # what all flows have in common
_SOON_FULL = 3600.0  # seconds: whoever is on duty can still do something


@dataclass(frozen=True, slots=True)
class Wait:
    """One thing that keeps records waiting, or soon will. `seconds`: for so long already."""

    cause: str  # one word for machines
    says: str
    next_step: str
    seconds: float | None = None

    def as_json(self) -> dict[str, object]:
        """For /status."""
        return {
            "cause": self.cause,
            "says": self.says,
            "next_step": self.next_step,
            "seconds": self.seconds,
        }


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a flow, or of several together, that may keep its records waiting."""

    state: str  # of the destination
    state_seconds: float | None  # for which it is in it; None where it is ready
    buffer_full_seconds: float | None  # for which nobody could read; None where somebody can
    full_in_seconds: float | None  # until the buffer is full, as it grows now
    paced: bool  # the configured rates are what sending waits for
    store_trouble: str | None
    residue: int  # records of which the store knows nothing


def words_of(state: str) -> tuple[str, str]:
    """What is the matter with a destination in that state, and what to do; empty where nothing."""
    return _STATES[state]


def waits(standing: Standing) -> Iterator[Wait]:
    """Everything that keeps records waiting, what a person has to see to first."""
    if standing.residue:
        yield Wait(
            "residue",
            f"The store knows nothing of {standing.residue:,} records that were read.",
            "Please report it, with the answer of `aep-agent audit`.",
        )
    if standing.store_trouble:
        yield Wait(
            "store",
            f"What is known of records cannot be written: {standing.store_trouble}.",
            "Mend that; writing is tried again by itself, and reading waits as long.",
        )
    if standing.state != READY and not (standing.store_trouble and standing.state == DISK_FULL):
        yield Wait(standing.state, *_STATES[standing.state], standing.state_seconds)
    if standing.buffer_full_seconds is not None:
        yield Wait(
            "buffer_full",
            "The buffer is full, so sources are not read. Files and pipes wait.",
            "See to what keeps records from being sent; if that is only slow, raise"
            " buffer.max_bytes or delivery.max_in_flight.",
            standing.buffer_full_seconds,
        )
    elif standing.full_in_seconds is not None and standing.full_in_seconds < _SOON_FULL:
        yield Wait(
            "buffer_filling",
            "More is read than is accepted: the buffer is full soon.",
            "Raise buffer.max_bytes if there is room on the disk, or see to what slows sending.",
        )
    if standing.paced:
        yield Wait(
            "paced",
            "Sending keeps to the rates in the configuration.",
            "Nothing, if so intended: delivery.records_per_second, requests_per_second and"
            " bytes_per_second.",
        )
