"""Where is the line that a failed record was read from, and is it still the same record?

A receipt says which line of which source it was. A file may have been cut or replaced since, so
what stands there counts only if the mapping set makes of it what the platform exports.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from agent.dataprep.records import TooDeep, parsed, unwrapped
from agent.preflight.rules import Rules
from agent.record import INEXACT, Position, Span

_GZIP = b"\x1f\x8b"
_FOLLOWED = re.compile(r"#\d+$")  # app.log#2 is a later file of the path app.log
_ID = "_id"
_TO_THE_END = 1 << 62  # lines: as far as they are asked for


@dataclass(frozen=True, slots=True)
class Original:
    """A line as it was read."""

    record: bytes
    position: Position


class Originals:
    """Finds lines again. Raises ConfigError where the rules cannot be used."""

    def __init__(self, rules: Rules) -> None:
        self._judge = rules.judge()
        self._identities = rules.identities()
        self._is_raw = rules.is_raw
        self._is_mapped = rules.mapping is not None
        self._line_bytes_max = rules.record_bytes_max
        self._begun: tuple[str, int, int] | None = None  # the run of lines that was read last …
        self._read: list[Original] = []  # … as far as it was
        self._coming: Iterator[Original] = iter(())

    def at(self, source: str, start: Position, line: int, entity: bytes | None) -> Original | None:
        """A line of a run that starts there, if it can be read and became this entity."""
        if entity is None:
            return None
        begun = (source, start.line, start.offset)
        if begun != self._begun:
            self._begun, self._read = begun, []
            self._coming = self.lines(Span(source, start.line, start.offset, _TO_THE_END))
        index = line - start.line
        self._read += islice(self._coming, max(0, index + 1 - len(self._read)))
        found = self._read[index] if index < len(self._read) else None
        return found if found and self.is_same(source, found, entity) else None

    def is_same(self, source: str, original: Original, entity: bytes) -> bool:
        """Whether a line becomes this entity."""
        with suppress(TooDeep, ValueError):
            wanted, made = parsed(entity), self._made_of(source, original)
            return bool(made == wanted) or _is_but_for_id(made, wanted, mapped=self._is_mapped)
        return False

    def likeness(self, source: str, original: Original) -> bytes | None:
        """What is the same for all lines that become one entity; None where that is none."""
        with suppress(TooDeep, ValueError, TypeError):
            return orjson.dumps(self._made_of(source, original), option=orjson.OPT_SORT_KEYS)
        return None

    def lines(self, span: Span) -> Iterator[Original]:
        """The lines of a span, as far as they can be read; none where they do not stand so."""
        path = _path_of(span.source)
        if path is None or span.newline == INEXACT:
            return
        offset = span.offset
        with suppress(OSError), path.open("rb") as file:
            file.seek(offset)
            for line in range(span.line, span.line + span.count):
                text = file.readline(self._line_bytes_max + 2)
                if not text:
                    return
                yield Original(text.rstrip(b"\r\n"), Position(line, offset))
                offset += len(text)

    def _made_of(self, source: str, original: Original) -> Any:
        """The entity that comes of a line, once the agent has given it an id, where it does."""
        record, position = original.record, original.position
        if self._identities:
            span = Span(source, position.line, position.offset, 1)
            (record,), _ = self._identities.add([record], [span])
        found = parsed(record)
        if self._is_raw:
            found, _ = unwrapped(found)
        return self._judge.judge(found).mapped if self._is_mapped else found


def likeness(entity: bytes) -> bytes | None:
    """What `Originals.likeness` says of a record that becomes this entity."""
    with suppress(TooDeep, ValueError, TypeError):
        return orjson.dumps(parsed(entity), option=orjson.OPT_SORT_KEYS)
    return None


def _path_of(source: str) -> Path | None:
    """The file of a source, if it is one that can be read as it is."""
    for name in (source, _FOLLOWED.sub("", source), source.partition(":")[2]):
        path = Path(name)
        with suppress(OSError, ValueError):
            if name and path.is_file():
                with path.open("rb") as file:
                    return None if file.read(2) == _GZIP else path
    return None


def _is_but_for_id(made: Any, wanted: Any, *, mapped: bool) -> bool:
    """Whether they differ by nothing but an `_id` that the agent may have added."""
    if mapped or not isinstance(made, dict) or not isinstance(wanted, dict) or _ID in made:
        return False
    return bool(made == {key: value for key, value in wanted.items() if key != _ID})
