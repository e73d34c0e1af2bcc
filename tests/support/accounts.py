"""Is every line of the input accounted for? Compared between the input, the inlet and the store."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from agent.record import DeadLetter
from agent.store import audit, dead_letters, receipts
from agent.store.database import open_for_reading
from agent.store.receipts import FoundReceipt
from support.emulator import Remote


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store of the agent says."""

    receipts: list[FoundReceipt]
    dead_letters: list[DeadLetter]


def kept_in(data_dir: Path) -> Kept:
    """Everything that is in a store."""
    connection = open_for_reading(data_dir)
    assert isinstance(connection, sqlite3.Connection), "there is no store"
    with closing(connection):
        _balanced(connection)
        still_dead = dead_letters.Selection(replayed=False)
        letters = [stored.letter for stored in dead_letters.each(connection, still_dead)]
        return Kept(list(receipts.each(connection)), letters)


def _balanced(connection: sqlite3.Connection) -> None:
    """What the store has counted is what is there."""
    wrong = [check for check in audit.checks(audit.take(connection)) if not check.holds]
    assert wrong == []


def accounted_for(
    sources: Mapping[str, Sequence[bytes]],
    emulator: Remote,
    data_dir: Path,
    *,
    answers_were_lost: bool = False,
) -> Kept:
    """Fail unless each line of each source has exactly one verdict, and the inlet agrees with it.

    *sources* are lines without their ends, by the name of the source; every one counts. Where
    answers were lost, the inlet may have taken records more often than it could tell.
    """
    kept = kept_in(data_dir)
    lines = {
        (name, number): line
        for name, whole in sources.items()
        for number, line in enumerate(whole, 1)
    }
    verdicts = Counter((each.source, each.line) for each in kept.receipts)
    verdicts.update((each.source, each.position.line) for each in kept.dead_letters)
    assert verdicts == Counter(lines.keys()), _difference(verdicts, lines.keys())
    _agree_on_accepted(lines, kept.receipts, emulator, answers_were_lost=answers_were_lost)
    _agree_on_dead_letters(lines, kept.dead_letters, emulator)
    return kept


def _agree_on_accepted(
    lines: Mapping[tuple[str, int], bytes],
    found: Iterable[FoundReceipt],
    emulator: Remote,
    *,
    answers_were_lost: bool,
) -> None:
    """Each receipt's id is one that the inlet gave to that very line; nothing came besides."""
    by_id = emulator.records_by_id()
    claimed: Counter[bytes] = Counter()
    for receipt in found:
        line = lines[receipt.source, receipt.line]
        assert receipt.xaction_id is not None
        assert by_id[receipt.xaction_id] == line, f"{receipt} is about another record"
        claimed[line] += 1
    landed = Counter(emulator.records())
    assert claimed <= landed, "there are receipts for records that the inlet does not have"
    if not answers_were_lost:
        assert landed == claimed, f"the inlet has more: {list((landed - claimed).items())[:5]}"


def _agree_on_dead_letters(
    lines: Mapping[tuple[str, int], bytes], letters: Iterable[DeadLetter], emulator: Remote
) -> None:
    """Each dead letter holds its line, and the platform's words where it was the one to refuse."""
    refusals = emulator.refusals()
    for letter in letters:
        line = lines[letter.source, letter.position.line]
        assert letter.record == line[: len(letter.record)]
        assert letter.length == len(line)
        if letter.stage != "platform":
            assert line not in refusals, "it was sent although it is no record"
            continue
        told = [(each["status"], each["message"]) for each in refusals[line]]
        assert (letter.status, letter.message) in told
        ids = [each["xaction_id"] for each in refusals[line]]
        assert letter.xaction_id is None or letter.xaction_id in ids


def _difference(verdicts: Counter[tuple[str, int]], lines: Iterable[tuple[str, int]]) -> str:
    missing = [line for line in lines if not verdicts[line]]
    doubled = [line for line, count in verdicts.items() if count > 1]
    return (
        f"{len(missing)} lines have no verdict: {missing[:5]} …"
        f" {len(doubled)} have two: {doubled[:5]} …"
    )
