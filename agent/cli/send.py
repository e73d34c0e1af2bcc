"""aep-agent send: deliver files or standard input once, and say what became of each record."""

import argparse
import sys

from agent.cli.exits import FAILED

HELP = "send files, or standard input, once and say what became of each record"

_DESCRIPTION = """\
Send every record of the files given, or of standard input (-), and wait until the platform has
answered for each. One JSON object a line; .gz files are decompressed. A configuration file is not
needed: the URL of the inlet and the id of the flow will do."""

_EPILOG = """\
Records that are not JSON, or that the platform refuses, are kept as dead letters with the reason:
see `aep-agent dead-letters list`. While the inlet is away, sending pauses and goes on by itself.
When most records are refused, the rest is held, and after a minute or so sending is given up.

environment: AEP_INLET_URL, AEP_FLOW_ID, AEP_INLET_TOKEN and AEP_AGENT_DATA_DIR stand in for flags;
every other key has a variable too, such as AEP_AGENT_BATCH__MAX_WAIT.

exit status: 0 all accepted; 1 stopped early, or a file could not be read; 2 wrong usage;
3 some records were dead-lettered; 78 the configuration is wrong

examples:
  aep-agent send --inlet-url URL --flow-id ID orders.ndjson
  aep-agent send --inlet-url URL --flow-id ID 'logs/*.json.gz'
  kubectl logs -f shop | aep-agent send --inlet-url URL --flow-id ID -
  aep-agent send --config agent.yaml --set batch.max_wait=100ms -"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `send`."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("files", nargs="*", metavar="FILE", help="files or patterns; - is stdin")
    parser.add_argument("--config", "-c", metavar="FILE", help="configuration file (YAML)")
    parser.add_argument("--flow", metavar="NAME", help="which of several flows of the file")
    parser.add_argument("--inlet-url", metavar="URL", help="URL of the inlet (AEP_INLET_URL)")
    parser.add_argument("--flow-id", metavar="ID", help="id of the dataflow (AEP_FLOW_ID)")
    parser.add_argument(
        "--data-dir", metavar="DIR", help="where dead letters and receipts are kept"
    )
    parser.add_argument(
        "--compression", choices=("auto", "gzip", "none"), help="of request bodies (auto)"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="any other key"
    )
    parser.add_argument("--admin", metavar="HOST:PORT", help="serve /metrics and /status there")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--quiet", "-q", action="store_true", help="no progress, no summary")


def run(args: argparse.Namespace) -> int:
    """Send, then say what became of it."""
    if not args.files:
        if sys.stdin is not None and sys.stdin.isatty():
            print("aep-agent send: name the files to send, or - for this terminal", file=sys.stderr)
            return 2
        args.files = ["-"]

    import json

    from agent.cli.flags import overrides
    from agent.cli.pipeline import configured, deliver, exit_code
    from agent.cli.progress import view
    from agent.cli.report import report
    from agent.cli.stored import store_flags
    from agent.cli.telling import tell
    from agent.core.destination import SCHEMA_CHANGED

    chosen = overrides(args)
    chosen["sources"] = sources(args.files)
    # what a run of `send` leaves over is named, and can be sent again; a spool would send it later
    if chosen.setdefault("buffer.type", "memory") == "memory":
        chosen.setdefault("buffer.max_bytes", "null")
        chosen.setdefault("buffer.when_full", "block")
    chosen["admin.listen"] = args.admin or "null"
    config = configured(args, chosen, args.flow or "")
    done = deliver(config, None if args.quiet else view(), patient=False)
    if args.json:
        tell(json.dumps(done.as_json()))
    elif not args.quiet:
        tell(report(done, store_flags(config.data_dir)))
    if done.held and done.state == SCHEMA_CHANGED:
        return FAILED  # safe perhaps, but somebody has to see to it
    return exit_code(done)


def sources(files: list[str]) -> list[dict[str, object]]:
    """The sources that these arguments mean; standard input is read beside the files."""
    paths = [path for path in files if path != "-"]
    chosen: list[dict[str, object]] = [{"type": "stdin"}] if "-" in files else []
    once = {"type": "file", "paths": paths, "follow": False, "resume": False}
    return [*chosen, once] if paths else chosen
