"""What does /status say? Its keys are documented in docs/watching.md, for people and for programs.

Where flows have names, `flows` says of each what the top level says of all of them together.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from agent import __version__
from agent.admin.advice import OF_ALL, Standing, waits, words_of
from agent.admin.health import Verdict
from agent.admin.history import History, until_full
from agent.app.lately import last_dead_letters, last_receipts
from agent.app.parts import Parts
from agent.app.pipeline import Pipeline
from agent.app.sampling import Sampling
from agent.app.summary import Snapshot
from agent.core.destination import READY, STATES

_LEDGER = ("read", "accepted", "dead_lettered", "filtered", "dropped")
_PACED_SHARE = 0.05  # of the last seconds spent waiting for the pace: less is not worth a word

Json = dict[str, Any]


class Status:
    """Looks at the parts of one run, from outside, whenever somebody asks."""

    def __init__(
        self,
        parts: Parts,
        sampling: Sampling,
        snapshot: Callable[[], Snapshot],
        ready: Callable[[], Verdict],
    ) -> None:
        self._parts = parts
        self._sampling = sampling
        self._snapshot = snapshot
        self._ready = ready

    def as_json(self, stage: str, history_seconds: float = 0.0, flow: str = "") -> Json:
        """Everything; with it the last *history_seconds*, second by second, where there are any.

        They are of all flows together, and of the *flow* of that name: of each it would be much.
        """
        ready, why = self._ready()
        snapshot, balance = self._snapshot(), self._parts.store.balance
        told = self._flows(snapshot, history_seconds, flow) if snapshot.flows else None
        return {
            "version": __version__,
            "at": round(time.time(), 3),
            "stage": stage,
            "ready": ready,
            "why": why,
            **snapshot.as_json(),
            **self._of(list(self._parts.each), self._sampling.whole, history_seconds),
            "ledger": {
                **{entry: balance.of(entry) for entry in _LEDGER},
                "held": balance.held,
                "residue": balance.residue,
            },
            "store": {
                "trouble": self._parts.store.trouble,
                **self._sampling.disk(),
            },
            **({"flows": told} if told else {}),
        }

    def _flows(self, snapshot: Snapshot, history_seconds: float, flow: str) -> Json:
        counts = snapshot.flows_as_json()
        return {
            name: {
                **counts[name],
                **self._of(
                    [each],
                    self._sampling.flows.get(name),
                    history_seconds if name == flow else 0.0,
                ),
            }
            for name, each in self._parts.pipelines.items()
        }

    def _of(self, flows: Sequence[Pipeline], history: History | None, seconds: float) -> Json:
        """What is said of a flow, or of all of them together."""
        history = history or History(())
        buffer, rates = _buffer(flows, history), self._sampling.source_rates()
        away = [each.destination.since for each in flows if each.destination.state != READY]
        since = round(time.monotonic() - min(away), 1) if away else None
        return {
            "destination_since_seconds": since,
            "inlet": _inlet(flows, since),
            "waits": self._waits(flows),
            "rates": history.rates(),
            "receive_lag_seconds": history.receive_lag(),
            "buffer": buffer,
            "requests_in_flight": sum(each.senders.in_flight for each in flows),
            "requests_by_status": _requests(flows),
            "sources": {
                source.name: {
                    "read": source.progress().read,
                    "total": source.progress().total,
                    **({"flow": each.name} if each.name else {}),
                    **_counted(each, source.name),
                    "rates": rates.of(each.name, source.name),
                    **source.details(),
                }
                for each in flows
                for source in each.sources
            },
            "last_dead_letters": last_dead_letters(flows),
            "last_receipts": last_receipts(flows),
            **({"history": history.columns(seconds)} if seconds else {}),
        }

    def _waits(self, flows: Sequence[Pipeline]) -> list[Json]:
        """What keeps records of these waiting; what they have in common is told once, and first."""
        told: dict[tuple[str, str], Json] = {}
        for each in sorted(flows, key=_urgency):
            for wait in waits(self._standing(each)):
                flow = "" if wait.cause in OF_ALL else each.name
                named = {"flow": flow} if flow else {}
                told.setdefault((wait.cause, flow), {**named, **wait.as_json()})
        return sorted(told.values(), key=lambda wait: wait["cause"] not in OF_ALL)

    def _standing(self, flow: Pipeline) -> Standing:
        history = self._sampling.flows.get(flow.name) or History(())
        in_state = flow.destination.state != READY
        full_since = flow.budget.exhausted_since
        now = time.monotonic()
        return Standing(
            state=flow.destination.state,
            state_seconds=round(now - flow.destination.since, 1) if in_state else None,
            buffer_full_seconds=None if full_since is None else round(now - full_since, 1),
            full_in_seconds=_buffer([flow], history)["full_in_seconds"],
            paced=history.rates()["10s"]["paced_seconds"] > _PACED_SHARE,
            store_trouble=self._parts.store.trouble,
            residue=self._parts.store.balance.residue,
        )


def _urgency(flow: Pipeline) -> int:
    """The less, the sooner a person has to see to it."""
    return STATES.index(flow.destination.state)


def _worst(flows: Sequence[Pipeline]) -> Pipeline:
    return min(flows, key=_urgency)


def _inlet(flows: Sequence[Pipeline], since: float | None) -> Json:
    """The inlet; of several flows the one that needs a person's eye first."""
    worst = _worst(flows)
    says, next_step = words_of(worst.destination.state)
    again = worst.destination.closed_until - time.monotonic()
    life_left = worst.meters.token_expires_seconds.value()
    return {
        **({"flow": worst.name} if worst.name else {}),
        "state": worst.destination.state,
        "since_seconds": since,
        "says": says,
        "next_step": next_step,
        "asked_again_in_seconds": round(again, 1) if again > 0 else None,
        "failures_in_a_row": worst.destination.failures,
        "in_flight": sum(int(each.meters.requests_in_flight.value()) for each in flows),
        "in_flight_limit": sum(int(each.meters.requests_limit.value()) for each in flows),
        "compressed": bool(worst.meters.compression_enabled.value()),
        "access_expires_in_seconds": round(life_left) if life_left else None,
    }


def _buffer(flows: Sequence[Pipeline], history: History) -> Json:
    spools = [each.spool.statistics() for each in flows]
    held, held_limit = sum(f.budget.held for f in flows), sum(f.budget.limit for f in flows)
    limits = [spool.limit for spool in spools if spool.limit is not None]
    spooled, spool_limit = sum(spool.bytes for spool in spools), sum(limits) or None
    full_in = (
        until_full(spooled, spool_limit, history.growth("spooled_bytes"))
        if spool_limit
        else until_full(held, held_limit, history.growth("held_bytes"))
    )
    return {
        "held_bytes": held,
        "limit_bytes": held_limit,
        "batches": sum(spool.batches for spool in spools),
        "oldest_seconds": round(max(each.oldest_held() for each in flows), 1),
        "spooled_bytes": spooled,
        "spool_limit_bytes": spool_limit,
        "full_in_seconds": full_in,
    }


def _requests(flows: Sequence[Pipeline]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for each in flows:
        for (status,), count in each.meters.requests.series():
            found[status] += int(count)
    return dict(sorted(found.items()))


def _counted(flow: Pipeline, source: str) -> Json:
    meters = flow.meters
    refused = (n for (name, _), n in meters.connections_refused.series() if name == source)
    return {
        "records": int(meters.records_read.value(source)),
        "waited_seconds": round(meters.source_pressure_seconds.value(source), 1),
        "refused_connections": int(sum(refused)),
    }
