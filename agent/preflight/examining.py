"""What would become of each record in a block of lines?

Lines that are no records are told apart as the agent does it before it sends; records are judged
as the platform does it after it has accepted them.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from agent.core.chunks import read_chunk, too_large
from agent.core.framing import Oversize
from agent.dataprep.records import TooDeep, parsed, unwrapped
from agent.preflight.findings import Findings, Place
from agent.preflight.rules import Rules
from agent.record import Chunk

_TOO_DEEP = "nesting"
_BUG = "not judged"


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of a source, or one line that is too long to be a record."""

    source: str
    line: int  # of the first one, from 1
    content: bytes | Oversize
    read: int  # bytes of the input that were read for it


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is wrong with a record, or only worth a warning."""

    keyword: str
    pointer: str
    message: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What would become of one line: it is taken where there are no errors."""

    line: int
    record: bytes  # as it was read
    sent: bytes  # as the agent would send it: with an id, where it adds them
    errors: list[Remark]
    warnings: list[Remark]
    is_record: bool = True  # False: the agent would not send it


class Examiner:
    """Examines the records of one flow. Raises ConfigError where its rules cannot be used."""

    def __init__(self, rules: Rules, places_max: int, whole_max: int = 0) -> None:
        """*whole_max*: of so many kinds of errors, a whole record is kept, not its beginning."""
        self._judge = rules.judge()
        self._identities = rules.identities()
        self._is_raw = rules.is_raw
        self._profile_bytes_max = rules.profile_bytes_max
        self._record_bytes_max = rules.record_bytes_max
        self._places_max = places_max
        self._whole_max = whole_max

    def examine(self, block: Block) -> Findings:
        """What would become of the records in a block, by its kind."""
        found = Findings(self._places_max, self._whole_max)
        found.bytes = block.read
        for verdict in self.verdicts(block):
            found.records += 1
            found.rejected += bool(verdict.errors)
            found.warned += bool(verdict.warnings)
            place = Place(block.source, verdict.line)
            for kinds, remarks in (
                (found.errors, verdict.errors),
                (found.warnings, verdict.warnings),
            ):
                for each in remarks:
                    kinds.add(each.keyword, each.pointer, each.message, verdict.record, place)
        return found

    def verdicts(self, block: Block) -> Iterator[Verdict]:
        """What would become of each record, those that are none after the others."""
        content = block.content
        if isinstance(content, Oversize):
            fault = too_large(content.length, self._record_bytes_max)
            wrong = Remark(fault.reason, "", fault.message)
            yield Verdict(block.line, content.head, b"", [wrong], [], is_record=False)
            return
        chunk = Chunk(block.source, block.line, 0, content, 0.0)
        contents = read_chunk(chunk, self._record_bytes_max)
        for run in contents.runs:
            sent: Sequence[bytes] = run.records
            if self._identities:
                sent, _ = self._identities.add(run.records, [run.span])
            for line, (record, text) in enumerate(
                zip(run.records, sent, strict=True), run.span.line
            ):
                yield self._verdict(line, record, text)
        for refused in contents.refused:
            wrong = Remark(refused.fault.reason, "", refused.fault.message)
            yield Verdict(refused.position.line, refused.line, b"", [wrong], [], is_record=False)

    def _verdict(self, line: int, read: bytes, text: bytes) -> Verdict:
        try:
            record = parsed(text)
        except TooDeep as error:
            return Verdict(line, read, text, [Remark(_TOO_DEEP, "#", str(error))], [])
        if self._is_raw:
            record, _ = unwrapped(record)
        try:
            outcome = self._judge.judge(record)
        except Exception as error:  # noqa: BLE001  one record is no reason to judge no other
            said = f"this record cannot be judged: {type(error).__name__}: {error}"
            return Verdict(line, read, text, [Remark(_BUG, "#", said)], [])
        warnings = [Remark("mapping", each.destination, each.message) for each in outcome.warnings]
        most = self._profile_bytes_max
        if most is not None and outcome.entity is not None:
            size = _length(outcome.entity)
            if size > most:
                said = (
                    f"{size} bytes long once it is mapped; Profile leaves out what has over {most}"
                )
                warnings.append(Remark("profile_size", "", said))
        errors = [Remark(each.keyword, each.pointer, each.message) for each in outcome.violations]
        return Verdict(line, read, text, errors, warnings)


def _length(entity: dict[str, Any]) -> int:
    """Bytes that a mapped record takes as JSON."""
    try:
        return len(orjson.dumps(entity))
    except TypeError:  # a whole number beyond 64 bits, or half a surrogate pair
        return len(json.dumps(entity, separators=(",", ":")))
