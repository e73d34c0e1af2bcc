"""aep-agent spool release: how are batches sent now, elsewhere, or never?"""

import argparse
from typing import TYPE_CHECKING

from agent.cli.exits import FAILED, USAGE
from agent.cli.spooled import Destination, add_destination, destinations, opened, own_of
from agent.cli.stored import counted, data_dir_of, say, writing
from agent.cli.telling import tell

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from agent.record import DeadLetter
    from agent.store.spool_view import Spooled

_NAMED = 10  # batches at most
_ROOM = 1 << 60  # bytes, where no configuration limits them
_DESCRIPTION = """\
Decide about batches in the spool, while no agent uses it: by default none of them waits any longer,
nor is held back, so that the next run sends them all."""
_EPILOG = """\
A damaged batch stays held back: `spool export` leaves it out too.

examples:
  aep-agent spool release                                          send all at the next start
  aep-agent spool release --to-dead-letters 17 --config agent.yaml  never send batch 17
  aep-agent spool release --adopt --config agent.yaml              send what was read for another
                                                                   inlet or flow to this one"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `spool release`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("ids", metavar="ID", type=int, nargs="*", help="only those batches")
    either = parser.add_mutually_exclusive_group()
    either.add_argument(
        "--to-dead-letters",
        action="store_true",
        help="make their records dead letters, which can be looked at and sent again",
    )
    either.add_argument(
        "--adopt",
        action="store_true",
        help="send batches of other destinations to that of the configuration",
    )
    add_destination(parser)


def run(args: argparse.Namespace) -> int:
    """Release; 1 where something cannot be, 2 where it is not clear what."""
    if args.to_dead_letters and not args.ids:
        say("aep-agent: nothing was changed: say which batches, see `aep-agent spool inspect`")
        return USAGE
    known = destinations(args)
    if args.adopt and not known:
        say("aep-agent: nothing was changed: --adopt needs --config, or --inlet-url and --flow-id")
        return USAGE
    if args.adopt and len(known) > 1:
        flows = ", ".join(each.flow for each in known)
        say(f"aep-agent: nothing was changed: say which flow adopts, --flow {flows}")
        return USAGE
    from contextlib import closing

    from agent.store import lock

    data_dir = args.data_dir = known[0].config.data_dir if known else data_dir_of(args)
    if not data_dir.exists():
        say(f"no store at {data_dir} yet; --data-dir or AEP_AGENT_DATA_DIR name another place")
        return 0
    with closing(lock.take(data_dir)), writing(args) as connection:
        if connection is None:
            return 0
        if args.to_dead_letters:
            return _give_up(connection, args, known)
        if args.adopt:
            return _adopt(connection, args, known[0])
        return _make_due(connection, args)


def _make_due(connection: "sqlite3.Connection", args: argparse.Namespace) -> int:
    from agent.store.releasing import make_due

    due = make_due(connection, args.ids)
    wait = "waits" if due.batches == 1 else "wait"
    tell(f"{counted(due.batches, 'batch', 'batches')} {wait} no longer: the next run sends all")
    for number in due.damaged:
        say(f"batch {number} is damaged and stays held back, see `aep-agent spool verify`")
    return FAILED if due.damaged else 0


def _give_up(
    connection: "sqlite3.Connection", args: argparse.Namespace, known: "Sequence[Destination]"
) -> int:
    from agent.store import spool_view
    from agent.store.releasing import to_dead_letters

    room = known[0].config.dead_letters.max_bytes if known else _ROOM
    failed = False
    for number in args.ids:
        spooled = next(spool_view.each(connection, [number], bodies=True), None)
        if spooled is None:
            say(f"no batch {number} is in the spool; see `aep-agent spool inspect --each`")
            failed = True
            continue
        own = own_of(spooled, known)
        if (letters := _letters(spooled, own)) is None:
            failed = True
        else:
            to_dead_letters(connection, spooled, letters, room, own.flow if own else "")
            tell(f"batch {number}: {counted(len(letters), 'record')} to the dead letters")
    return FAILED if failed else 0


def _letters(spooled: "Spooled", own: Destination | None) -> "list[DeadLetter] | None":
    """The records of a batch as dead letters; None, and why, where they are not certain."""
    from agent.record import DeadLetter
    from agent.store.releasing import REASON

    try:
        found = opened(spooled, own)
    except ValueError as error:
        say(f"batch {spooled.id}: {error}")
        return None
    if not found.original:
        say(f"batch {spooled.id} is for {spooled.destination}: give its configuration (--config)")
        return None
    return [
        DeadLetter(
            record=record,
            length=len(record),
            reason=REASON,
            stage="spool",
            message="taken out of the spool by hand",
            source=source,
            position=position,
            attempts=spooled.attempts,
            first_at=spooled.first_at or spooled.read_at,
            last_at=spooled.last_at or spooled.read_at,
        )
        for record, source, position in found.places()
    ]


def _adopt(connection: "sqlite3.Connection", args: argparse.Namespace, own: Destination) -> int:
    from agent.store import spool_view
    from agent.store.releasing import adopt

    fitting: list[int] = []
    odd: list[int] = []
    for spooled in spool_view.each(connection, args.ids, bodies=True):
        if spooled.key != own.key:
            (fitting if _fits(spooled, own) else odd).append(spooled.id)
    adopt(connection, fitting, own.key, own.name)
    tell(f"{counted(len(fitting), 'batch', 'batches')} will be sent to {own.name}")
    if odd:
        named = ", ".join(map(str, odd[:_NAMED])) + (" …" if len(odd) > _NAMED else "")
        say(
            f"{counted(len(odd), 'batch', 'batches')} damaged, or in another envelope than this"
            f" destination takes, stay: {named}; `aep-agent spool export` gives their records"
        )
    return FAILED if odd else 0


def _fits(spooled: "Spooled", own: Destination) -> bool:
    """Whether a batch looks as one that this destination would have got itself."""
    from agent.store.verifying import plain_body, problem

    if problem(spooled):
        return False
    plain = plain_body(spooled)
    envelope = own.envelope
    opening = envelope.head + envelope.before
    is_wrapped = plain.startswith(opening) and plain.endswith(envelope.after + envelope.tail)
    records = envelope.records(plain) if is_wrapped else []
    if len(records) != spooled.count or envelope.body(records) != plain:
        return False
    # what looks as another envelope may be a record that looks like one: better not
    return not records[0].startswith((b'{"messages":[', b'{"header":{"schemaRef":'))
