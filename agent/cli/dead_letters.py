"""aep-agent dead-letters: which records will not be delivered, why, and what exactly were they?"""

import argparse
import sys
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent.cli import purge
from agent.cli.stored import (
    add_data_dir,
    add_since,
    iso,
    output,
    printable,
    reading,
    say,
    shortened,
)

if TYPE_CHECKING:
    import sqlite3

    from agent.store.dead_letters import Group, Selection, Stored

HELP = "look at records that will not be delivered, export and remove them"

_NOT_FOUND = 1
_LIMIT = 50
_MESSAGE_SHOWN = 100  # characters
_RECORD_SHOWN = 120  # characters
_EPILOG = """\
examples:
  aep-agent dead-letters list                           how many, why, since when
  aep-agent dead-letters list --each --since 2h         one line for each of the last two hours
  aep-agent dead-letters show 17                        everything about number 17
  aep-agent dead-letters export --reason rejected -o rejected.ndjson
  aep-agent dead-letters export --raw --source orders.ndjson > again.ndjson
  aep-agent dead-letters purge --reason rejected --dry-run
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `dead-letters` and their flags."""
    parser.description = (
        "Records that will not be delivered as they are: their original bytes, and the reason.\n"
        "Reading them disturbs no agent that is running."
    )
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    listing = actions.add_parser("list", help="how many there are, and why")
    _add_selection(listing)
    listing.add_argument("--each", action="store_true", help="one line for each, newest first")
    listing.add_argument("--records", action="store_true", help="with --each: show how they begin")
    listing.add_argument(
        "--limit", metavar="N", type=int, default=_LIMIT, help="lines at most (50; 0: all)"
    )
    listing.add_argument("--json", action="store_true", help="print one JSON object a line")

    showing = actions.add_parser("show", help="everything about one of them")
    showing.add_argument("id", metavar="ID", type=int, help="its number, as `list --each` shows it")
    showing.add_argument("--json", action="store_true", help="print one JSON object")
    add_data_dir(showing)

    exporting = actions.add_parser("export", help="all of them as NDJSON, oldest first")
    _add_selection(exporting)
    exporting.add_argument(
        "--raw", action="store_true", help="only the original bytes, one record a line"
    )
    exporting.add_argument("-o", "--output", metavar="FILE", help="write there, not to stdout")

    purging = actions.add_parser("purge", help="remove them for good: choose which, or --all")
    _add_filters(purging)
    purge.add_arguments(purging)


def run(args: argparse.Namespace) -> int:
    """List, show, export or purge; 1 where the dead letter to show is not there."""
    if args.action == "purge":
        return purge.run(args, _selection(args))
    with reading(args) as connection:
        if args.action == "show":
            return _NOT_FOUND if connection is None else _show(connection, args)
        if connection is not None and args.action == "export":
            _export(connection, args)
        elif connection is not None:
            _list(connection, args)
    sys.stdout.flush()  # here, where a reader that went away is not an error
    return 0


def as_object(stored: "Stored", *, with_record: bool = True) -> dict[str, Any]:
    """The JSON object of one dead letter. `record` is its exact text, where it is UTF-8."""
    letter = stored.letter
    record = _record_field(letter.record) if with_record else {}
    return record | {
        "reason": letter.reason,
        "stage": letter.stage,
        "status": letter.status,
        "message": letter.message,
        "xaction_id": letter.xaction_id,
        "source": letter.source,
        "position": {"line": letter.position.line, "offset": letter.position.offset},
        "attempts": letter.attempts,
        "first_at": iso(letter.first_at),
        "last_at": iso(letter.last_at),
        "id": stored.id,
        "length": letter.length,
        "sha256": letter.sha256,
        "truncated": stored.truncated,
    }


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", metavar="ID", type=int, help="only that one")
    _add_filters(parser)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", metavar="WORD", help="only those: rejected, invalid_json …")
    parser.add_argument("--stage", metavar="WORD", help="only those stopped there: validate …")
    parser.add_argument("--source", metavar="NAME", help="only those of this source, or file name")
    add_since(parser)
    add_data_dir(parser)


def _selection(args: argparse.Namespace) -> "Selection":
    from agent.store.dead_letters import Selection

    which = (args.reason, args.stage, args.source, args.since)
    if args.action == "purge":
        return Selection(None, *which, ids=tuple(args.ids))
    return Selection(args.id, *which)


def _list(connection: "sqlite3.Connection", args: argparse.Namespace) -> None:
    from agent.store import dead_letters

    selection = _selection(args)
    total = dead_letters.count(connection, selection)
    if not total:
        say("no dead letters" if selection == dead_letters.ALL else "no such dead letters")
        return
    limit = args.limit or None
    if args.each:
        stored = dead_letters.each(connection, selection, records=args.records, newest_first=True)
        for one in islice(stored, limit):
            print(_json(as_object(one, with_record=args.records)) if args.json else _line(one))
        shown = total if limit is None else min(limit, total)
    else:
        groups = dead_letters.groups(connection, selection)
        total, shown = len(groups), len(groups[:limit])
        _print_groups(groups[:limit], as_json=args.json)
    if shown < total:
        say(f"{shown:,} of {total:,} shown; --limit 0 shows all")


def _show(connection: "sqlite3.Connection", args: argparse.Namespace) -> int:
    from agent.store import dead_letters

    stored = dead_letters.find(connection, args.id)
    if stored is None:
        say(f"no dead letter has the number {args.id}; `aep-agent dead-letters list --each`")
        return _NOT_FOUND
    print(_json(as_object(stored)) if args.json else _page(stored))
    sys.stdout.flush()
    return 0


def _export(connection: "sqlite3.Connection", args: argparse.Namespace) -> None:
    from agent.store import dead_letters

    count = cut = 0
    with output(args.output) as file:
        for stored in dead_letters.each(connection, _selection(args)):
            count += 1
            cut += stored.truncated
            file.write(stored.letter.record if args.raw else _json(as_object(stored)).encode())
            file.write(b"\n")
    if not count:
        say("no such dead letters: nothing was exported")
    if cut and args.raw:
        say(f"{cut:,} of {count:,} records are cut: only their first part was kept")


def _line(stored: "Stored") -> str:
    letter = stored.letter
    words = [
        f"{stored.id:>6}",
        iso(letter.last_at),
        f"{printable(letter.source)}:{letter.position.line}",
        letter.reason,
        str(letter.status or "-"),
        shortened(letter.message, _MESSAGE_SHOWN),
    ]
    if letter.record:
        words.append(shortened(_text(letter.record[: 2 * _RECORD_SHOWN]), _RECORD_SHOWN))
    return "  ".join(words)


def _page(stored: "Stored") -> str:
    letter = stored.letter
    position = letter.position
    kept = f", of which the first {len(letter.record):,} were kept" if stored.truncated else ""
    lines = {
        "dead letter": str(stored.id),
        "reason": letter.reason,
        "stage": letter.stage,
        "status": str(letter.status) if letter.status else None,
        "message": printable(letter.message),
        "xactionId": printable(letter.xaction_id) if letter.xaction_id else None,
        "source": f"{printable(letter.source)}, line {position.line}, byte {position.offset}",
        "attempts": str(letter.attempts),
        "first": iso(letter.first_at),
        "last": iso(letter.last_at),
        "length": f"{letter.length:,} bytes{kept}",
        "sha256": letter.sha256,
    }
    shown = [f"{name:<12} {value}" for name, value in lines.items() if value is not None]
    return "\n".join([*shown, "", printable(_text(letter.record))])


def _print_groups(groups: "list[Group]", *, as_json: bool) -> None:
    if as_json:
        for group in groups:
            times = {"first_at": iso(group.first_at), "last_at": iso(group.last_at)}
            words = {"reason": group.reason, "stage": group.stage, "count": group.count}
            print(_json(words | times | {"message": group.message}))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("reason", "stage", "count", "first seen", "last seen", "message, of one of them")
    for column in table.columns[:-1]:
        column.no_wrap = True
    table.columns[2].justify = "right"
    for group in groups:
        cells = [group.reason, group.stage, f"{group.count:,}", iso(group.first_at)]
        cells += [iso(group.last_at), printable(group.message)]
        table.add_row(*map(Text, cells))
    # A pipe has no width to fit into, and rich ends the program itself where a pipe is closed.
    console = Console(width=None if sys.stdout.isatty() else 200)
    with console.capture() as capture:
        console.print(table)
    print(capture.get(), end="")


def _record_field(record: bytes) -> dict[str, str]:
    try:
        return {"record": record.decode()}
    except UnicodeDecodeError:
        from base64 import b64encode

        return {"record_base64": b64encode(record).decode()}


def _text(record: bytes) -> str:
    return record.decode("utf-8", "backslashreplace")


def _json(value: dict[str, Any]) -> str:
    import orjson

    return orjson.dumps(value).decode()
