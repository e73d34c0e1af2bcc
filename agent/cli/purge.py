"""aep-agent dead-letters purge: how do dead letters go that nobody needs any more?"""

import argparse
import sys
from typing import TYPE_CHECKING

from agent.cli.exits import USAGE
from agent.cli.selecting import selection_of
from agent.cli.stored import counted, reading, say, writing

if TYPE_CHECKING:
    from agent.store.purging import Purged

_REFUSED = """\
aep-agent: nothing was removed: say which dead letters, or that it is all of them:
  aep-agent dead-letters purge 17 18 19
  aep-agent dead-letters purge --reason rejected --dry-run
  aep-agent dead-letters purge --all"""
_CONTRADICTION = "aep-agent: nothing was removed: --all goes without numbers and without filters"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `purge`, beside those that select."""
    parser.description = "Remove dead letters for good, without asking. Export them first."
    parser.add_argument("ids", metavar="ID", type=int, nargs="*", help="only those numbers")
    parser.add_argument("--all", action="store_true", help="every dead letter there is")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Remove the selected dead letters, or say how many; 2 where none or too much is selected."""
    from agent.store.purging import purge, purgeable

    selection = selection_of(args, replayed=None if args.all else False, ids=tuple(args.ids))
    if selection.is_narrow is args.all:
        say(_CONTRADICTION if args.all else _REFUSED)
        return USAGE
    with reading(args) if args.dry_run else writing(args) as connection:
        if connection is None:
            return 0
        # The first needs no permission to write, and no room.
        purged = purgeable(connection, selection)
        if purged.count and not args.dry_run:
            purged = purge(connection, selection)
    _print(args, purged)
    sys.stdout.flush()
    return 0


def _print(args: argparse.Namespace, purged: "Purged") -> None:
    if args.json:
        import orjson

        sizes = {"count": purged.count, "bytes": purged.bytes}
        print(orjson.dumps(sizes | {"dry_run": args.dry_run}).decode())
        return
    letters = counted(purged.count, "dead letter")
    if args.dry_run:
        print(f"{letters} would be removed, {purged.bytes:,} bytes freed")
    else:
        print(f"{letters} removed, {purged.bytes:,} bytes freed")
