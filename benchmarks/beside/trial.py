"""What became of every record of a file that one shipper sent on one day?"""

import os
import re
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.beside.days import Day
from benchmarks.beside.records import ids_in
from benchmarks.beside.shippers import Place, Shipper
from benchmarks.children import BenchmarkError, Child, Finished
from benchmarks.events import MEGABYTE, EventFile
from benchmarks.pipeline import RunningSink

_POLL = 0.05  # seconds
_TAKES_IN = 0.5  # seconds: how long the last answer is given to be taken in
_STARTS_WITHIN = 30.0  # seconds until the first request


class RunningInlet(RunningSink):
    """An inlet of such a day in a child of its own; a context manager."""

    module = "benchmarks.beside.inlet"

    def counted(self) -> dict[str, Any]:
        """What it counted so far, see benchmarks.beside.inlet."""
        return self.ask("GET", "/counted")

    def ids(self) -> tuple[set[str], set[str]]:
        """The ids of the records that it accepted, and of those that it refused."""
        told = self.ask("GET", "/ids")
        return set(told["accepted"]), set(told["refused"])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the records, in records, and what it cost."""

    shipper: str
    day: str
    gzip: bool
    records: int
    accepted: int
    doubled: int  # accepted more than once
    dead: int  # kept, and told of, because the inlet refused them
    dead_in_vain: int  # kept as if they had been refused, and were not
    waiting: int  # neither, and still tried when the time was up
    lost: int  # neither, and nobody tries or tells
    requests: int
    sent_away: int  # requests that were answered 503 or 429
    megabytes: float  # of input
    cpu_seconds: float
    wall_seconds: float
    peak_rss: int  # bytes

    @property
    def per_cpu_second(self) -> float:
        """Megabytes of input per second of CPU, starting and stopping included."""
        return self.megabytes / self.cpu_seconds


def go_through(
    shipper: Shipper, day: Day, file: EventFile, *, patience: float, gzip: bool = True
) -> Outcome:
    """Have the shipper send the file on that day.

    It is over when every record has been accepted or refused, or nothing more was for `patience`
    seconds. Raises BenchmarkError if the shipper ends before, or sends other than it was told to.
    """
    gzip = gzip and shipper.compresses
    with (
        RunningInlet(*day.inlet) as inlet,
        TemporaryDirectory(prefix="beside-") as folder,
    ):
        where = Path(folder)
        place = Place(where, file.path, inlet.inlet_url, inlet.listening, inlet.flow_id, gzip)
        command = shipper.configure(place)
        if day.killed:
            with Child(command) as child:
                _wait(inlet, file.records // 2, patience, child)
                os.kill(child.pid, signal.SIGKILL)
                child.wait(10)
        begun = time.monotonic()
        with Child(command) as child:
            trying, peak_rss = _wait(inlet, file.records, patience, child)
            wall = time.monotonic() - begun
            finished = _stopped(child)
        counted = inlet.counted()
        accepted, _ = inlet.ids()
        dead = shipper.dead(place)
    if counted["gzipped"] != (counted["requests"] - counted["sent_away"] if gzip else 0):
        raise BenchmarkError(f"{shipper.name} did not compress as it was told to")
    missing = set(ids_in(file.path.read_bytes())) - accepted
    nowhere = len(missing - dead)
    return Outcome(
        shipper=shipper.name,
        day=day.name,
        gzip=gzip,
        records=file.records,
        accepted=len(accepted),
        doubled=counted["doubled"],
        dead=len(dead),
        dead_in_vain=sum(1 for each in dead if not day.refuses(each)),
        waiting=nowhere if trying else 0,
        lost=0 if trying else nowhere,
        requests=counted["requests"],
        sent_away=counted["sent_away"],
        megabytes=file.size / MEGABYTE,
        cpu_seconds=finished.cpu_seconds,
        wall_seconds=wall,
        peak_rss=peak_rss,
    )


def _wait(inlet: RunningInlet, records: int, patience: float, child: Child) -> tuple[bool, int]:
    """Wait for verdicts on so many records.

    Returns whether what has none is still tried at the end, and the child's peak memory in bytes.
    """
    seen, peak_rss, since = 0, 0, time.monotonic() + _STARTS_WITHIN - patience
    while True:
        peak_rss = max(peak_rss, _peak_rss(child))
        counted = inlet.counted()
        judged = counted["accepted"] + counted["refused"]
        if judged >= records:
            return False, peak_rss
        if judged > seen:
            seen, since = judged, time.monotonic()
        if time.monotonic() - since > patience:
            return bool(counted["silent_for"] < patience / 2), peak_rss
        if not child.running():
            child.expect(0)
            return False, peak_rss
        time.sleep(_POLL)


def _peak_rss(child: Child) -> int:
    """What the kernel counts for the program alone; 0 once it has ended.

    What a child is said to have used in the end is never less than the peak of who started it.
    """
    try:
        told = Path(f"/proc/{child.pid}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", told)
    return int(found[1]) * 1024 if found else 0


def _stopped(child: Child) -> Finished:
    """Have it stop, once it took in the last answer, if it has not ended by itself."""
    time.sleep(0 if not child.running() else _TAKES_IN)
    child.stop()
    return child.wait(0)
