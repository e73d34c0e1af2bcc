"""aep-agent run: the daemon, with a configuration file."""

import argparse
import gc
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.exits import DONE, SOME_DEAD_LETTERED

if TYPE_CHECKING:
    from agent.app.summary import Snapshot
    from agent.app.tally import Tally

_REST = "agent.cli.pipeline"  # and with it nearly all that an agent is made of

HELP = "run the agent with a configuration file"

_EPILOG = """\
SIGTERM and SIGINT stop it: reading ends, what is held gets shutdown.grace to be answered, and the
last log line counts accepted, dead-lettered and held records. A second signal releases at once.

SIGHUP has it read the configuration again: file, environment and the files of secrets. All of it is
checked; where anything is wrong, the log says so and nothing changes. Else sources, limits,
credentials, certificates and flows change while it runs, without a record lost or sent twice, and
the log names the keys that take effect at the next start. Flags stay what they were. Where the
terminal that it was started from is closed, SIGHUP stops it; under nohup it is ignored.

exit status: 0 stopped with nothing left over, or all input ended; 1 failed, or stopped with records
held in memory only; 3 all input ended, and some records were dead-lettered; 78 the configuration is
wrong, or another agent uses the data directory

example:
  aep-agent run /etc/aep-agent/aep-agent.yaml"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `run`."""
    parser.description = "Read records from the configured sources and deliver them, until stopped."
    parser.epilog = _EPILOG
    parser.add_argument("config", metavar="CONFIG", nargs="?", help="configuration file (YAML)")
    parser.add_argument(
        "--data-dir", metavar="DIR", help="where dead letters and receipts are kept"
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="any key")


def run(args: argparse.Namespace) -> int:
    """Run until the sources end or a signal comes."""
    from agent.app.memory import is_scarce
    from agent.cli.flags import overrides
    from agent.config.apart import ReadApart, load_apart
    from agent.errors import Stopped
    from agent.sources.inherited import keep_from_children
    from agent.telemetry.logs import get_logger

    keep_from_children()
    path, chosen = Path(args.config) if args.config else None, overrides(args)
    reading = ReadApart(path, chosen)
    if not is_scarce():  # for both at once
        import_module(_REST)  # takes as long as the reading
    config = reading.config()
    from agent.cli.pipeline import deliver, exit_code, followed

    followed(config)
    log = get_logger("agent")
    gc.collect()  # what was left over by all that was loaded; see run_loop
    try:
        done = deliver(config, reread=lambda: load_apart(path, overrides=chosen))
    except Stopped as stopped:
        log.info("stopped before anything began", reason=str(stopped))
        return DONE
    is_spooled = all(flow.buffer.type == "disk" for flow in config.each_flow().values())
    if done.in_memory and is_spooled:
        log.error(
            "not everything that was read could be written to disk before the end",
            records=done.in_memory,
            next_step="mend what the store told of (mostly: free space on its disk) and start"
            " again: files are read on from what is on disk; what came by a pipe or a connection"
            " is to be sent again",
        )
    for name, flow in done.flows.items():
        log.info("flow ended", flow=name, destination=flow.state, **_told(flow, held=flow.held))
    log.info("stopped", **told(done))
    code = exit_code(done)
    # who stops a service is told whether that worked; its dead letters are in metrics and the log
    return DONE if done.interrupted and code == SOME_DEAD_LETTERED else code


def told(done: "Snapshot") -> dict[str, Any]:
    """What the last line says: every record, and what became of it; but nothing that is not so."""
    return _told(done, held=done.in_memory, held_on_disk=done.held - done.in_memory)


def _told(tally: "Tally", **held: int) -> dict[str, Any]:
    counts = {
        "read": tally.read,
        "recovered": tally.recovered,
        "accepted": tally.accepted,
        "dead_lettered": tally.dead_letters,
        "filtered": sum(tally.filtered.values()),
        "dropped": sum(tally.dropped.values()),
        **held,
    }
    always = ("read", "accepted", "dead_lettered", "held")
    return {name: count for name, count in counts.items() if count or name in always}
