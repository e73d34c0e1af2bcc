"""aep-agent receipts: did the platform take this record, when, and under which id?"""

import argparse
import sys
from typing import TYPE_CHECKING, Any

from agent.cli.stored import add_data_dir, add_since, iso, output, printable, reading, say

if TYPE_CHECKING:
    import sqlite3

    from agent.store.receipts import FoundReceipt

HELP = "find out what the platform acknowledged, and when"

_NOT_FOUND = 1
_LAST_DATE_MS = 10**14  # in the year 5138
_EPILOG = """\
Accepted means that the platform gave the record an xactionId. It validates and stores later: a
receipt does not say that the record has landed.

examples:
  aep-agent receipts find 1565628583792:1485:153:7      which line was that?
  aep-agent receipts find orders.ndjson:4711            what became of line 4711?
  aep-agent receipts find 1565628583792:1485:153        every record of a batch
  aep-agent receipts export --since 1d -o receipts.ndjson
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `receipts` and their flags."""
    parser.description = (
        "What the platform took charge of: each accepted record, its line and its xactionId.\n"
        "Reading them disturbs no agent that is running."
    )
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    finding = actions.add_parser("find", help="by xactionId, batch id, or SOURCE:LINE")
    finding.add_argument(
        "wanted",
        metavar="XACTION_ID|BATCH_ID|SOURCE:LINE",
        help="an id as the platform gave it, or a line: orders.ndjson:4711",
    )
    finding.add_argument("--json", action="store_true", help="print one JSON object a line")
    add_data_dir(finding)

    exporting = actions.add_parser("export", help="NDJSON, one line for each accepted record")
    exporting.add_argument("-o", "--output", metavar="FILE", help="write there, not to stdout")
    add_since(exporting)
    add_data_dir(exporting)


def run(args: argparse.Namespace) -> int:
    """Find or export; 1 where nothing is found."""
    with reading(args) as connection:
        if args.action == "find":
            return _NOT_FOUND if connection is None else _find(connection, args)
        if connection is not None:
            _export(connection, args)
    return 0


def _find(connection: "sqlite3.Connection", args: argparse.Namespace) -> int:
    from agent.store import receipts

    found = receipts.find(connection, args.wanted)
    if not found:
        sources = ", ".join(map(printable, receipts.newest_sources(connection, 5)))
        say(
            f"no receipt for {printable(args.wanted)}. What to try:\n"
            "  - a record that was refused is a dead letter: aep-agent dead-letters list --each\n"
            "  - give the whole id as the platform gave it, or a line as SOURCE:LINE"
            + (f"\n  - sources in this store: {sources}" if sources else "")
            + "\n  - old receipts are removed: see receipts.keep and receipts.max_bytes"
        )
        return _NOT_FOUND
    if args.json:
        for receipt in found:
            print(_json(_as_object(receipt) | _where_from(receipt)))
    elif len(found) == 1:
        print(_page(found[0]))
    else:
        for receipt in found:
            where = f"{printable(receipt.source)}:{receipt.line}"
            print(f"{iso(receipt.accepted_at)}  {printable(receipt.xaction_id or '-')}  {where}")
    sys.stdout.flush()  # here, where a reader that went away is not an error
    return 0


def _export(connection: "sqlite3.Connection", args: argparse.Namespace) -> None:
    from agent.store import receipts

    count = 0
    with output(args.output) as file:
        for receipt in receipts.each(connection, args.since):
            count += 1
            file.write(_json(_as_object(receipt)).encode() + b"\n")
    if not count:
        say("no such receipts: nothing was exported" if args.since else "no receipts yet")


def _as_object(receipt: "FoundReceipt") -> dict[str, Any]:
    return {
        "xaction_id": receipt.xaction_id,
        "batch_id": receipt.batch_id,
        "received_time_ms": receipt.received_time_ms,
        "accepted_at": iso(receipt.accepted_at),
        "source": receipt.source,
        "line": receipt.line,
        "attempts": receipt.attempts,
    }


def _where_from(receipt: "FoundReceipt") -> dict[str, Any]:
    span = {"line": receipt.span_line, "offset": receipt.span_offset}
    return {"index": receipt.index, "span": span}


def _page(receipt: "FoundReceipt") -> str:
    received = receipt.received_time_ms
    lines = {
        "xactionId": receipt.xaction_id,
        "batchId": receipt.batch_id,
        "accepted": f"{iso(receipt.accepted_at)}, at attempt {receipt.attempts}",
        "received": f"{_platform_time(received)} by the platform's clock" if received else None,
        "source": f"{receipt.source}, line {receipt.line}",
        "sent with": f"the lines from {receipt.span_line} on (byte {receipt.span_offset}),"
        f" as record {receipt.index} of those accepted, counted from 0",
    }
    return "\n".join(f"{name:<10} {printable(value)}" for name, value in lines.items() if value)


def _platform_time(received_time_ms: int) -> str:
    """As a date where it can be one: the number is not ours."""
    if received_time_ms < _LAST_DATE_MS:
        return iso(received_time_ms / 1000)
    return f"{received_time_ms} ms"


def _json(value: dict[str, Any]) -> str:
    import orjson

    return orjson.dumps(value).decode()
