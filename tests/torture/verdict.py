"""Is anything lost, changed, invented, or doubled without cause? Told from evidence alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field

from agent.record import DeadLetter
from torture.minting import NAME, Kind

_SHOWN = 3  # of the lines of one finding


@dataclass(frozen=True, slots=True)
class Doubles:
    """Records that the inlet may have accepted once more than the agent can know of, by cause."""

    in_flight: int = 0  # when the agent was killed, stopped or frozen, or the emulator restarted
    answers_lost: int = 0  # by faults and by the network
    fed_again: int = 0  # lines of a pipe that were not safe when the agent died
    read_again: int = 0  # lines of files that were durable, but not their position
    unwritten: int = 0  # accepted while the store refused to write

    @property
    def total(self) -> int:
        """All of them."""
        return sum(asdict(self).values())


@dataclass(slots=True)
class Evidence:
    """Everything that is known at the end of a round."""

    minted: Mapping[bytes, Kind]
    landed: Sequence[tuple[str, bytes]]  # xactionId and record, as the inlet has them
    receipts: Sequence[str | None]  # xactionIds
    letters: Sequence[DeadLetter]
    offered_again: frozenset[bytes]  # lines that a source gave more than once, or may have
    cut: frozenset[bytes]  # lines of a pipe that may have been read in part before a stop
    doubles: Doubles
    findings: list[str] = field(default_factory=list)  # what was noticed on the way


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence amounts to; nothing was lost where there are no findings."""

    minted: int
    accepted: int
    dead_lettered: int
    duplicates: int
    doubles: Doubles
    lost: int
    findings: tuple[str, ...]


def judge(evidence: Evidence) -> Verdict:
    """Compare what was minted with what became of it."""
    landed = Counter(record for _, record in evidence.landed)
    letters = Counter(letter.record for letter in evidence.letters)
    lost = [line for line in evidence.minted if not landed[line] and not letters[line]]
    duplicates = landed.total() - len(landed)
    findings = [
        *evidence.findings,
        *_finding("lost", lost),
        *_finding("neither minted nor fed", _strangers(evidence, landed)),
        *_finding("accepted although to be refused", _wrongly_accepted(evidence, landed)),
        *_finding("dead-lettered although sound", _wrongly_dead(evidence)),
        *_finding("dead-lettered twice", _doubled_letters(evidence, letters)),
        *_about_receipts(evidence),
    ]
    if duplicates > evidence.doubles.total:
        findings.append(f"{duplicates} duplicates, only {evidence.doubles.total} can be explained")
    return Verdict(
        minted=len(evidence.minted),
        accepted=len(landed),
        dead_lettered=len(letters),
        duplicates=duplicates,
        doubles=evidence.doubles,
        lost=len(lost),
        findings=tuple(findings),
    )


def _strangers(evidence: Evidence, landed: Counter[bytes]) -> Iterator[bytes]:
    """What nobody fed: a record that was changed, put together from two, or made up."""
    yield from (record for record in landed if record not in evidence.minted)
    for letter in evidence.letters:
        if letter.record not in evidence.minted and not _is_part(letter.record, evidence.cut):
            yield letter.record


def _is_part(record: bytes, lines: frozenset[bytes]) -> bool:
    """The start of a line whose end was left in the pipe when the agent was told to stop."""
    return any(line.startswith(record) for line in lines)


def _wrongly_accepted(evidence: Evidence, landed: Counter[bytes]) -> Iterator[bytes]:
    yield from (line for line in landed if evidence.minted.get(line, Kind.SOUND) is not Kind.SOUND)


def _wrongly_dead(evidence: Evidence) -> Iterator[bytes]:
    for letter in evidence.letters:
        if evidence.minted.get(letter.record) is Kind.SOUND:
            why = f" ({letter.stage}: {letter.status} {letter.message}, {letter.attempts} attempts)"
            yield letter.record + why.encode()


def _doubled_letters(evidence: Evidence, letters: Counter[bytes]) -> Iterator[bytes]:
    for line, count in letters.items():
        if count > 1 and line not in evidence.offered_again:
            yield line


def _about_receipts(evidence: Evidence) -> Iterator[str]:
    """A receipt is about an acceptance that happened.

    A record may have two: lines after a file's position are read again, and `doubles` bounds that.
    """
    by_id = dict(evidence.landed)
    known = [by_id[each] for each in evidence.receipts if each in by_id]
    if len(known) < len(evidence.receipts):
        yield f"{len(evidence.receipts) - len(known)} receipts are about nothing that was accepted"
    unproved = {record for _, record in evidence.landed} - set(known)
    letters = {letter.record for letter in evidence.letters}
    yield from _finding("accepted without a receipt", unproved - letters)


def _finding(what: str, lines: Iterable[bytes]) -> Iterator[str]:
    found = list(lines)
    if found:
        shown = ", ".join(_name(line) for line in found[:_SHOWN])
        yield f"{len(found)} {what}: {shown}{' …' if len(found) > _SHOWN else ''}"


def _name(line: bytes) -> str:
    name = NAME.search(line)
    return name[0].decode() if name else repr(line[:40])
