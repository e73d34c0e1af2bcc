"""Which records did the inlet accept and which did it refuse, byte for byte and in order?

All of it is kept in files, so that memory does not grow with what was sent:

* records.ndjson   the accepted records, one a line, exactly the bytes that arrived. A line break
                   between the tokens of a pretty-printed record is kept as a space.
* arrivals.ndjson  one line for each run of records: their place in records.ndjson, flow and ids.
* rejected.ndjson  the refused records and what was said of them.
"""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import msgspec
import orjson

from agent.emulator.appending import AppendFile
from agent.emulator.marks import Marks
from agent.emulator.reasons import Reasons
from agent.errors import AgentError


class Arrival(msgspec.Struct, frozen=True, omit_defaults=True):
    """Consecutive records of one request and one flow, and where their lines lie.

    `inlet_id` is empty for the ready-made inlet, whose records go no further; `lost` says why
    records that were accepted will never land.
    """

    offset: int
    length: int
    flow_id: str
    xaction_ids: list[str]
    inlet_id: str = ""
    received_ms: int = 0
    lost: str = ""


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was said of a refused record, or of a body that holds none: then it is not JSON."""

    record: bytes
    status: int
    message: str
    xaction_id: str | None
    is_json: bool = True


_arrival = msgspec.json.Decoder(Arrival)


class Arrivals:
    """The accepted and the refused records of one emulator.

    `directory` keeps them over a restart; without one they are gone when the emulator ends.
    Raises AgentError where the directory cannot be used or another emulator uses it.
    """

    def __init__(self, directory: Path | None = None) -> None:
        try:
            self._records, self._arrivals, self._rejected = _open_files(directory)
        except OSError as error:
            raise AgentError(
                f"cannot keep records in {directory}: {error.strerror}; "
                "choose a directory that can be written and that no other emulator uses"
            ) from None
        self._accepted_marks, self._refused_marks = Marks(), Marks()
        self.reasons = Reasons()
        self._drop_torn_tail()
        self._count_refused()

    @property
    def accepted(self) -> int:
        """How many accepted records are kept."""
        return self._accepted_marks.total

    @property
    def refused(self) -> int:
        """How many refused records are kept."""
        return self._refused_marks.total

    def close(self) -> None:
        """Close the files. What is in a directory stays there."""
        for file in (self._records, self._arrivals, self._rejected):
            file.close()

    def append(
        self,
        flow_id: str,
        xaction_ids: list[str],
        records: Sequence[bytes],
        *,
        inlet_id: str = "",
        received_ms: int = 0,
        lost: str = "",
    ) -> None:
        """Keep accepted records with the ids they were given, one each. Raises OSError."""
        lines = b"\n".join(records) + b"\n"
        if lines.count(b"\n") != len(records):
            lines = b"".join(record.replace(b"\n", b" ") + b"\n" for record in records)
        arrival = Arrival(
            self._records.end, len(lines), flow_id, xaction_ids, inlet_id, received_ms, lost
        )
        self._records.append(lines)
        place = self._arrivals.end
        self._arrivals.append(msgspec.json.encode(arrival) + b"\n")
        self._accepted_marks.add(len(records), place)

    def reject(self, rejections: Sequence[Rejection]) -> None:
        """Keep refused records with the answer they got. Raises OSError."""
        place = self._rejected.end
        self._rejected.append(b"".join(map(_rejected_line, rejections)))
        for number, rejection in enumerate(rejections, self.refused):
            self.reasons.add(rejection.status, rejection.message, number)
        self._refused_marks.add(len(rejections), place)

    def forget(self) -> None:
        """Start again with no records at all."""
        for file in (self._records, self._arrivals, self._rejected):
            file.truncate(0)
        self._accepted_marks.clear()
        self._refused_marks.clear()
        self.reasons.clear()

    def records(self, *, flow_id: str | None = None, since: int = 0) -> Iterator[list[bytes]]:
        """The accepted records (of one flow, without the first `since`), a list for each arrival.

        What arrives while this is read is not part of it.
        """
        for records, _ in self._selected(flow_id, since):
            yield records

    def records_with_ids(
        self, *, flow_id: str | None = None, since: int = 0
    ) -> Iterator[list[bytes]]:
        """As `records`, each as the JSON object {"xaction_id", "flow_id", "record"}."""
        for records, arrival in self._selected(flow_id, since):
            ids = arrival.xaction_ids[-len(records) :]
            flow = orjson.dumps(arrival.flow_id)
            yield [
                b'{"xaction_id":%b,"flow_id":%b,"record":%b}' % (orjson.dumps(id_), flow, record)
                for id_, record in zip(ids, records, strict=True)
            ]

    @property
    def end(self) -> int:
        """The place behind the last arrival."""
        return self._arrivals.end

    def since(self, start: int = 0) -> Iterator[tuple[Arrival, int]]:
        """The arrivals from a place on, each with the place behind it."""
        for line in self._arrivals.lines(start):
            start += len(line) + 1
            yield _arrival.decode(line), start

    def lines(self, arrival: Arrival) -> list[bytes]:
        """The records of an arrival; fewer or none where they were forgotten meanwhile."""
        return self._records.read(arrival.offset, arrival.length)[:-1].split(b"\n")

    def rejected(self) -> Iterator[bytes]:
        """The lines on refused records, in blocks of bytes."""
        return self._rejected.blocks(self._rejected.end)

    def some_rejected(self, since: int, limit: int) -> Iterator[bytes]:
        """At most `limit` of these lines, without the first `since`, one by one."""
        before, offset = self._refused_marks.before(since)
        lines = self._rejected.lines(offset)
        return (line + b"\n" for line in islice(lines, since - before, since - before + limit))

    def _selected(self, flow_id: str | None, since: int) -> Iterator[tuple[list[bytes], Arrival]]:
        before, offset = self._accepted_marks.before(since) if flow_id is None else (0, 0)
        skip = since - before
        for arrival in map(_arrival.decode, self._arrivals.lines(offset)):
            if flow_id not in (None, arrival.flow_id):
                continue
            count = len(arrival.xaction_ids)
            if skip >= count:
                skip -= count
                continue
            lines = self._records.read(arrival.offset, arrival.length)
            if len(lines) < arrival.length:
                return  # the records were forgotten while they were being read
            yield lines[:-1].split(b"\n")[skip:], arrival
            skip = 0

    def _drop_torn_tail(self) -> None:
        """Go back to the last whole run of records: a killed emulator may have half written one."""
        arrivals_end = records_end = 0
        for line in self._arrivals.lines():
            arrival = _arrival.decode(line)
            if arrival.offset + arrival.length > self._records.end:
                break
            self._accepted_marks.add(len(arrival.xaction_ids), arrivals_end)
            arrivals_end += len(line) + 1
            records_end = arrival.offset + arrival.length
        self._arrivals.truncate(arrivals_end)
        self._records.truncate(records_end)

    def _count_refused(self) -> None:
        """Learn from the file what was refused before, without a line that is torn off."""
        end = 0
        for number, line in enumerate(self._rejected.lines()):
            verdict = orjson.loads(b"{" + line[line.rindex(b',"status":') + 1 :])
            self.reasons.add(verdict["status"], verdict["message"], number)
            self._refused_marks.add(1, end)
            end += len(line) + 1
        self._rejected.truncate(end)


def _open_files(directory: Path | None) -> tuple[AppendFile, AppendFile, AppendFile]:
    if directory is None:
        return AppendFile.unnamed(), AppendFile.unnamed(), AppendFile.unnamed()
    directory.mkdir(parents=True, exist_ok=True)
    arrivals = AppendFile.named(directory / "arrivals.ndjson", lock=True)
    records = AppendFile.named(directory / "records.ndjson")
    return records, arrivals, AppendFile.named(directory / "rejected.ndjson")


def _rejected_line(rejection: Rejection) -> bytes:
    verdict = {
        "status": rejection.status,
        "message": rejection.message,
        "xaction_id": rejection.xaction_id,
    }
    return b"{%b,%b\n" % (_record_member(rejection), orjson.dumps(verdict)[1:])


def _record_member(rejection: Rejection) -> bytes:
    if rejection.is_json:
        return b'"record":' + rejection.record.replace(b"\n", b" ")
    try:
        return b'"record":' + orjson.dumps(rejection.record.decode())
    except UnicodeDecodeError:
        return b'"record_base64":' + orjson.dumps(base64.b64encode(rejection.record).decode())
