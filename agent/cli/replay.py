"""aep-agent dead-letters replay: how are dead letters sent again, once, and what comes of it?"""

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.selecting import WHERE_HELP, selection_of
from agent.cli.stored import counted, reading, say
from agent.errors import StoreError

if TYPE_CHECKING:
    import sqlite3

    from agent.app.summary import Snapshot
    from agent.config.model import Config
    from agent.store.dead_letters import Selection
    from agent.store.replays import Plan

_LOCK = "replay.lock"
_USAGE = 2
_DESCRIPTION = """\
Send dead letters again: their original bytes, through the same pipeline. What is accepted gets a
receipt for its original line and is no dead letter any more; what is refused again stays one. An
agent may run meanwhile."""
_EPILOG = f"""\
{WHERE_HELP}

Only dead letters that were not accepted in a replay are chosen: none is sent twice, but for those
whose answer was lost. Lines that are no records are left out, unless they are named by --stage,
--reason or number. Of records that are cut only the first part was kept: they cannot be sent.

exit status: 0 all accepted; 1 stopped early; 2 wrong usage; 3 some were refused again;
78 the configuration is wrong

examples:
  aep-agent dead-letters replay --all --config agent.yaml --dry-run
  aep-agent dead-letters replay --reason rejected --since 2h --config agent.yaml
  aep-agent dead-letters replay --where 'type = "order"' --inlet-url URL --flow-id ID
  aep-agent dead-letters replay 17 18 --records-per-second 100 --config agent.yaml"""
_REFUSED = """\
aep-agent: nothing was sent: say which dead letters, or that it is all of them:
  aep-agent dead-letters replay 17 18 19
  aep-agent dead-letters replay --reason rejected --dry-run
  aep-agent dead-letters replay --all"""
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
        return _USAGE
    selection = replace(chosen, replayed=False)
    if args.dry_run:
        with reading(args) as connection:
            if connection is not None:
                _say_plan(_plan(connection, selection, args), args)
        return 0
    from agent.cli.pipeline import DONE, configured, overrides

    config = configured(args, overrides(args) | _settings(args))
    args.data_dir = config.data_dir
    with reading(args) as connection:
        if connection is None:
            return DONE
        with _alone(config.data_dir):
            plan = _plan(connection, selection, args)
            done = _replay(connection, config, selection, plan, args) if plan.letters else None
    if not args.quiet:
        _say_done(done, plan, args)
    return _exit_code(done, plan) if done else DONE


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
        block_bytes=config.batch.max_bytes,
        broken_too=_broken_too(args),
    )
    replay = Replay(source, config.receipts.enabled)
    return deliver(config, None if args.quiet else view(), replay)


def _exit_code(done: "Snapshot", plan: "Plan") -> int:
    from agent.cli.pipeline import DONE, FAILED, SOME_DEAD_LETTERED

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


def _say_plan(plan: "Plan", args: argparse.Namespace) -> None:
    if args.json:
        counts = {"letters": plan.letters, "bytes": plan.bytes, "cut": plan.cut}
        _print_json(counts | {"broken": plan.broken, "dry_run": True})
        return
    letters = counted(plan.letters, "dead letter")
    print(f"{letters} would be sent again, {plan.bytes:,} bytes of records")
    _say_left(plan)


def _say_left(plan: "Plan") -> None:
    if plan.cut:
        say(f"{plan.cut:,} cannot be sent: only the first part of the record was kept")
    if plan.broken:
        say(f"{plan.broken:,} are left out: their lines are no records; `export` them to mend them")


def _say_done(done: "Snapshot | None", plan: "Plan", args: argparse.Namespace) -> None:
    from agent.cli.report import reasons

    accepted, refused = (done.accepted, done.dead_letters) if done else (0, 0)
    left = plan.letters - accepted - refused
    if args.json:
        counts = {"letters": plan.letters, "accepted": accepted, "refused": refused, "left": left}
        by_reason = dict(done.dead_lettered) if done else {}
        _print_json(
            counts | {"refused_by_reason": by_reason, "cut": plan.cut, "broken": plan.broken}
        )
        return
    if done is None:
        print("no such dead letters; those accepted in a replay are not sent again")
    else:
        print(
            f"{counted(plan.letters, 'dead letter')} to be sent again: {accepted:,} accepted,"
            f" {refused:,} refused again, {left:,} without an answer"
        )
        for words in reasons(done):
            print(f"  {words}")
    _say_left(plan)
    if left:
        print("what has no answer is a dead letter still: the same command goes on with it")


def _print_json(value: dict[str, Any]) -> None:
    import orjson

    print(orjson.dumps(value).decode())
