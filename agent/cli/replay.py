"""aep-agent dead-letters replay: how are dead letters sent again, once, and what comes of it?"""

import argparse
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.exits import DONE, FAILED, SOME_DEAD_LETTERED, USAGE
from agent.cli.replayed import say_done, say_homeless, say_plan
from agent.cli.selecting import WHERE_HELP, selection_of
from agent.cli.stored import reading, say
from agent.errors import ConfigError, StoreError

if TYPE_CHECKING:
    import sqlite3

    from agent.app.summary import Snapshot
    from agent.config.model import Config
    from agent.store.dead_letters import Selection
    from agent.store.replays import Plan

_LOCK = "replay.lock"
_DESCRIPTION = """\
Send dead letters again: their original bytes, through the same pipeline. What is accepted gets a
receipt for its original line and is no dead letter any more; what is refused again stays one. An
agent may run meanwhile."""
_EPILOG = f"""\
{WHERE_HELP}

Only dead letters that were not accepted in a replay are chosen: none is sent twice, but for those
whose answer was lost. Lines that are no records are left out, unless they are named by --stage,
--reason or number. Of records that are cut only the first part was kept: they cannot be sent.

Of several flows in a configuration each gets its own, in turn. Those of a flow that is no longer
there, or of a time without flows, go where --to says.

exit status: 0 all accepted; 1 stopped early; 2 wrong usage; 3 some were refused again;
78 the configuration is wrong

examples:
  aep-agent dead-letters replay --all --config agent.yaml --dry-run
  aep-agent dead-letters replay --reason rejected --since 2h --config agent.yaml
  aep-agent dead-letters replay --where 'type = "order"' --inlet-url URL --flow-id ID
  aep-agent dead-letters replay --flow orders --config agent.yaml
  aep-agent dead-letters replay 17 18 --to orders --config agent.yaml
  aep-agent dead-letters replay 17 18 --records-per-second 100 --config agent.yaml"""
_REFUSED = """\
aep-agent: nothing was sent: say which dead letters, or that it is all of them:
  aep-agent dead-letters replay 17 18 19
  aep-agent dead-letters replay --reason rejected --dry-run
  aep-agent dead-letters replay --all"""
_GRAVEST_FIRST = (FAILED, SOME_DEAD_LETTERED)
_CONTRADICTION = "aep-agent: nothing was sent: --all goes without numbers and without filters"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `replay`, beside those that select."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    parser.add_argument("ids", metavar="ID", type=int, nargs="*", help="only those numbers")
    parser.add_argument("--all", action="store_true", help="every dead letter there is")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be sent")
    parser.add_argument(
        "--records-per-second",
        metavar="N",
        help="no faster than that (delivery.records_per_second)",
    )
    parser.add_argument(
        "--to", metavar="FLOW", help="to that flow of the file; by default each goes to its own"
    )
    parser.add_argument("--config", "-c", metavar="FILE", help="configuration file (YAML)")
    parser.add_argument("--inlet-url", metavar="URL", help="URL of the inlet (AEP_INLET_URL)")
    parser.add_argument("--flow-id", metavar="ID", help="id of the dataflow (AEP_FLOW_ID)")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="any other key"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress, no summary")


def run(args: argparse.Namespace) -> int:
    """Replay, then say what came of it."""
    chosen = selection_of(args, ids=tuple(args.ids))
    if chosen.is_narrow is args.all:
        say(_CONTRADICTION if args.all else _REFUSED)
        return USAGE
    selection = replace(chosen, replayed=False)
    if args.dry_run:
        routes = routes_of(args, selection) if args.config else {"": selection}
        with reading(args) as connection:
            if connection is not None:
                for flow, each in routes.items():
                    say_plan(_plan(connection, each, args), flow, args)
                say_homeless(connection, selection, routes)
        return 0
    from agent.cli.flags import overrides
    from agent.cli.pipeline import configured

    config = configured(args, overrides(args), args.to)
    args.data_dir = config.data_dir
    with reading(args) as connection:
        if connection is None:
            return DONE
        with _alone(config.data_dir):
            routes = routes_of(args, selection)
            code = _replay_each(connection, routes, args)
        say_homeless(connection, selection, routes)
    return code


def _replay_each(
    connection: "sqlite3.Connection", routes: "Mapping[str, Selection]", args: argparse.Namespace
) -> int:
    """Replay what goes to each flow, one after the other; the gravest exit code."""
    from agent.cli.flags import overrides
    from agent.config import load

    codes = [DONE]
    for flow, selection in routes.items():
        path = Path(args.config) if args.config else None
        config = load(path, overrides=overrides(args) | _settings(args), flow=flow)
        plan = _plan(connection, selection, args)
        done = _replay(connection, config, selection, plan, args) if plan.letters else None
        if not args.quiet:
            say_done(done, plan, flow, args)
        codes.append(_exit_code(done, plan) if done else DONE)
        if done and done.interrupted:
            break
    return next((code for code in _GRAVEST_FIRST if code in codes), DONE)


def routes_of(args: argparse.Namespace, selection: "Selection") -> "dict[str, Selection]":
    """Which dead letters go to which flow: each to its own, unless --to says where all of them go.

    Where flows have no names, those of named ones go there only if they were chosen by flow or
    number. Raises ConfigError.
    """
    from agent.cli.flags import overrides
    from agent.config import load
    from agent.config.inheritance import no_such_flow

    path = Path(args.config) if args.config else None
    names = list(load(path, overrides=overrides(args), flow=args.to).each_flow())
    if args.to:
        return {args.to: selection}
    if names == [""]:
        is_explicit = selection.flow or selection.ids
        return {"": selection if is_explicit else replace(selection, flow="")}
    if selection.flow and selection.flow not in names:
        told = no_such_flow(selection.flow, names)
        raise ConfigError(f"--flow {selection.flow}: {told}; --to says where its dead letters go")
    return {name: replace(selection, flow=name) for name in names if selection.flow in (None, name)}


def _replay(
    connection: "sqlite3.Connection",
    config: "Config",
    selection: "Selection",
    plan: "Plan",
    args: argparse.Namespace,
) -> "Snapshot":
    from agent.app.replay import Replay
    from agent.cli.pipeline import deliver
    from agent.cli.progress import view
    from agent.sources.dead_letters import DeadLetterSource
    from agent.store.replays import Underway

    source = DeadLetterSource(
        connection,
        selection,
        plan,
        Underway(),
        block_bytes=next(iter(config.each_flow().values())).batch.max_bytes,
        broken_too=_broken_too(args),
    )
    replay = Replay(source, config.receipts.enabled)
    return deliver(config, None if args.quiet else view(), replay)


def _exit_code(done: "Snapshot", plan: "Plan") -> int:
    if done.accepted + done.dead_letters < plan.letters:
        return FAILED
    return SOME_DEAD_LETTERED if done.dead_letters else DONE


def _settings(args: argparse.Namespace) -> dict[str, object]:
    """What differs from the configuration of an agent: what is held here is a dead letter still."""
    return {
        "sources": [{"type": "stdin"}],
        "admin.listen": "null",
        "buffer.type": "memory",
        "buffer.max_bytes": "null",
        "buffer.when_full": "block",
        "delivery.records_per_second": args.records_per_second,
        "delivery.poison.share": "1",  # what is refused again is no more than it was: a dead letter
    }


def _broken_too(args: argparse.Namespace) -> bool:
    return bool(args.ids or args.stage or args.reason)


def _plan(
    connection: "sqlite3.Connection", selection: "Selection", args: argparse.Namespace
) -> "Plan":
    from agent.store.replays import plan

    return plan(connection, selection, broken_too=_broken_too(args))


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Keep other replays out: two at once would send dead letters twice. Raises StoreError."""
    import fcntl

    from agent.store.trouble import openable

    with openable(data_dir / _LOCK):
        descriptor = os.open(data_dir / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoreError(
                f"another replay is sending dead letters of {data_dir}; wait until it has ended"
            ) from None
        except OSError as error:
            say(f"{data_dir} cannot be locked ({error.strerror}): start no second replay")
        yield
    finally:
        os.close(descriptor)
