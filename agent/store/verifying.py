"""Is every batch in the spool as it was put there?"""

import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from agent.store.spool_view import Spooled, each, read_spans
from agent.store.spooling import checksum

DAMAGED = "damaged"  # the hold of a batch that is known not to be as it was
_GZIP = 31  # zlib's number for its format


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with one batch; `problem` is None where nothing is."""

    spooled: Spooled  # without its body
    problem: str | None

    @property
    def is_news(self) -> bool:
        """Whether it is damaged and would be sent all the same."""
        return self.problem is not None and self.spooled.hold != DAMAGED


def verify(connection: sqlite3.Connection) -> Iterator[Verdict]:
    """Look at every batch, one at a time. A batch that cannot be read raises sqlite3.DatabaseError.

    An agent may go on meanwhile.
    """
    for spooled in each(connection, bodies=True):
        yield Verdict(spooled, problem(spooled))


def problem(spooled: Spooled) -> str | None:
    """What is wrong with a batch whose body was read; None where nothing is."""
    kinds = (type(spooled.spans), type(spooled.ids_added), type(spooled.body))
    if kinds != (str, bytes, bytes):
        return "it holds other kinds of values than were written"
    if len(spooled.body) != spooled.body_bytes:
        return f"its body has {len(spooled.body):,} bytes, not {spooled.body_bytes:,}"
    if checksum(spooled.spans, spooled.ids_added, spooled.body) != spooled.checksum:
        return "its checksum is wrong: what was written is not what is there"
    try:
        spans = read_spans(spooled.spans)
        plain = plain_body(spooled)
    except (ValueError, zlib.error) as error:
        return f"it cannot be taken apart: {error}"
    if len(plain) != spooled.plain_bytes:
        return f"uncompressed it has {len(plain):,} bytes, not {spooled.plain_bytes:,}"
    lines = plain.count(b"\n") + 1  # a body keeps one record a line
    if not lines == spooled.count == sum(span.count for span in spans):
        return f"it holds {lines:,} records, not {spooled.count:,}"
    return None


def plain_body(spooled: Spooled) -> bytes:
    """The body without compression, and not much more of it than there should be.

    Raises zlib.error where it is damaged.
    """
    if not spooled.gzipped:
        return spooled.body
    unpacker = zlib.decompressobj(_GZIP)
    return unpacker.decompress(spooled.body, spooled.plain_bytes + 1)
