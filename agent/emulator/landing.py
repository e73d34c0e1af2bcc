"""What comes of the next accepted records: which batches, failures and changes of profiles?

A step judges some arrivals, flow by flow, and writes what comes of them behind what counts already.
It counts itself only once its line is in the ledger.
"""

import secrets
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from agent.emulator import judging
from agent.emulator.arrivals import Arrival, Arrivals
from agent.emulator.datasets import Datasets
from agent.emulator.failed_batches import FailedBatches
from agent.emulator.judges import Judges
from agent.emulator.judging import Arrived, Fate
from agent.emulator.ledger import Batch, Lost, Reason, Step
from agent.emulator.platform import Platform
from agent.emulator.profiles import Change, Profiles
from agent.emulator.routing import Route, route
from agent.emulator.traps import Traps

NO_DATASET = "the flow or its dataset is gone"
_MOST_REASONS = 20  # of one batch


@dataclass(slots=True)
class Judged:
    """All that one step found out. `records` are those of each flow that wait no longer."""

    changes: list[Change] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    records: Counter[str] = field(default_factory=Counter)
    too_long: Counter[str] = field(default_factory=Counter)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, list[bytes]] = field(default_factory=dict)  # of each dataset
    rows_end: dict[str, int] = field(default_factory=dict)
    failures: list[bytes] = field(default_factory=list)
    failures_end: int = 0


class Landing:
    """Judges and writes. What it is told of traps and platform may change between two steps."""

    def __init__(
        self,
        arrivals: Arrivals,
        platform: Platform,
        judges: Judges,
        datasets: Datasets,
        failed_batches: FailedBatches,
        profiles: Profiles,
    ) -> None:
        self._arrivals = arrivals
        self._platform = platform
        self._judges = judges
        self._datasets = datasets
        self._failed_batches = failed_batches
        self._profiles = profiles

    def take(self, arrivals: Iterable[Arrival], end: int, traps: Traps) -> tuple[Judged, Step]:
        """Judge arrivals that end at `end` of their log, and write. Raises OSError."""
        judged = Judged(failures_end=self._failed_batches.end)
        by_flow: dict[str, list[Arrival]] = defaultdict(list)
        for arrival in arrivals:
            by_flow[arrival.flow_id].append(arrival)
            judged.records[arrival.flow_id] += len(arrival.xaction_ids)
        for flow_id, its_arrivals in by_flow.items():
            self._take_flow(flow_id, its_arrivals, judged, traps)
        for dataset_id, rows in judged.rows.items():
            self._datasets.write(dataset_id, b"".join(rows))
        self._failed_batches.write(b"".join(judged.failures))
        self._profiles.write(judged.changes)
        step = Step(end, judged.failures_end, self._profiles.end, judged.batches, judged.lost)
        return judged, step

    def _take_flow(
        self, flow_id: str, arrivals: list[Arrival], judged: Judged, traps: Traps
    ) -> None:
        found = route(self._platform, flow_id)
        nowhere = "" if found is not None and found.dataset_id is not None else NO_DATASET
        why: Counter[str] = Counter()
        arrived: list[Arrived] = []
        for each in arrivals:
            if reason := each.lost or nowhere:
                why[reason] += len(each.xaction_ids)
            else:
                arrived += self._records(each)
        judged.lost += [Lost(flow_id, reason, records) for reason, records in why.items()]
        if found is not None and arrived:
            self._judge(found, arrived, judged, traps)

    def _judge(self, found: Route, arrived: list[Arrived], judged: Judged, traps: Traps) -> None:
        judge = self._judges.of(found, traps.schema_cache)
        landed_id, failed_id = new_batch_id(), new_batch_id()
        good: list[tuple[Arrived, Fate]] = []
        bad: list[tuple[Arrived, Fate]] = []
        for each in arrived:
            fate = judging.fate(found, judge, each, landed_id, failed_id, traps)
            (good if fate.failed is None else bad).append((each, fate))
            if fate.warnings:
                judged.warnings.setdefault(found.flow_id, []).extend(fate.warnings)
        judged.changes += [fate.change for _, fate in good if fate.change is not None]
        judged.too_long[found.flow_id] += sum(fate.too_long for _, fate in good)
        if good:
            self._land(found, landed_id, good, judged)
        if bad:
            self._fail(found, failed_id, bad, judged)

    def _land(
        self, found: Route, batch_id: str, good: list[tuple[Arrived, Fate]], judged: Judged
    ) -> None:
        dataset_id = found.dataset_id or ""
        rows = [fate.row for _, fate in good if fate.row is not None]
        offset = judged.rows_end.setdefault(dataset_id, self._datasets.end(dataset_id))
        length = sum(map(len, rows))
        judged.rows.setdefault(dataset_id, []).extend(rows)
        judged.rows_end[dataset_id] += length
        judged.batches.append(_batch(found, batch_id, offset, length, good, len(rows)))

    def _fail(
        self, found: Route, batch_id: str, bad: list[tuple[Arrived, Fate]], judged: Judged
    ) -> None:
        lines = [fate.failed for _, fate in bad if fate.failed is not None]
        length = sum(map(len, lines))
        reasons = _reasons(fate for _, fate in bad)
        batch = _batch(found, batch_id, judged.failures_end, length, bad, len(lines), reasons)
        judged.failures += lines
        judged.failures_end += length
        judged.batches.append(batch)

    def _records(self, arrival: Arrival) -> list[Arrived]:
        lines = self._arrivals.lines(arrival)
        if len(lines) != len(arrival.xaction_ids):
            return []  # they were forgotten meanwhile
        return [
            Arrived(line, id_, arrival.received_ms)
            for line, id_ in zip(lines, arrival.xaction_ids, strict=True)
        ]


def new_batch_id() -> str:
    """An id in the form that Catalog's batches have."""
    return secrets.token_hex(13).upper()


def _batch(
    found: Route,
    batch_id: str,
    offset: int,
    length: int,
    records: list[tuple[Arrived, Fate]],
    lines: int,
    reasons: list[Reason] | None = None,
) -> Batch:
    return Batch(
        id=batch_id,
        dataset_id=found.dataset_id or "",
        flow_id=found.flow_id,
        inlet_id=found.inlet_id,
        sandbox=found.sandbox,
        started_ms=min(each.received_ms for each, _ in records),
        completed_ms=judging.now_ms(),
        offset=offset,
        length=length,
        lines=lines,
        records=len(records),
        input_bytes=sum(len(each.record) for each, _ in records),
        failed=reasons is not None,
        reasons=reasons or [],
    )


def _reasons(fates: Iterable[Fate]) -> list[Reason]:
    """The reasons of a batch, the most frequent first."""
    found = Counter((fate.code, fate.message) for fate in fates)
    return [Reason(*why, records) for why, records in found.most_common(_MOST_REASONS)]
