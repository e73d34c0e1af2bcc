"""How are batches in the spool taken apart, so that a person gets at their records?"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from agent.cli.letters import json_line, record_field
from agent.cli.stored import add_data_dir, iso, say

if TYPE_CHECKING:
    import sqlite3

    from agent.config.model import Config
    from agent.core.encoding import Envelope
    from agent.record import Batch, Position
    from agent.store.spool_view import Spooled

_DAMAGED = 1
_XDM = b'{"header":{"schemaRef":'  # how every message of an XDM flow begins
_BATCH = b'{"messages":['


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `spool export`."""
    parser.description = (
        "The records of spooled batches, in the order of sending. For batches of an XDM flow give\n"
        "the configuration of their destination: else records come with their envelope."
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("ids", metavar="ID", type=int, nargs="*", help="only those batches")
    parser.add_argument(
        "--raw", action="store_true", help="only the original bytes, one record a line"
    )
    parser.add_argument("-o", "--output", metavar="FILE", help="write there, not to stdout")
    add_destination(parser)


def add_destination(parser: argparse.ArgumentParser) -> None:
    """The flags that say which destination is meant, and where the store is."""
    add_data_dir(parser)
    parser.add_argument("--config", "-c", metavar="FILE", help="configuration of the destination")
    parser.add_argument("--flow", metavar="NAME", help="which of several flows of that file")
    parser.add_argument("--inlet-url", metavar="URL", help="URL of its inlet (AEP_INLET_URL)")
    parser.add_argument("--flow-id", metavar="ID", help="id of its dataflow (AEP_FLOW_ID)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="any other key"
    )


@dataclass(frozen=True)
class Destination:
    """Where a configuration sends to, and in which envelope."""

    key: str
    name: str
    envelope: "Envelope"
    config: "Config"
    flow: str  # its name, empty where it has none


def own_of(spooled: "Spooled", known: Sequence[Destination]) -> Destination | None:
    """Which of the *known* destinations is a batch's own."""
    return next((each for each in known if each.key == spooled.key), None)


def destinations(args: argparse.Namespace) -> list[Destination]:
    """The destinations that these flags configure: one for each flow, or that of --flow.

    Raises ConfigError where the configuration is wrong.
    """
    if not (args.config or args.inlet_url or args.flow_id):
        return []
    from agent.app.inlets import envelope_of
    from agent.app.storing import destination_of
    from agent.cli.flags import overrides
    from agent.config import load

    path = Path(args.config) if args.config else None
    config = load(path, overrides=overrides(args), flow=args.flow)
    if any(flow.inlet.is_looked_up for flow in config.each_flow().values()):
        from agent.app.discovery import Discovery

        config = Discovery(config).remembered()
    return [
        Destination(*destination_of(flow), envelope_of(flow.inlet), config, name)
        for name, flow in config.each_flow().items()
    ]


@dataclass(frozen=True, slots=True)
class Opened:
    """A batch taken apart. `original`: the records are as they were read, byte for byte."""

    batch: "Batch"
    records: list[bytes]
    original: bool

    def places(self) -> "Iterator[tuple[bytes, str, Position]]":
        """Each record, its source and its position."""
        start = 0
        for span in self.batch.spans:
            records = self.records[start : start + span.count]
            for record, position in zip(records, span.positions(records), strict=True):
                yield record, span.source, position
            start += span.count


def opened(spooled: "Spooled", own: Destination | None) -> Opened:
    """Take a batch apart; in the envelope of its *own* destination where that is known.

    Raises ValueError where it is damaged, or does not give what was put into it.
    """
    from agent.core import encoding, identities
    from agent.store.verifying import plain_body, problem

    if trouble := problem(spooled):
        raise ValueError(trouble)
    batch, plain = spooled.batch(), plain_body(spooled)
    if own is not None:
        envelope, original = own.envelope, True
    else:
        raw = encoding.raw()
        envelope = raw if plain.startswith(_BATCH) else encoding.single(raw)
        original = not plain.removeprefix(_BATCH).startswith(_XDM)
    records = envelope.records(plain)
    if len(records) != batch.count or envelope.body(records) != plain:
        raise ValueError("it was not put together as these records are")
    return Opened(
        batch,
        identities.without(records, batch.ids_added) if original else records,
        original,
    )


def export(connection: "sqlite3.Connection", args: argparse.Namespace, file: BinaryIO) -> int:
    """Write the records of batches; 1 where some of them cannot be read."""
    from agent.store import spool_view

    known = destinations(args)
    count = wrapped = damaged = 0
    for spooled in spool_view.each(connection, args.ids, bodies=True):
        try:
            found = opened(spooled, own_of(spooled, known))
        except ValueError as error:
            damaged += 1
            say(f"batch {spooled.id} is left out: {error}")
            continue
        count += len(found.records)
        wrapped += 0 if found.original else len(found.records)
        for record, source, position in found.places():
            line = record if args.raw else _line(spooled, record, source, position)
            file.write(line + b"\n")
    file.flush()
    if not count:
        say("no such batches: nothing was exported")
    if wrapped:
        say(
            f"{wrapped:,} of {count:,} records come with the envelope they are sent in: --config"
            " with the configuration of their destination takes it off"
        )
    sys.stdout.flush()
    return _DAMAGED if damaged else 0


def _line(spooled: "Spooled", record: bytes, source: str, position: "Position") -> bytes:
    fields: dict[str, Any] = {
        **record_field(record),
        "source": source,
        "position": {"line": position.line, "offset": position.offset},
        "batch": spooled.id,
        "read_at": iso(spooled.read_at),
        "attempts": spooled.attempts,
    }
    return json_line(fields).encode()
