"""Which dead letters are meant on the command line?"""

import argparse
from typing import TYPE_CHECKING

from agent.cli.stored import add_data_dir, add_since

if TYPE_CHECKING:
    from agent.conditions import Condition
    from agent.store.dead_letters import Selection

WHERE_HELP = """\
--where looks into the record: FIELD = VALUE, also != > >= < <= and ~ (contains); FIELD in
[VALUE, …], FIELD matches REGEX, FIELD exists, FIELD missing. A field is a path such as
order.items[0].sku, a value is JSON or a bare word. Several must all hold. != also finds records
without the field; what is not a JSON object is never found."""


def add_filters(parser: argparse.ArgumentParser) -> None:
    """The flags that choose by what a dead letter is."""
    parser.add_argument("--reason", metavar="WORD", help="only those: rejected, invalid_json …")
    parser.add_argument("--stage", metavar="WORD", help="only those stopped there: validate …")
    parser.add_argument("--source", metavar="NAME", help="only those of this source, or file name")
    parser.add_argument("--flow", metavar="NAME", help="only those of this flow, of several")
    add_since(parser)
    parser.add_argument(
        "--where",
        metavar="EXPR",
        type=_condition,
        action="append",
        default=[],
        help="only records with such a field: 'order.total > 100'; may be repeated",
    )
    add_data_dir(parser)


def add_replayed(parser: argparse.ArgumentParser) -> None:
    """The flag that turns to what needs no more care."""
    parser.add_argument(
        "--replayed", action="store_true", help="only those that were accepted in a replay"
    )


def selection_of(
    args: argparse.Namespace, *, replayed: bool | None = False, ids: tuple[int, ...] = ()
) -> "Selection":
    """The selection for these flags. One that is named by its number may have been replayed."""
    from agent.store.dead_letters import Selection

    number: int | None = getattr(args, "id", None)
    if getattr(args, "replayed", False):
        replayed = True
    elif number is not None or ids:
        replayed = None
    which = (args.reason, args.stage, args.source, args.since, ids, tuple(args.where), replayed)
    return Selection(number, *which, args.flow)


def _condition(text: str) -> "Condition":
    from agent.conditions import condition

    try:
        return condition(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
