"""Which records did the inlet accept and which did it refuse, byte for byte and in order?

All of it is kept in files, so that memory does not grow with what was sent:

* records.ndjson   the accepted records, one a line, exactly the bytes that arrived. A line break
                   between the tokens of a pretty-printed record is kept as a space.
* arrivals.ndjson  one line for each run of records: their place in records.ndjson, flow and ids.
* rejected.ndjson  the refused records and what was said of them.
"""

import base64
import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import orjson

from agent.errors import AgentError

_BLOCK = 1 << 20


class Arrival(msgspec.Struct, frozen=True):
    """Consecutive records of one request and one flow, and where their lines lie."""

    offset: int
    length: int
    flow_id: str
    xaction_ids: list[str]


@dataclass(frozen=True, slots=True)
class Rejection:
    """What was said of a refused record, or of a body that holds none: then it is not JSON."""

    record: bytes
    status: int
    message: str
    xaction_id: str | None
    is_json: bool = True


_arrival = msgspec.json.Decoder(Arrival)


class Landed:
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
        self._drop_torn_tail()

    def close(self) -> None:
        """Close the files. What is in a directory stays there."""
        for file in (self._records, self._arrivals, self._rejected):
            file.close()

    def append(self, flow_id: str, xaction_ids: list[str], records: Sequence[bytes]) -> None:
        """Keep accepted records with the ids they were given, one each. Raises OSError."""
        lines = b"\n".join(records) + b"\n"
        if lines.count(b"\n") != len(records):
            lines = b"".join(record.replace(b"\n", b" ") + b"\n" for record in records)
        arrival = Arrival(self._records.end, len(lines), flow_id, xaction_ids)
        self._records.append(lines)
        self._arrivals.append(msgspec.json.encode(arrival) + b"\n")

    def reject(self, rejections: Sequence[Rejection]) -> None:
        """Keep refused records with the answer they got. Raises OSError."""
        self._rejected.append(b"".join(map(_rejected_line, rejections)))

    def forget(self) -> None:
        """Start again with no records at all."""
        for file in (self._records, self._arrivals, self._rejected):
            file.truncate(0)

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

    def rejected(self) -> Iterator[bytes]:
        """The lines on refused records, in blocks of bytes."""
        return self._rejected.blocks(self._rejected.end)

    def _selected(self, flow_id: str | None, since: int) -> Iterator[tuple[list[bytes], Arrival]]:
        skip = since
        for arrival in self._read_arrivals():
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

    def _read_arrivals(self) -> Iterator[Arrival]:
        return map(_arrival.decode, self._arrival_lines())

    def _arrival_lines(self) -> Iterator[bytes]:
        rest = b""
        for block in self._arrivals.blocks(self._arrivals.end):
            *lines, rest = (rest + block).split(b"\n")
            yield from lines

    def _drop_torn_tail(self) -> None:
        """Go back to the last whole run of records: a killed emulator may have half written one."""
        arrivals_end = records_end = 0
        for line in self._arrival_lines():
            arrival = _arrival.decode(line)
            if arrival.offset + arrival.length > self._records.end:
                break
            arrivals_end += len(line) + 1
            records_end = arrival.offset + arrival.length
        self._arrivals.truncate(arrivals_end)
        self._records.truncate(records_end)


class _AppendFile:
    """A file written at its end only and read anywhere."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.end = os.fstat(descriptor).st_size

    def append(self, content: bytes) -> None:
        view = memoryview(content)
        at = self.end
        while view:
            written = os.pwrite(self._descriptor, view, at)
            view = view[written:]
            at += written
        self.end = at

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def blocks(self, end: int) -> Iterator[bytes]:
        for offset in range(0, end, _BLOCK):
            yield self.read(offset, min(_BLOCK, end - offset))

    def truncate(self, end: int) -> None:
        os.ftruncate(self._descriptor, end)
        self.end = end

    def close(self) -> None:
        os.close(self._descriptor)


def _open_files(directory: Path | None) -> tuple[_AppendFile, _AppendFile, _AppendFile]:
    if directory is None:
        return _AppendFile(_unnamed()), _AppendFile(_unnamed()), _AppendFile(_unnamed())
    directory.mkdir(parents=True, exist_ok=True)
    arrivals = _AppendFile(_named(directory / "arrivals.ndjson", lock=True))
    records = _AppendFile(_named(directory / "records.ndjson"))
    return records, arrivals, _AppendFile(_named(directory / "rejected.ndjson"))


def _unnamed() -> int:
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _named(path: Path, *, lock: bool = False) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    if lock:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise
    return descriptor


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
