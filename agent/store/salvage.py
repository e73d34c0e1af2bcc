"""How much of a store that was set aside can be taken over into the new one?

Everything on pages that can be read, the most precious first, a few pages in a transaction. The
file set aside is only read, and stays. Beside it lies a mark until all was taken over; how far that
has come is kept in the ledger, in the same transactions, so that nothing is ever taken over twice.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from pathlib import Path
from typing import Any, NamedTuple

from agent.store.aside import salvaged
from agent.store.layout import NAMED, Shape, root_of
from agent.store.ledger import AGE
from agent.store.pages import INDEX_INTERIOR, INDEX_LEAF, Pages
from agent.store.rescue import Rescue
from agent.store.rows import Row, Value, rows_of, shape_of
from agent.store.trouble import is_damage, is_refusal, why
from agent.telemetry.logs import get_logger

_ENTRY = "salvaging"
_DONE = -1
_PAGES_PER_STEP = 64
_ALWAYS_TOLD = frozenset({"batches", "records", "dead_letters", "receipts", "lost_records"})
_TELL_EVERY = 5.0  # seconds
# In the order of what they are worth. The ids that are given next depend on the newest rows.
_FIRST = ("sqlite_sequence", "positions")
_ORDER = (
    *("spool", "dead_letters", "dead_letter_records", "replays"),
    *("receipts", "receipt_spans", "receipt_ids"),
)
_NAMES = ("sources", "destinations")
_EXPLAIN = frozenset({"receipts", "receipt_spans", "receipt_ids"})
# What may be a removed row is kept only where losing it would be worse.
_KEPT_UNSURE = frozenset({*_NAMES, "spool", "dead_letters", "dead_letter_records", "positions"})

_PROGRESS = "SELECT records FROM ledger WHERE entry = ? AND reason = ?"
_KEEP_PROGRESS = "INSERT OR REPLACE INTO ledger (entry, reason, records) VALUES (?, ?, ?)"
_FORGET_PROGRESS = "DELETE FROM ledger WHERE (entry = ? AND reason = ?) OR records = 0"

log = get_logger("store")


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was taken over of one file. `trouble` says why the rest was not yet."""

    set_aside: Path
    batches: int = 0
    records: int = 0  # in those batches
    damaged_batches: int = 0  # of them: held, and not sent
    damaged_lines: tuple[str, ...] = ()  # what is in those, as source:first-last; some of many
    dead_letters: int = 0
    dead_letters_without_record: int = 0
    receipts: int = 0
    positions: int = 0
    unreadable: int = 0  # rows that were found and could not be read
    lost_records: int = 0  # were read, and are nowhere in the store: dropped, reason damaged
    trouble: str | None = None

    def told(self) -> dict[str, Any]:
        """What there is to say of it, as fields of a log line."""
        fields = {each.name: getattr(self, each.name) for each in dataclass_fields(self)}
        seldom = {name: value for name, value in fields.items() if value or name in _ALWAYS_TOLD}
        return seldom | {"set_aside": str(self.set_aside)}


class _Page(NamedTuple):
    number: int
    sure: bool
    shape: Shape
    last: int  # the number of its last row

    @property
    def table(self) -> str:
        return self.shape.table


def salvage(
    connection: sqlite3.Connection,
    aside: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> Salvaged:
    """Take over what can be read of a file that was set aside.

    *on_progress* is told the pages done, and of how many, every few seconds. An attempt that was
    cut off goes on where it ended.
    """
    on_progress = on_progress or _tell
    rescue = Rescue(connection)
    trouble, unreadable = None, 0
    try:
        with closing(_open(aside)) as pages:
            attempt = _Attempt(connection, aside, pages, rescue)
            try:
                attempt.run(on_progress)
            finally:
                unreadable = attempt.unreadable
        _forget(connection, aside)
    except OSError as error:
        trouble = f"the file set aside cannot be read: {(error.strerror or str(error)).lower()}"
    except Exception as error:  # whatever a file may hold must not keep us from starting
        if is_damage(error):
            raise
        trouble = why(error) if is_refusal(error) else f"it holds what was not foreseen: {error!r}"
    return _report(rescue, aside, unreadable, trouble)


def _open(aside: Path) -> Pages:
    """The file with its log, or without it where the log is of an older state of the file.

    Raises OSError where a file cannot be opened.
    """
    both = Pages(aside, with_log=True)
    if not both.has_log:
        return both
    alone = Pages(aside, with_log=False)
    # Only a whole log can be blamed for not fitting: in a damaged one, there are other reasons.
    is_odd = both.pointed_to()[1] > 0 and alone.pointed_to()[1] == 0 and both.has_whole_log()
    is_older = _age(alone) > _age(both)
    chosen, other = (alone, both) if is_odd or is_older else (both, alone)
    other.close()
    return chosen


def _age(pages: Pages) -> int:
    """A number of the ledger that only ever grows; 0 where it cannot be told."""
    number = root_of("ledger")
    if (seen := shape_of(pages, number)) is None or seen[0].table != "ledger":
        return 0
    counted: dict[Value, int] = {}
    for row in rows_of(pages, number, seen[0]):
        if row and row.values[0] in AGE and isinstance(records := row.values[2], int):
            counted[row.values[0]] = max(records, counted.get(row.values[0], 0))
    return sum(counted.values())


def _report(rescue: Rescue, aside: Path, unreadable: int, trouble: str | None) -> Salvaged:
    counts = rescue.counts
    return Salvaged(
        aside,
        batches=counts["spool"],
        records=counts["records"],
        damaged_batches=counts["damaged"],
        damaged_lines=tuple(rescue.lines),
        dead_letters=counts["dead_letters"],
        dead_letters_without_record=counts["without_record"],
        receipts=counts["receipts"],
        positions=counts["positions"],
        unreadable=unreadable,
        lost_records=rescue.lost(),
        trouble=trouble,
    )


class _Attempt:
    """One walk over the pages of a file, from where the last one ended."""

    def __init__(
        self, connection: sqlite3.Connection, aside: Path, pages: Pages, rescue: Rescue
    ) -> None:
        self._connection = connection
        self._aside = aside
        self._pages = pages
        self._rescue = rescue
        self.unreadable = 0

    def run(self, on_progress: Callable[[int, int], None]) -> None:
        """Raises sqlite3.OperationalError where the store takes no more."""
        done = self._progress()
        if done == _DONE:
            return
        found = self._found()
        # An agent that has run since then may have given these numbers to receipts of its own.
        if done == 0 and self._connection.execute("SELECT 1 FROM receipts").fetchone():
            found = [each for each in found if each.table not in _EXPLAIN]
        first, others = _work(found)
        with self._transaction(done or 1 + len(first)):
            self._begin(found, again=done > 0)
            if done == 0:
                self._insert(first)
        next_told = time.monotonic() + _TELL_EVERY
        for at in range(max(0, done - 1 - len(first)), len(others), _PAGES_PER_STEP):
            step = others[at : at + _PAGES_PER_STEP]
            with self._transaction(1 + len(first) + at + len(step)):
                self._insert(step)
            if time.monotonic() >= next_told:
                on_progress(at + len(step), len(others))
                next_told = time.monotonic() + _TELL_EVERY
        with self._transaction(_DONE):
            self._rescue.finish()

    def _found(self) -> list[_Page]:
        """All pages with rows worth having, those that are sure to count first."""
        found = []
        for number, sure in self._pages.with_rows():
            if (seen := shape_of(self._pages, number)) is None:
                continue
            if sure or seen[0].table in _KEPT_UNSURE:
                found.append(_Page(number, sure, *seen))
        return sorted(found, key=lambda page: not page.sure)

    def _begin(self, found: Sequence[_Page], *, again: bool) -> None:
        self._insert([page for page in found if page.table in _NAMES])
        for table in _NAMES:
            self._rescue.numbers.insert_names(table, self._named(table))
        ledger = [page for page in found if page.table == "ledger"]
        self._rescue.read_ledger((row for page in ledger for row in self._rows(page)), again=again)
        letters = ("dead_letters", "dead_letter_records")
        self._rescue.never_below(
            max((each.last for each in found if each.table in letters), default=0)
        )

    def _named(self, table: str) -> Iterator[Row]:
        """Names and numbers once more, from their index: without them, no position is of use."""
        for number in self._pages.in_tree(root_of(f"sqlite_autoindex_{table}_1")):
            if self._pages.page(number)[0] in (INDEX_LEAF, INDEX_INTERIOR):
                yield from (row for row in rows_of(self._pages, number, NAMED) if row)

    def _insert(self, pages: Sequence[_Page]) -> None:
        for page in pages:
            self._rescue.insert[page.table](self._rows(page), page.sure)

    def _rows(self, page: _Page) -> Iterator[Row]:
        for row in rows_of(self._pages, page.number, page.shape):
            if row is None:
                self.unreadable += 1
            else:
                yield row

    @contextmanager
    def _transaction(self, progress: int) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._rescue.flush()
            self._connection.execute(_KEEP_PROGRESS, (_ENTRY, self._aside.name, progress))
            self._connection.execute("COMMIT")
        except BaseException:
            self._rescue.forget()
            with suppress(sqlite3.Error):  # some failures roll back by themselves
                self._connection.execute("ROLLBACK")
            raise

    def _progress(self) -> int:
        row = self._connection.execute(_PROGRESS, (_ENTRY, self._aside.name)).fetchone()
        return int(row[0]) if row else 0


def _work(found: Sequence[_Page]) -> tuple[list[_Page], list[_Page]]:
    """The pages of the first transaction, which decide what numbers are given next; the others."""
    first = [page for page in found if page.table in _FIRST]
    for table in ("spool", "receipts"):
        pages = [page for page in found if page.table == table and page.sure]
        first += sorted(pages, key=lambda page: page.last)[-1:]
    chosen = {page.number for page in first}
    return first, [
        page
        for table in _ORDER
        for page in found
        if page.table == table and page.number not in chosen
    ]


def _forget(connection: sqlite3.Connection, aside: Path) -> None:
    """All was taken over: remove the mark, and then how far it had come."""
    salvaged(aside)
    with suppress(sqlite3.Error):  # without the mark, nobody asks for it
        connection.execute(_FORGET_PROGRESS, (_ENTRY, aside.name))


def _tell(done: int, of: int) -> None:
    log.info("still salvaging what the damaged store held", percent=round(100 * done / of))
