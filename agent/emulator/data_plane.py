"""When do accepted records land, and how is none of them forgotten or judged twice?

What the inlets accepted is a log (`arrivals`); the data plane is a thread that reads it from where
it had got to, in steps (`landing`). What a step wrote counts once the ledger has its line. So
answers never wait for judging, a backlog costs no memory, and after a kill -9 the next emulator
goes on where the last one stopped.
"""

import contextlib
import shutil
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import msgspec

from agent.emulator.arrivals import Arrival, Arrivals
from agent.emulator.datasets import Datasets
from agent.emulator.failed_batches import FailedBatches
from agent.emulator.flow_counts import FlowCounts
from agent.emulator.judges import Judges
from agent.emulator.landing import Judged, Landing
from agent.emulator.ledger import Batch, Ledger, Step
from agent.emulator.platform import Platform
from agent.emulator.profiles import Profiles
from agent.emulator.traps import Traps
from agent.errors import AgentError

_STEP_RECORDS = 2_000
_PAUSE = 0.5  # seconds for which single records are gathered, so that they make no batch each
_AGAIN = 1.0  # seconds until files that could not be written are tried again


class DataPlane:
    """Judges accepted records in the background. Raises AgentError where its files cannot be used.

    Whoever reads what it knows does so under `lock`.
    """

    def __init__(
        self,
        arrivals: Arrivals,
        platform: Platform,
        judges: Judges,
        traps: Callable[[], Traps],
        directory: Path | None = None,
    ) -> None:
        self.lock = threading.Lock()
        self._arrivals = arrivals
        self._platform = platform
        self._traps = traps
        self._counts: dict[str, FlowCounts] = defaultdict(FlowCounts)
        self._end = 0  # of the arrivals that are judged
        self._forgotten = 0
        self._hurried = 0
        self._stopped = False
        self._trouble = ""
        self._temporary = None
        if directory is None:
            self._temporary = directory = Path(tempfile.mkdtemp(prefix="aep-emulator-"))
        try:
            directory.mkdir(parents=True, exist_ok=True)
            self._ledger = Ledger(directory)
            self.datasets = Datasets(directory)
            self.failed_batches = FailedBatches(directory)
            self.profiles = Profiles(directory)
            self._reread()
        except OSError as error:
            raise AgentError(f"cannot keep datasets in {directory}: {error.strerror}") from None
        self._landing = Landing(
            arrivals, platform, judges, self.datasets, self.failed_batches, self.profiles
        )
        self._wake = threading.Condition(self.lock)
        self._thread = threading.Thread(target=self._run, name="data plane", daemon=True)
        self._thread.start()

    def arrived(self, flow_id: str, records: int) -> None:
        """Hear of records of a provisioned flow that were accepted just now."""
        with self._wake:
            self._counts[flow_id].waiting += records
            self._wake.notify_all()

    def passed(self, start: int) -> None:
        """Hear of an arrival at `start` that is none of ours."""
        with self.lock:
            if self._end == start:
                self._end = self._arrivals.end

    def forget(self) -> None:
        """Let the log begin anew; what was waiting in it is not judged any more."""
        with self.lock:
            self._forgotten += 1
            self._arrivals.forget()
            self._end = 0
            for counts in self._counts.values():
                counts.waiting = 0

    def settle(self, seconds: float) -> bool:
        """Wait, at most so long, until everything accepted by now is judged, and say whether it is.

        Meanwhile no records are gathered. Raises AgentError where the data plane came to an end.
        """
        with self._wake:
            self._hurried += 1
            self._wake.notify_all()
            forgotten, end = self._forgotten, self._arrivals.end
            self._wake.wait_for(
                lambda: self._end >= end or self._stopped or forgotten != self._forgotten, seconds
            )
            self._hurried -= 1
        if self._trouble:
            raise AgentError(f"the data plane came to an end: {self._trouble}")
        return self._end >= end or forgotten != self._forgotten

    def counts(self, flow_id: str) -> FlowCounts:
        """What became of a flow's records."""
        return self._counts.get(flow_id) or FlowCounts()

    def flow_ids(self) -> list[str]:
        """The flows that had records."""
        return list(self._counts)

    def close(self) -> None:
        """End after the step that is under way, and close the files."""
        with self._wake:
            self._stopped = True
            self._wake.notify_all()
        self._thread.join()
        for each in (self._ledger, self.failed_batches, self.profiles):
            each.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def _reread(self) -> None:
        """Learn from the ledger what counts, and what still waits."""
        last = Step(0, 0, 0)
        for step in self._ledger.steps():
            last = step
            self._count(step)
            for batch in step.batches:
                if batch.id not in self._platform.batches:
                    self._catalog(batch)
        self._last = last
        self._cut()
        self.profiles.reread()
        self._end = min(last.arrivals_end, self._arrivals.end)
        for arrival, _ in self._arrivals.since(self._end):
            if arrival.inlet_id:
                self._counts[arrival.flow_id].waiting += len(arrival.xaction_ids)

    def _cut(self) -> None:
        """Forget what a step wrote that does not count. Raises OSError."""
        self.datasets.cut()
        self.failed_batches.cut(self._last.failures_end)
        self.profiles.cut(self._last.profiles_end)

    def _run(self) -> None:
        try:
            while self._wait():
                try:
                    self._take_step()
                except OSError:  # a full disk, say: nothing counts, and what was read still waits
                    with contextlib.suppress(OSError):
                        self._cut()
                    with self._wake:
                        self._wake.wait_for(lambda: self._stopped, _AGAIN)
        except Exception as error:  # noqa: BLE001  who waits for the data plane must hear of it
            with self._wake:
                self._trouble = f"{type(error).__name__}: {error}"
                self._stopped = True
                self._wake.notify_all()

    def _wait(self) -> bool:
        """Wait for records, and then a moment for more of them; False: it is time to end."""
        with self._wake:
            while not self._stopped and self._end >= self._arrivals.end:
                self._wake.wait()
            until = time.monotonic() + _PAUSE
            while not self._stopped and not self._hurried and self._waiting() < _STEP_RECORDS:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._wake.wait(left)
            return not self._stopped

    def _waiting(self) -> int:
        return sum(counts.waiting for counts in self._counts.values())

    def _take_step(self) -> None:
        with self.lock:
            end, forgotten = self._end, self._forgotten
        arrivals: list[Arrival] = []
        records = 0
        with contextlib.suppress(msgspec.DecodeError):  # the log began anew while it was read
            for arrival, behind in self._arrivals.since(end):
                end = behind
                if arrival.inlet_id:
                    arrivals.append(arrival)
                    records += len(arrival.xaction_ids)
                if records >= _STEP_RECORDS:
                    break
        made = self._landing.take(arrivals, end, self._traps()) if arrivals else None
        with self.lock:
            if forgotten != self._forgotten:
                self._cut()  # there is no such place in the log any more
                return
            if made is not None:
                self._keep(*made)
            self._end = end
            self._wake.notify_all()

    def _keep(self, judged: Judged, step: Step) -> None:
        """Make a step count. Raises OSError, and then it does not."""
        self._ledger.append(step)
        self._last = step
        self._count(step)
        for batch in step.batches:
            self._catalog(batch)
        for change in judged.changes:
            self.profiles.make(change)
        for flow_id, records in judged.records.items():
            counts = self._counts[flow_id]
            counts.waiting -= records
            counts.too_long_for_profile += judged.too_long[flow_id]
            warnings = judged.warnings.get(flow_id, [])
            counts.warnings += len(warnings)
            counts.last_warnings.extend(warnings)

    def _count(self, step: Step) -> None:
        for batch in step.batches:
            counts = self._counts[batch.flow_id]
            if batch.failed:
                counts.failed += batch.records
                self.failed_batches.add(batch)
            else:
                counts.landed += batch.records
                self.datasets.add(batch)
        for lost in step.lost:
            self._counts[lost.flow_id].lost[lost.why] += lost.records

    def _catalog(self, batch: Batch) -> None:
        """Have Catalog list a batch; where that cannot be written, the next start does it."""
        with contextlib.suppress(OSError):
            self._platform.batches.add(batch.as_catalog(), id=batch.id, sandbox=batch.sandbox)
