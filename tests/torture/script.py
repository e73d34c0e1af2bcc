"""What will be done to the agent? Everything a seed decides, before anything is done.

The same seed gives the same script; only the timing of processes differs from run to run.
"""

import itertools
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torture.faults import network, weather
from torture.points import POINTS

KILLS_PER_ROUND = 10
_POINTS_PER_ROUND = 3
SMALL_DISK_BYTES = 8 << 20

# What is wrong with the machine during a round.
NOTHING, SMALL_DISK, BAD_DISK, CLOCK = "nothing", "small disk", "bad disk", "clock"
_ILLS = (NOTHING, SMALL_DISK, NOTHING, BAD_DISK, NOTHING, CLOCK)
_REFUSALS = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY)
_STATEMENTS = ("COMMIT", "BEGIN", "INSERT", "PRAGMA wal_checkpoint")


@dataclass(frozen=True, slots=True)
class Ending:
    """How one life of the agent ends."""

    kind: str  # kill | point | stop | stop twice | stop, then kill | freeze, then kill
    seconds: float  # from its start, or until it is killed although it met no point
    points: tuple[tuple[str, int, str], ...] = ()  # name, nth call, before/during/after


@dataclass(frozen=True, slots=True)
class Life:
    """One process of the agent: its input, the faults it meets, and its end."""

    file_lines: int
    file_kind: str  # new | grown | gzip
    stream_lines: tuple[int, int, int, int]  # for the pipe, TCP, a Unix socket, HTTP
    rules: tuple[dict[str, Any], ...]
    fates: dict[str, float]
    ending: Ending
    restart_emulator: str | None  # the signal that ends it while the agent runs
    full: tuple[float, float] | None = None  # seconds between which its disk has no room
    refusals: tuple[tuple[str, int, int, int], ...] = ()  # statement, from which, how many, code
    skips: tuple[tuple[str, int, int], ...] = ()  # calls that do nothing: a bug, to be found
    steps: tuple[tuple[float, float], ...] = ()  # seconds after which the clock is off, and by what


@dataclass(frozen=True, slots=True)
class Settings:
    """The configuration of the agent and the inlet for one round."""

    max_in_flight: int
    max_records: int
    max_bytes: int
    buffer_bytes: int
    memory_bytes: int
    write_after_ms: int
    latency_ms: int
    dialect: str
    gzip: bool


@dataclass(frozen=True, slots=True)
class Round:
    """Some lives on one store, and what they have in common."""

    number: int
    seed: int
    ill: str
    settings: Settings
    lives: tuple[Life, ...]


def rounds(seed: int) -> Iterator[Round]:
    """As many rounds as anybody wants."""
    return (round_of(seed, number) for number in itertools.count(1))


def round_of(seed: int, number: int, kills: int = KILLS_PER_ROUND) -> Round:
    """One round, which does not depend on those before it, with about so many kills."""
    dice = random.Random(f"round {seed} {number}")
    ill = _ILLS[(seed + number) % len(_ILLS)]
    settings = Settings(
        max_in_flight=dice.choice((1, 2, 4, 8)),
        max_records=dice.choice((20, 50, 100)),
        max_bytes=dice.choice((60_000, 200_000)),
        buffer_bytes=dice.choice(
            (1 << 20, 3 << 20, 64 << 20) if ill == SMALL_DISK else (1 << 20, 64 << 20)
        ),
        memory_bytes=dice.choice((512 << 10, 2 << 20, 32 << 20)),
        write_after_ms=dice.choice((0, 50, 500)),
        latency_ms=dice.choice((2, 10, 30)),
        dialect=dice.choice(("documented", "observed")),
        gzip=dice.random() < 0.8,
    )
    points = _points(seed, number)
    lives: list[Life] = []
    while sum("kill" in life.ending.kind or life.ending.points != () for life in lives) < kills:
        lives.append(_life(dice, ill, points))
    return Round(number, seed, ill, settings, tuple(lives))


def _points(seed: int, number: int) -> Iterator[str]:
    """Crash points in an order of the seed's own, so that each has its turn every few rounds."""
    names = sorted(POINTS)
    random.Random(f"points {seed}").shuffle(names)
    return itertools.islice(itertools.cycle(names), number * _POINTS_PER_ROUND, None)


def _life(dice: random.Random, ill: str, points: Iterator[str]) -> Life:
    return Life(
        file_lines=dice.choice((0, 200, 500, 1000)),
        file_kind=dice.choices(("new", "grown", "gzip"), (4, 2, 1))[0],
        stream_lines=(
            dice.choice((0, 100, 300, 600)),
            dice.choice((0, 0, 100, 300)),
            dice.choice((0, 0, 100, 300)),
            dice.choice((0, 0, 100, 300)),
        ),
        rules=weather(dice),
        fates=network(dice),
        ending=_ending(dice, points),
        restart_emulator=dice.choices((None, "SIGTERM", "SIGKILL"), (8, 1, 1))[0],
        full=(dice.uniform(0, 0.8), dice.uniform(0.8, 2)) if ill == SMALL_DISK else None,
        refusals=tuple(_refusals(dice)) if ill == BAD_DISK else (),
        steps=tuple(_steps(dice)) if ill == CLOCK else (),
    )


def _ending(dice: random.Random, points: Iterator[str]) -> Ending:
    kind = dice.choices(
        ("point", "kill", "stop", "stop twice", "stop, then kill", "freeze, then kill"),
        (45, 30, 8, 3, 9, 5),
    )[0]
    if kind == "point":
        name = next(points)
        point = POINTS[name]
        nth = dice.randint(1, dice.randint(1, point.calls))
        plan = (name, nth, dice.choice(point.whens))
        return Ending(kind, dice.uniform(0.7, 1.2) if point.stops else 2.5, (plan,))
    return Ending(kind, dice.uniform(0.6, 1.8) if dice.random() < 0.85 else dice.uniform(0.0, 0.6))


def _refusals(dice: random.Random) -> Iterator[tuple[str, int, int, int]]:
    """Some statements in a row fail; the agent tries again every second."""
    for _ in range(dice.randint(0, 2)):
        statement = dice.choice(_STATEMENTS)
        yield statement, dice.randint(1, 15), dice.randint(1, 2), dice.choice(_REFUSALS)


def _steps(dice: random.Random) -> Iterator[tuple[float, float]]:
    for _ in range(dice.randint(1, 3)):
        yield dice.uniform(0.0, 1.2), dice.choice((-1, 1)) * dice.choice((3.0, 3600.0, 86400.0))
