"""What came to the inlets, and when: requests that were answered, messages and their bytes?

Requests are counted since the emulator started; messages are read from the log of arrivals, so that
they are known over a restart. Refused messages are not among them.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from agent.emulator.arrivals import Arrivals

MINUTE = 60_000  # milliseconds
_KEPT = 50_000  # minutes of inlets, the oldest of which are forgotten first

Minute = tuple[int, str]  # its first millisecond, and the inlet's id


@dataclass(slots=True)
class Seen:
    """What one inlet saw in one minute."""

    succeeded: int = 0  # requests answered with success
    failed: int = 0  # and without
    messages: int = 0
    size: int = 0  # of the messages, in bytes


class Traffic:
    """Counts for each inlet and minute. `of_ready_made` is the inlet whose arrivals name none."""

    def __init__(self, arrivals: Arrivals, of_ready_made: str) -> None:
        self._arrivals = arrivals
        self._of_ready_made = of_ready_made
        self._answers: OrderedDict[Minute, Seen] = OrderedDict()
        self._messages: OrderedDict[Minute, Seen] = OrderedDict()
        self._end = 0

    def answered(self, inlet_id: str, status: int | None, now_ms: int) -> None:
        """Count an answer; None is a request that never got a whole one."""
        seen = _at(self._answers, now_ms, inlet_id)
        if status is not None and status < 300:
            seen.succeeded += 1
        else:
            seen.failed += 1

    def minutes(self) -> Iterator[tuple[int, str, Seen]]:
        """(first millisecond, inlet, what it saw) of requests, and then of messages."""
        self._read_on()
        for counted in (self._answers, self._messages):
            for (minute, inlet_id), seen in counted.items():
                yield minute, inlet_id, seen

    def _read_on(self) -> None:
        """Count the arrivals since the last time; all of them where the log began anew."""
        if self._arrivals.end < self._end:
            self._messages.clear()
            self._end = 0
        for arrival, behind in self._arrivals.since(self._end):
            self._end = behind
            seen = _at(self._messages, arrival.received_ms, arrival.inlet_id or self._of_ready_made)
            seen.messages += len(arrival.xaction_ids)
            seen.size += arrival.length - len(arrival.xaction_ids)


def _at(counted: OrderedDict[Minute, Seen], ms: int, inlet_id: str) -> Seen:
    key = (ms // MINUTE * MINUTE, inlet_id)
    seen = counted.get(key)
    if seen is None:
        seen = counted[key] = Seen()
        if len(counted) > _KEPT:
            counted.popitem(last=False)
    return seen
