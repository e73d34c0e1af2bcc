"""How do records that did not land become dead letters, each once, with the platform's reason?

A failed record is ours if a receipt has its xactionId; where the platform exports none, if a line
that was accepted becomes what it exports. It is kept as it was read where that line can be read
again, else as the platform exports it, and its message says which.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from agent.aep.catalog import Catalog
from agent.delivery.dead_letters import Accepted, Unlanded, of_unlanded
from agent.reconcile.exported import Failure, failure
from agent.reconcile.originals import Originals, likeness
from agent.reconcile.platform_side import Batch
from agent.record import DeadLetter, Position
from agent.store import receipts
from agent.store.pulls import pull, pulled
from agent.store.receipts import FoundReceipt

_PORTION = 200  # records that become durable together
# Apart by their reasons, too: what is not as it was sent must not be sent as if it were.
_AS_READ = partial(Unlanded, "failed", "landing")
_EXPORTED = partial(Unlanded, "failed_exported", "export")
_AS_EXPORTED = " (kept as the platform exports it: the line that was sent cannot be read again)"


@dataclass(slots=True)
class Pulled:
    """What was pulled: dead letters by the form that was kept, and what was left."""

    original: int = 0
    exported: int = 0
    before: int = 0  # looked at by an earlier pull
    of_others: int = 0  # without a receipt here
    reasons: Counter[str] = field(default_factory=Counter)

    @property
    def new(self) -> int:
        """How many dead letters were made."""
        return self.original + self.exported


@dataclass(frozen=True, slots=True)
class Keeping:
    """How dead letters are kept: of which flow, how much of each, and of all."""

    flow: str
    record_bytes_max: int
    bytes_max: int
    is_raw: bool


class Pull:
    """Pulls the records of failed batches, with a connection that can write."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        originals: Originals,
        keeping: Keeping,
        since: float,
    ) -> None:
        """*since*: records without an xactionId are looked for among those accepted from then."""
        self.done = Pulled()
        self._connection = connection
        self._originals = originals
        self._keeping = keeping
        self._since = since
        self._met: set[tuple[str, int]] = set()  # lines that were found by what they become

    async def batch(self, catalog: Catalog, batch: Batch) -> None:
        """Pull what was not pulled before. Raises PlatformError, StoreFull.

        What was kept before an error stays, and is not pulled again.
        """
        before = pulled(self._connection, batch.id)
        self.done.before += before
        if before >= batch.failed > 0:
            return
        async for failures in _portions(catalog.failed_records(batch.id), before):
            letters = list(self._letters(failures))
            kept = pull(
                self._connection,
                batch.id,
                before,
                len(failures),
                letters,
                flow=self._keeping.flow,
                max_bytes=self._keeping.bytes_max,
            )
            if not kept:
                return  # somebody else pulls it at this moment
            before += len(failures)
            self._count(failures, letters)

    def _letters(self, failures: Sequence[Failure]) -> Iterator[DeadLetter]:
        unnamed: list[Failure] = []
        for each in failures:
            if each.xaction_id is None:
                unnamed.append(each)
            elif found := receipts.find(self._connection, each.xaction_id):
                yield self._letter(each, found[0])
        for each, receipt in self._by_content(unnamed):
            yield self._letter(each, receipt)

    def _letter(self, failed: Failure, receipt: FoundReceipt) -> DeadLetter:
        keeping = self._keeping
        start = Position(receipt.span_line, receipt.span_offset)
        original = self._originals.at(receipt.source, start, receipt.line, failed.entity)
        position = Position(receipt.line, receipt.span_offset)
        record, why = failed.line, _EXPORTED(failed.reason + _AS_EXPORTED)
        if original is not None:
            position, record = original.position, original.record
            why = _AS_READ(failed.reason)
        elif not keeping.is_raw and failed.entity is not None:
            record = failed.entity  # which is what was sent, but for spaces
            why = _AS_READ(failed.reason + _AS_EXPORTED)
        accepted = Accepted(
            receipt.source,
            position,
            receipt.attempts,
            receipt.accepted_at,
            receipt.xaction_id or failed.xaction_id,
        )
        return of_unlanded(record, why, accepted, time.time(), keeping.record_bytes_max)

    def _by_content(self, failures: Iterable[Failure]) -> Iterator[tuple[Failure, FoundReceipt]]:
        """Failures whose entity is what an accepted line becomes, each with that line's receipt."""
        wanted: dict[bytes, list[Failure]] = {}
        for each in failures:
            if each.entity is not None and (like := likeness(each.entity)):
                wanted.setdefault(like, []).append(each)
        if not wanted:
            return
        for receipt in receipts.each_receipt(self._connection, self._since, self._keeping.flow):
            for span in receipt.spans:
                for original in self._originals.lines(span):
                    like_this = self._originals.likeness(span.source, original)
                    same = wanted.get(like_this) if like_this else None
                    place = (span.source, original.position.line)
                    if same and place not in self._met:
                        self._met.add(place)
                        name = f"{span.source}:{original.position.line}"
                        found = receipts.find(self._connection, name)
                        yield same.pop(), found[-1]
                        wanted = {key: left for key, left in wanted.items() if left}
                        if not wanted:
                            return

    def _count(self, failures: Sequence[Failure], letters: Sequence[DeadLetter]) -> None:
        done = self.done
        done.of_others += len(failures) - len(letters)
        for letter in letters:
            as_read = not letter.message.endswith(_AS_EXPORTED)
            done.original += as_read
            done.exported += not as_read
            done.reasons[letter.message.removesuffix(_AS_EXPORTED)] += 1


async def _portions(lines: AsyncIterator[bytes], skip: int) -> AsyncIterator[list[Failure]]:
    portion: list[Failure] = []
    async for line in lines:
        if skip:
            skip -= 1
            continue
        portion.append(failure(line))
        if len(portion) >= _PORTION:
            yield portion
            portion = []
    if portion:
        yield portion
