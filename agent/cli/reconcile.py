"""aep-agent reconcile: accepted is not landed; what became of the records that were accepted?"""

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

from agent.cli.flow_meant import add_flow, flow_meant
from agent.cli.stored import add_data_dir, add_since, moment, reading, say, writing
from agent.cli.telling import tell

if TYPE_CHECKING:
    import sqlite3

    from agent.cli.flow_meant import Meant
    from agent.preflight.fetching import Fetched
    from agent.reconcile.comparing import Comparison
    from agent.reconcile.counting import Window
    from agent.reconcile.pulling import Pulled

HELP = "compare what was accepted with what landed; pull what failed into the dead letters"

_WELL, _NOT_WELL, _FAILED, _USAGE = 0, 3, 1, 2
_LAG = "1h"
_DESCRIPTION = """\
Compare the receipts of a flow with what the platform counts of it: messages at the inlet, records
in the dataset, batches that failed. An agent may go on meanwhile; the platform is only asked."""
_EPILOG = """\
Records take minutes to land, an hour at most where all is well (--lag): those accepted later than
that are on their way. Counts are of the whole dataset, unless its batches say which flow they are
of: where others write to it, theirs may hide that some of ours are missing, and that is said.

--pull keeps each failed record as a dead letter with the platform's reason, once however often it
is pulled: as it was read where its line can be read again (reason `failed`), else as the platform
exports it (reason `failed_exported`: XDM, which no raw inlet takes). Its message says which.

exit status: 0 everything accepted has landed, or is on its way; 3 records are missing or failed;
1 the platform or the store could not be read; 2 wrong usage; 78 the configuration is wrong

examples:
  aep-agent reconcile --config agent.yaml
  aep-agent reconcile --config agent.yaml --since 1d --pull && echo all landed
  aep-agent reconcile --flow Orders --since 2026-11-25T00:00 --until 2026-11-26T00:00 --json
  aep-agent dead-letters list --reason failed"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `reconcile`."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    add_flow(parser)
    add_data_dir(parser)
    add_since(parser)
    add = parser.add_argument
    add("--until", metavar="TIME", type=moment, help="only up to then (now)")
    add(
        "--lag",
        metavar="TIME",
        type=_duration,
        default=_LAG,
        help="how long an accepted record may take to land (1h)",
    )
    add("--pull", action="store_true", help="keep failed records as dead letters")
    add("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare, and pull where that is asked for; 3 where something is missing or failed."""
    import asyncio

    from agent.cli.reconciled import as_object, in_words

    if args.until is not None and args.since is not None and args.until <= args.since:
        print("aep-agent: --until must be later than --since", file=sys.stderr)
        return _USAGE
    meant = flow_meant(args)
    args.data_dir = args.data_dir or meant.config.data_dir
    with writing(args) if args.pull else reading(args) as connection:
        if connection is None:
            return _FAILED
        window = _window(args, connection)
        if window is None:
            say("no receipts yet: nothing was accepted, or receipts.enabled is false")
            return _WELL
        fetched, compared, pulled = asyncio.run(_reconciled(args, meant, connection, window))
    if args.json:
        told = as_object(str(fetched.way), window, compared, pulled)
        tell(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        tell(in_words(fetched.way, window, compared, pulled))
    return _WELL if compared.is_well else _NOT_WELL


async def _reconciled(
    args: argparse.Namespace,
    meant: "Meant",
    connection: "sqlite3.Connection",
    window: "Window",
) -> "tuple[Fetched, Comparison, Pulled | None]":
    from agent.aep.platform import Platform
    from agent.preflight.fetching import fetched
    from agent.reconcile.comparing import Comparison
    from agent.reconcile.counting import accepted
    from agent.reconcile.originals import Originals
    from agent.reconcile.platform_side import counted
    from agent.reconcile.pulling import Keeping, Pull

    most = meant.settings.inlet.max_request_bytes
    async with Platform.of(meant.platform) as platform:
        ids = meant.settings.record_id
        found = await fetched(platform, meant.wanted, most, meant.platform.org_id, ids)
        counts = await counted(platform, found.way, window)
        compared = Comparison(accepted(connection, window, meant.name or ""), counts)
        if not args.pull:
            return found, compared, None
        letters = meant.config.dead_letters
        keeping = Keeping(
            flow=meant.name or "",
            record_bytes_max=letters.max_record_bytes,
            bytes_max=letters.max_bytes,
            is_raw=found.rules.is_raw,
        )
        pull = Pull(connection, Originals(found.rules), keeping, window.since)
        for batch in counts.batches:
            if batch.failed or batch.status == "failed":
                await pull.batch(platform.catalog, batch)
        return found, compared, pull.done


def _window(args: argparse.Namespace, connection: "sqlite3.Connection") -> "Window | None":
    """The time that is meant; from the oldest receipt on where none is given."""
    from agent.reconcile.counting import Window
    from agent.store import receipts

    since = args.since if args.since is not None else receipts.oldest(connection)
    if since is None:
        return None
    return Window(since, time.time() if args.until is None else args.until, args.lag)


def _duration(text: str) -> float:
    from agent.config.units import parse_duration

    try:
        return parse_duration(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no duration such as 1h") from None
