"""What becomes of a batch once the inlet has read the request?

Its records are settled, or it is split to find out which of them is to blame. When most records are
refused none of them is believed to be: they are kept, and sending is tried now and then.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.core.breaker import Breaker
from agent.core.fingerprints import BadShapes
from agent.core.responses import Reading
from agent.core.statuses import Advice
from agent.delivery.batcher import Batcher
from agent.delivery.encoder import Encoder
from agent.delivery.gate import Gate
from agent.delivery.settling import Settler
from agent.record import Batch
from agent.store.memory import Spool
from agent.telemetry.instruments import Example
from agent.telemetry.logs import get_logger
from agent.telemetry.meters import Meters

_STUCK_AFTER = 8  # requests in a row that were refused for their most part: a minute or so
_TOO_LARGE = 413

log = get_logger("delivery")


@dataclass(frozen=True, slots=True)
class Places:
    """Where batches and their parts go."""

    spool: Spool
    settler: Settler
    batcher: Batcher
    encoder: Encoder


class Verdicts:
    """Carries out what usable answers call for. Nothing here waits."""

    def __init__(
        self, places: Places, gate: Gate, breaker: Breaker, retry_ceiling: float, meters: Meters
    ) -> None:
        """What a mostly refused batch is left of waits *retry_ceiling* seconds."""
        self.stuck = asyncio.Event()  # most records are refused, and have been for a while
        self._places = places
        self._gate = gate
        self.breaker = breaker
        self.retry_ceiling = retry_ceiling
        self._meters = meters
        self._bad_shapes = BadShapes()

    def take(self, batch: Batch, reading: Reading, sent: float, wait: float) -> None:
        """Carry out an answer; what it gives no verdict on is tried again after *wait* seconds."""
        if reading.advice is Advice.SETTLE:
            self._settle(batch, reading, sent, wait)
        elif reading.advice is Advice.TOO_LARGE:
            self._turn(sent)
            self._too_large(batch)
        elif self.breaker.is_open:
            self._keep_back(batch, replace(reading, again=range(batch.count)), sent)
        else:
            self._turn(sent)
            self._suspect(batch)

    def _settle(self, batch: Batch, reading: Reading, sent: float, wait: float) -> None:
        places, accepted, refused = self._places, len(reading.accepted), len(reading.rejected)
        places.batcher.took(batch.plain_bytes)
        self._note_receipt(batch, reading)
        was_open = self.breaker.is_open
        believed = self.breaker.believes(batch.number, accepted, refused, sent, time.monotonic())
        if not believed:
            self._tell_refusal(refused, accepted, was_open=was_open)
            refused_ones = (rejection.index for rejection in reading.rejected)
            kept = replace(reading, rejected=(), again=sorted((*reading.again, *refused_ones)))
            self._keep_back(batch, kept, sent)
            return
        self._turn(sent)
        if batch.count == 1 and refused and reading.rejected[0].status != _TOO_LARGE:
            self._bad_shapes.remember(places.encoder.records(batch)[0])
        if reading.again:
            self._meters.retries.add(1, "no_verdict")
            log.warning(
                "the answer gave no certain verdict on some records, trying those again",
                records=len(reading.again),
                attempts=batch.attempts,
            )
        parts = places.settler.settle(batch, reading, wait)
        self.breaker.replaced(batch.number, [part.number for part in parts])

    def _keep_back(self, batch: Batch, reading: Reading, sent: float) -> None:
        """Blame no record; another batch is asked about first, this one may be bad by itself."""
        self._meters.retries.add(1, "schema_changed")
        if reading.accepted:
            parts = self._places.settler.settle(batch, reading, self.retry_ceiling)
            self.breaker.keep(part.number for part in parts)
        else:
            self._places.spool.release(batch, last=True)
            self.breaker.keep([batch.number])
        self._turn(sent)

    def _turn(self, sent: float) -> None:
        """Tell the gate what the answer showed, once the breaker knows."""
        now = time.monotonic()
        if not self.breaker.is_open:
            self._gate.succeeded(sent, now)
            self.stuck.clear()
            return
        self._gate.refused(sent, now)
        if self._gate.destination.failures >= _STUCK_AFTER:
            self.stuck.set()

    def _too_large(self, batch: Batch) -> None:
        self._meters.retries.add(1, Advice.TOO_LARGE)
        self._places.batcher.refused(batch.plain_bytes)
        log.warning(
            "the inlet finds the request too large, making smaller ones", bytes=batch.plain_bytes
        )
        self._split(batch, ())

    def _suspect(self, batch: Batch) -> None:
        """Something in the request is refused: what looks like known bad records goes apart."""
        self._meters.retries.add(1, Advice.SUSPECT)
        alike = self._bad_shapes.among(self._places.encoder.records(batch))
        log.warning(
            "the inlet refuses a whole request, looking for the record that is to blame",
            records=batch.count,
            suspects=len(alike),
            next_step="if no record is accepted, check inlet.url and inlet.flow_id",
        )
        self._split(batch, alike)

    def _split(self, batch: Batch, apart: Sequence[int]) -> None:
        parts = self._places.settler.split(batch, apart)
        self.breaker.replaced(batch.number, [part.number for part in parts])

    def _tell_refusal(self, refused: int, accepted: int, *, was_open: bool) -> None:
        if was_open:
            log.warning(
                "most records are still refused, asking now and then",
                refused=refused,
                accepted=accepted,
            )
            return
        log.error(
            "most records are refused, holding them instead of dead-lettering them",
            refused=refused,
            accepted=accepted,
            next_step="compare them with the flow's mapping and schema, and check inlet.flow_id;"
            " sending goes on by itself once most are accepted; delivery.poison.share: 1"
            " dead-letters them all",
        )

    def _note_receipt(self, batch: Batch, reading: Reading) -> None:
        meters = self._meters
        meters.xaction_ids_received.add(len(reading.ids))
        if reading.received_time_ms is not None and reading.accepted:
            lag = max(0.0, reading.received_time_ms / 1000 - batch.read_at)
            meters.receive_lag_seconds.observe_many(lag, len(reading.accepted))
            for xaction_id in reading.ids.part(0, 1):
                meters.receive_lag_seconds.exemplify(Example(lag, xaction_id, time.time()))
