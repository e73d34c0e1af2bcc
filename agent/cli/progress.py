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
_RATE_WINDOW = 50  # looks over which the rate is taken: five seconds

log = get_logger("progress")


def view() -> View:
    """The view that fits where standard error goes."""
    return _bar if sys.stderr.isatty() else _plain_lines


class Rate:
    """Records per second over the last few seconds, and the time that is left at that pace."""

    def __init__(self) -> None:
        self._looks: deque[tuple[float, int, int]] = deque(maxlen=_RATE_WINDOW)

    def look(self, now: Snapshot) -> None:
        """Take another look."""
        settled = now.accepted + now.dead_letters
        self._looks.append((now.seconds, settled, now.input_done))

    @property
    def records_per_second(self) -> float:
        """How many records get their verdict in a second."""
        return self._per_second(1)

    def seconds_left(self, now: Snapshot) -> float | None:
        """Until all input is read; None where nobody knows."""
        pace = self._per_second(2)
        if now.input_total is None or pace <= 0:
            return None
        return (now.input_total - now.input_done) / pace

    def _per_second(self, column: int) -> float:
        if len(self._looks) < 2:
            return 0.0
        first, last = self._looks[0], self._looks[-1]
        seconds = last[0] - first[0]
        return (last[column] - first[column]) / seconds if seconds > 0 else 0.0


def line(now: Snapshot, rate: Rate) -> str:
    """How things are, in one line."""
    words = [f"{now.accepted:,} accepted"]
    if now.dead_letters:
        words.append(f"{now.dead_letters:,} dead-lettered")
    if now.held:
        words.append(f"{now.held:,} on their way")
    words.append(f"{rate.records_per_second:,.0f} records/s")
    left = rate.seconds_left(now)
    if left is not None:
        words.append(f"{_duration(left)} left")
    if now.state != "ready":
        words.append(f"inlet {now.state}: waiting")
    return " · ".join(words)


async def _bar(agent: Agent) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

    rate = Rate()
    columns = (
        SpinnerColumn(),
        BarColumn(24),
        TaskProgressColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=None)
        while True:
            now = agent.snapshot()
            rate.look(now)
            progress.update(
                task,
                total=now.input_total,
                completed=now.input_done,
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
