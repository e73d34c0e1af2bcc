"""What does a person see while records are being sent?

On a terminal one line that moves: how far, how fast, how long still, and what the inlet is doing.
Elsewhere a plain line every few seconds, for whoever reads the log of a job.
"""

import asyncio
import sys
from collections import deque

from agent.app.lifecycle import Agent, View
from agent.app.summary import Snapshot
from agent.telemetry.logs import get_logger

_REFRESH_SECONDS = 0.1
_PLAIN_SECONDS = 5.0
_PRINTED_SECONDS = 1.0
_RATE_SECONDS = 5.0  # over which the rate is taken, however often somebody looks

_MOVING = ("ready", "draining")  # states of the destination in which nothing is amiss

log = get_logger("progress")


def view() -> View:
    """The view that fits where standard error goes."""
    return _bar if sys.stderr.isatty() else _plain_lines


class Rate:
    """Records per second over the last few seconds, and the time that is left at that pace."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, float]] = deque()

    def look(self, now: Snapshot) -> None:
        """Take another look."""
        self._looks.append((now.seconds, now.accepted + now.dead_letters, settled_part(now) or 0.0))
        while len(self._looks) > 2 and now.seconds - self._looks[1][0] >= _RATE_SECONDS:
            self._looks.popleft()

    @property
    def records_per_second(self) -> float:
        """How many records get their verdict in a second."""
        return self._per_second(1)

    def seconds_left(self, now: Snapshot) -> float | None:
        """Until every record has its verdict; None where nobody knows."""
        part, pace = settled_part(now), self._per_second(2)
        return None if part is None or pace <= 0 else (1.0 - part) / pace

    def _per_second(self, column: int) -> float:
        if len(self._looks) < 2:
            return 0.0
        first, last = self._looks[0], self._looks[-1]
        seconds = last[0] - first[0]
        return (last[column] - first[column]) / seconds if seconds > 0 else 0.0


def settled_part(now: Snapshot) -> float | None:
    """Which part of all input has its verdict, 0 to 1; None where its size is not known.

    What is read but not answered for is not done: with the inlet away, reading runs ahead.
    """
    if now.input_total is None:
        return None
    read = now.input_done / now.input_total if now.input_total else 1.0
    return read * (1.0 - now.held / now.read) if now.read else 0.0


def line(now: Snapshot, rate: Rate) -> str:
    """How things are, in one line: what somebody should worry about comes first."""
    words = ["stopping, Ctrl-C again ends it at once"] if now.interrupted else []
    if now.state not in _MOVING:
        words.append(f"inlet {now.state}, waiting")
    words.append(f"{now.accepted:,} accepted")
    if now.dead_letters:
        words.append(f"{now.dead_letters:,} dead-lettered")
    if now.filtered:
        words.append(f"{sum(now.filtered.values()):,} filtered")
    if now.held:
        words.append(f"{now.held:,} on their way")
    words.append(f"{rate.records_per_second:,.0f} records/s")
    left = rate.seconds_left(now)
    if left is not None and not now.interrupted:
        words.append(f"{_duration(left)} left")
    return " · ".join(words)


async def _bar(agent: Agent) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    rate = Rate()
    columns = (
        BarColumn(12),
        TaskProgressColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        while True:
            now = agent.snapshot()
            rate.look(now)
            part = settled_part(now)
            progress.update(
                task,
                total=None if part is None else 1.0,
                completed=part or 0.0,
                description=line(now, rate),
            )
            await asyncio.sleep(_REFRESH_SECONDS)


async def printed(agent: Agent) -> None:
    """The view that prints a line every second: for a demonstration without a terminal."""
    rate = Rate()
    while True:
        await asyncio.sleep(_PRINTED_SECONDS)
        now = agent.snapshot()
        rate.look(now)
        print(f"  {line(now, rate)}", file=sys.stderr, flush=True)


async def _plain_lines(agent: Agent) -> None:
    rate = Rate()
    rate.look(agent.snapshot())
    while True:
        await asyncio.sleep(_PLAIN_SECONDS)
        now = agent.snapshot()
        rate.look(now)
        left = rate.seconds_left(now)
        log.info(
            "sending",
            read=now.read,
            accepted=now.accepted,
            dead_lettered=now.dead_letters,
            held=now.held,
            records_per_second=round(rate.records_per_second),
            destination=now.state,
            seconds_left=None if left is None else round(left),
        )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"
