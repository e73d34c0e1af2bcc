"""An hour in a second: a loop whose clock jumps to the next timer whenever nothing else is to do.

`run(scenario())` runs a coroutine on such a loop. Meanwhile `time.monotonic()` and `time.time()`
follow the loop's clock, which stands still while anything runs: computing takes no time. Threads
and sockets live in real time, so that time must not jump while one of them is waited for: a
scenario says so with `hold_while(lambda: store_is_writing)`.
"""

import asyncio
import selectors
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from unittest import mock

T = TypeVar("T")

_START = 10_000.0  # of the monotonic clock
_GLANCE = 0.001  # real seconds to wait for a thread or a socket before looking again


class _JumpingSelector(selectors.DefaultSelector):
    """Waits for files in real time, and not at all for timers."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> Any:
        events = super().select(0)
        if events or timeout == 0:
            return events
        if timeout is None or self.loop.is_held():
            return super().select(_GLANCE)
        self.loop.now += timeout or 0.0
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """`now` is its clock, in seconds."""

    def __init__(self) -> None:
        self.now = _START
        self.is_held: Callable[[], bool] = lambda: False
        selector = _JumpingSelector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now


def hold_while(is_held: Callable[[], bool]) -> None:
    """Let no time pass while it is so."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop), "run this with support.virtual_time.run"
    loop.is_held = is_held


def run(scenario: Coroutine[Any, Any, T]) -> T:
    """Run a scenario to its end; what it returns."""
    loop = VirtualLoop()
    begun = time.time()

    def wall() -> float:
        return begun + loop.now - _START

    with (
        mock.patch("time.monotonic", loop.time),
        mock.patch("time.time", wall),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        return runner.run(scenario)
