"""What if the agent died right here? Runs it with a SIGKILL to itself at a chosen call.

Run as `python -m torture.crashing PLAN run CONFIG`. The product is imported, functions are wrapped
from outside as PLAN says, and then its own main begins. PLAN is JSON, each part may be left out:

    points    [[name of a point, nth call, before | during | after], ...]
    skips     [[name of a point, nth call, how many], ...]: a bug, to see whether it is found
    refusals  [[start of a statement, from which on, how many, SQLite's code], ...]
    steps     [[seconds, by how many seconds the wall clock is off from then on], ...]
"""

import functools
import importlib
import inspect
import itertools
import json
import os
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from torture.points import POINTS

_DURING = 0.002  # seconds after a call began that count as during it


class Bomb:
    """Goes off around the nth call."""

    def __init__(self, nth: int, when: str) -> None:
        self._left = nth
        self._when = when

    def before(self) -> bool:
        """A call begins; whether it is the one to die after."""
        self._left -= 1
        if self._left:
            return False
        if self._when == "before":
            die()
        if self._when == "during":
            threading.Timer(_DURING, die).start()
        return self._when == "after"


class Refusal:
    """Makes some calls in a row fail as the system would."""

    def __init__(self, first: int, count: int, code: int) -> None:
        self._calls = 0
        self._refused = range(first, first + count)
        self._code = code

    def before(self) -> bool:
        """A call begins; raises where it is to fail."""
        self._calls += 1
        if self._calls in self._refused:
            error = sqlite3.OperationalError(f"refused by the torture, code {self._code}")
            error.sqlite_errorcode = self._code
            raise error
        return False


def die() -> None:
    """As by kill -9, and no later than this."""
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(60)  # the signal is on its way


def wrapped(function: Callable[..., Any], bomb: Bomb) -> Callable[..., Any]:
    """The function, with a bomb in it."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **named: Any) -> Any:
            last = bomb.before()
            result = await function(*args, **named)
            if last:
                die()
            return result

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **named: Any) -> Any:
        last = bomb.before()
        result = function(*args, **named)
        if last:
            die()
        return result

    return called


def found(target: str) -> tuple[Any, str]:
    """Where the attribute of a point is, and its name. Raises AttributeError where it is not."""
    module, _, path = target.partition(":")
    owner: Any = importlib.import_module(module)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    getattr(owner, name)
    return owner, name


def leave_out(owner: Any, attribute: str, first: int, count: int) -> None:
    """Have some calls of a function do nothing."""
    function = getattr(owner, attribute)
    calls = itertools.count(1)
    skipped = range(first, first + count)

    @functools.wraps(function)
    def called(*args: Any, **named: Any) -> Any:
        return None if next(calls) in skipped else function(*args, **named)

    setattr(owner, attribute, called)


def lay(points: Sequence[Sequence[Any]], refusals: Sequence[Sequence[Any]]) -> None:
    """Put bombs and refusals where they belong."""
    statements: list[tuple[str, Bomb | Refusal]] = [
        (word, Refusal(first, count, code)) for word, first, count, code in refusals
    ]
    for name, nth, when in points:
        target = POINTS[name].target
        if target.startswith("sqlite:"):
            statements.append((target.removeprefix("sqlite:"), Bomb(nth, when)))
        else:
            owner, attribute = found(target)
            setattr(owner, attribute, wrapped(getattr(owner, attribute), Bomb(nth, when)))
    if statements:
        _lay_in_sqlite(statements)


def _lay_in_sqlite(statements: Sequence[tuple[str, Bomb | Refusal]]) -> None:
    """Statements that begin so, on any connection."""
    connect = sqlite3.connect

    def around(run: Callable[..., Any], statement: str, *rest: Any) -> Any:
        last = False
        for word, trap in statements:
            if statement.lstrip().startswith(word):
                last = trap.before() or last
        result = run(statement, *rest)
        if last:
            die()
        return result

    class Trapped(sqlite3.Connection):
        def execute(self, *args: Any) -> Any:
            return around(super().execute, *args)

        def executemany(self, *args: Any) -> Any:
            return around(super().executemany, *args)

    sqlite3.connect = functools.partial(connect, factory=Trapped)  # type: ignore[assignment]


def set_clock(steps: Sequence[Sequence[float]]) -> None:
    """Have the wall clock be off by so much, from so many seconds after the start on."""
    begun = time.monotonic()
    true_time, true_time_ns = time.time, time.time_ns

    def off() -> float:
        passed = time.monotonic() - begun
        return next((by for after, by in sorted(steps, reverse=True) if passed >= after), 0.0)

    time.time = lambda: true_time() + off()
    time.time_ns = lambda: true_time_ns() + int(off() * 1e9)


def main() -> int:
    """The agent, as its own main would run it."""
    plan = json.loads(sys.argv[1])
    if plan.get("steps"):
        set_clock(plan["steps"])
    lay(plan.get("points", ()), plan.get("refusals", ()))
    for name, first, count in plan.get("skips", ()):
        leave_out(*found(POINTS[name].target), first, count)
    from agent.__main__ import main as agent_main

    return agent_main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
