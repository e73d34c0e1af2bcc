"""aep-agent spool: what waits to be sent, is it whole, and how does one get at it?"""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

from agent.cli import release, spooled
from agent.cli.letters import json_line
from agent.cli.stored import (
    add_config,
    counted,
    data_dir_of,
    iso,
    output,
    printable,
    reading,
    say,
    shortened,
    when,
)
from agent.cli.telling import tell

if TYPE_CHECKING:
    import sqlite3

    from agent.store.spool_view import Holding, Place, Spooled

HELP = "look at batches that wait to be sent, check, export and release them"

_DAMAGED = 1
_NAME_SHOWN = 60  # characters
_EPILOG = """\
All but `release` only read, and disturb no agent that is running.

examples:
  aep-agent spool inspect                        what waits, for which inlet, since when
  aep-agent spool inspect --each                 one line for each batch
  aep-agent spool verify                         checksums, counts, and the file as such
  aep-agent spool export --raw > records.ndjson  the original bytes, one record a line
  aep-agent spool release                        no batch waits any longer: the next run sends all
  aep-agent spool release --to-dead-letters 17 --config agent.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `spool` and their flags."""
    parser.description = (
        "Batches in the buffer on disk: each is one request, exactly as it will be sent."
    )
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    inspecting = actions.add_parser("inspect", help="what is held, for whom, and since when")
    inspecting.add_argument("--each", action="store_true", help="one line for each batch")
    inspecting.add_argument(
        "--json", action="store_true", help="print JSON, with --each one a line"
    )
    add_config(inspecting)

    verifying = actions.add_parser("verify", help="whether every batch is as it was put there")
    verifying.add_argument("--json", action="store_true", help="print one JSON object")
    add_config(verifying)

    exporting = actions.add_parser("export", help="their records as NDJSON, oldest first")
    spooled.add_export_arguments(exporting)

    releasing = actions.add_parser("release", help="have batches sent now, elsewhere, or never")
    release.add_arguments(releasing)


def run(args: argparse.Namespace) -> int:
    """Inspect, verify, export or release; 1 where something is damaged."""
    if args.action == "release":
        return int(release.run(args))
    with reading(args) as connection:
        if connection is None:
            return 0
        if args.action == "verify":
            return _verify(connection, args)
        if args.action == "export":
            with output(args.output) as file:
                return spooled.export(connection, args, file)
        _inspect(connection, args)
    sys.stdout.flush()  # here, where a reader that went away is not an error
    return 0


def _inspect(connection: "sqlite3.Connection", args: argparse.Namespace) -> None:
    from agent.store import spool_view

    now = time.time()
    if args.each:
        for batch in spool_view.each(connection):
            print(json_line(_batch_object(batch)) if args.json else _batch_line(batch, now))
        return
    holdings, places = spool_view.holdings(connection, now), spool_view.places(connection)
    if args.json:
        print(json_line(_as_object(holdings, places)))
    else:
        print(_page(str(data_dir_of(args)), holdings, places, now))


def _verify(connection: "sqlite3.Connection", args: argparse.Namespace) -> int:
    from agent.cli.verified import file_problems, verified

    (total,) = connection.execute("SELECT batches FROM spool_kept").fetchone()
    batches = records = 0
    wrong: list[dict[str, Any]] = []
    for verdict in verified(connection, total):
        batches += 1
        records += verdict.spooled.count
        if verdict.problem:
            batch, hold = verdict.spooled.id, verdict.spooled.hold
            wrong.append({"batch": batch, "problem": verdict.problem, "hold": hold})
    in_file = file_problems(connection)
    if args.json:
        counts = {"batches": batches, "records": records}
        tell(json_line(counts | {"damaged": wrong, "file": in_file}))
    else:
        for one in wrong:
            held = f" (held back: {one['hold']})" if one["hold"] else ""
            tell(f"batch {one['batch']}: {one['problem']}{held}")
        for words in in_file:
            tell(f"the file: {words}")
        whole = f"{_sizes(batches, records)} as they were put there"
        tell("this is not as it should be" if wrong or in_file else whole)
    if in_file:
        say("the agent sets a damaged file aside and saves what it can when it next starts")
    return _DAMAGED if wrong or in_file else 0


def _page(data_dir: str, holdings: "list[Holding]", places: "list[Place]", now: float) -> str:
    batches, records = sum(h.batches for h in holdings), sum(h.records for h in holdings)
    lines = [f"spool in {printable(data_dir)}: {_sizes(batches, records)}"]
    for holding in holdings:
        lines += ["", *(f"  {name:<12} {words}" for name, words in _holding(holding, now).items())]
    if places:
        lines += ["", "  read up to (everything before it is in the spool or answered for):"]
    for place in places:
        position = place.position
        words = f"line {position.line:,}, byte {position.offset:,}, at {when(place.saved_at, now)}"
        lines.append(f"    {printable(place.source)}: {words} UTC")
    return "\n".join(lines)


def _sizes(batches: int, records: int) -> str:
    return f"{counted(batches, 'batch', 'batches')} with {counted(records, 'record')}"


def _holding(holding: "Holding", now: float) -> dict[str, str]:
    lines = {
        "for": printable(holding.destination),
        "batches": f"{holding.batches:,}, from number {holding.first} on",
        "records": f"{holding.records:,}",
        "bytes": f"{holding.bytes:,} as sent, {holding.plain_bytes:,} uncompressed",
        "oldest": f"read {when(holding.oldest_read_at, now)} UTC",
    }
    if holding.attempts:
        lines["attempts"] = f"{holding.attempts} at most"
    if holding.waiting:
        lines["waiting"] = f"{holding.waiting:,}, until {when(holding.not_before, now)} UTC"
    if holding.hold:
        lines["held back"] = f"{printable(holding.hold)}: not sent until it is released"
    return lines


def _batch_line(batch: "Spooled", now: float) -> str:
    state = batch.hold or (f"until {when(batch.not_before, now)}" if batch.not_before > now else "")
    words = [
        f"{batch.id:>8}",
        iso(batch.read_at),
        f"{batch.count:>6,} records",
        f"{batch.body_bytes:>9,} bytes",
        f"{batch.attempts:>3} attempts",
        shortened(_lines_of(batch), _NAME_SHOWN),
        printable(state),
    ]
    return "  ".join(words).rstrip()


def _lines_of(batch: "Spooled") -> str:
    from agent.delivery.settling import joined

    try:
        spans = list(joined(batch.batch().spans))
    except ValueError:
        return "?"
    words = [f"{span.source}:{span.line}-{span.line + span.count - 1}" for span in spans[:2]]
    return ", ".join(words) + (" …" if len(spans) > len(words) else "")


def _batch_object(batch: "Spooled") -> dict[str, Any]:
    try:
        spans = batch.batch().spans
    except ValueError:
        spans = ()
    return {
        "id": batch.id,
        "destination": batch.destination,
        "hold": batch.hold,
        "records": batch.count,
        "bytes": batch.body_bytes,
        "plain_bytes": batch.plain_bytes,
        "gzipped": batch.gzipped,
        "read_at": iso(batch.read_at),
        "attempts": batch.attempts,
        "first_at": iso(batch.first_at) if batch.first_at else None,
        "last_at": iso(batch.last_at) if batch.last_at else None,
        "not_before": iso(batch.not_before) if batch.not_before else None,
        "spans": [
            {"source": s.source, "line": s.line, "offset": s.offset, "count": s.count}
            for s in spans
        ],
    }


def _as_object(holdings: "list[Holding]", places: "list[Place]") -> dict[str, Any]:
    return {
        "batches": sum(holding.batches for holding in holdings),
        "records": sum(holding.records for holding in holdings),
        "bytes": sum(holding.bytes for holding in holdings),
        "held": [
            {
                "destination": holding.destination,
                "hold": holding.hold,
                "batches": holding.batches,
                "records": holding.records,
                "bytes": holding.bytes,
                "plain_bytes": holding.plain_bytes,
                "oldest_read_at": iso(holding.oldest_read_at),
                "attempts_max": holding.attempts,
                "waiting": holding.waiting,
                "not_before": iso(holding.not_before) if holding.not_before else None,
            }
            for holding in holdings
        ],
        "positions": {
            place.source: {
                "line": place.position.line,
                "offset": place.position.offset,
                "identity": place.identity,
                "saved_at": iso(place.saved_at),
            }
            for place in places
        },
    }
