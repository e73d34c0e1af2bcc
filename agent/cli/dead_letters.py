"""aep-agent dead-letters: which records will not be delivered, why, and what exactly were they?"""

import argparse
import sys
from itertools import islice
from typing import TYPE_CHECKING

from agent.cli import purge, replay
from agent.cli.letters import as_object, json_line, line, page, replay_object, table
from agent.cli.selecting import WHERE_HELP, add_filters, add_replayed, selection_of
from agent.cli.stored import add_data_dir, iso, output, reading, say

if TYPE_CHECKING:
    import sqlite3

    from agent.store.dead_letters import Group

HELP = "look at records that will not be delivered, export, replay and remove them"

_NOT_FOUND = 1
_LIMIT = 50
_EPILOG = f"""\
{WHERE_HELP}

examples:
  aep-agent dead-letters list                           how many, why, since when
  aep-agent dead-letters list --each --since 2h         one line for each of the last two hours
  aep-agent dead-letters list --where 'type = "order"' --where 'total > 100'
  aep-agent dead-letters show 17                        everything about number 17
  aep-agent dead-letters export --reason rejected -o rejected.ndjson
  aep-agent dead-letters export --raw --source orders.ndjson > again.ndjson
  aep-agent dead-letters replay --reason rejected --config agent.yaml --dry-run
  aep-agent dead-letters purge --reason rejected --dry-run
  aep-agent dead-letters purge --replayed               those that were accepted after all
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

    replaying = actions.add_parser("replay", help="send them again: choose which, or --all")
    add_filters(replaying)
    replay.add_arguments(replaying)

    purging = actions.add_parser("purge", help="remove them for good: choose which, or --all")
    add_replayed(purging)
    add_filters(purging)
    purge.add_arguments(purging)


def run(args: argparse.Namespace) -> int:
    """List, show, export, replay or purge; 1 where the dead letter to show is not there."""
    if args.action == "replay":
        return replay.run(args)
    if args.action == "purge":
        return purge.run(args)
    with reading(args) as connection:
        if args.action == "show":
            return _NOT_FOUND if connection is None else _show(connection, args)
        if connection is not None and args.action == "export":
            _export(connection, args)
        elif connection is not None:
            _list(connection, args)
    sys.stdout.flush()  # here, where a reader that went away is not an error
    return 0


def _add_selection(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--id", metavar="ID", type=int, help="only that one")
    add_replayed(parser)
    add_filters(parser)


def _list(connection: "sqlite3.Connection", args: argparse.Namespace) -> None:
    from agent.store import dead_letters

    selection = selection_of(args)
    total = dead_letters.count(connection, selection)
    if not total:
        say("no such dead letters" if selection.is_narrow else "no dead letters")
        return
    limit = args.limit or None
    if args.each:
        stored = dead_letters.each(connection, selection, records=args.records, newest_first=True)
        for one in islice(stored, limit):
            print(json_line(as_object(one, with_record=args.records)) if args.json else line(one))
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
        say(f"no dead letter has the number {args.id}; see `aep-agent dead-letters list --each`")
        return _NOT_FOUND
    trail = dead_letters.replays(connection, stored.id)
    if args.json:
        replays = {"replays": [*map(replay_object, trail)]} if trail else {}
        print(json_line(as_object(stored) | replays))
    else:
        print(page(stored, trail))
    sys.stdout.flush()
    return 0


def _export(connection: "sqlite3.Connection", args: argparse.Namespace) -> None:
    from agent.store import dead_letters

    count = cut = 0
    with output(args.output) as file:
        for stored in dead_letters.each(connection, selection_of(args)):
            count += 1
            cut += stored.truncated
            file.write(stored.letter.record if args.raw else json_line(as_object(stored)).encode())
            file.write(b"\n")
    if not count:
        say("no such dead letters: nothing was exported")
    if cut and args.raw:
        say(f"{cut:,} of {count:,} records are cut: only their first part was kept")


def _print_groups(groups: "list[Group]", *, as_json: bool) -> None:
    if as_json:
        for group in groups:
            times = {"first_at": iso(group.first_at), "last_at": iso(group.last_at)}
            words = {"reason": group.reason, "stage": group.stage, "count": group.count}
            one = {"message": group.message, "example": group.example}
            print(json_line(words | times | one))
        return
    print(table(groups))
