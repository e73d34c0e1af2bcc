"""The command line: finds the command, and imports only that."""

import argparse
import gc
import importlib
import io
import os
import sys
from collections.abc import Sequence

from agent import __version__
from agent.cli.exits import CONFIGURATION, DONE, FAILED, INTERRUPTED, table
from agent.cli.telling import NO_ROOM, fall_silent, flush_if_read
from agent.errors import AgentError, ConfigError, StoreLocked
from agent.telemetry.journal import are_meant, with_priority
from agent.telemetry.logs import get_logger

COMMANDS = {
    "run": "run the agent with a configuration file",
    "send": "send files or standard input, and say what became of them",
    "demo": "see the whole journey on this machine, without an account",
    "provision": "make schema, dataset, mapping and flow on the platform, from one manifest",
    "preflight": "judge records as the platform will, before any of them is sent",
    "emulate": "be the inlet on this machine, with faults on request",
    "init": "write a first configuration, with comments",
    "check": "check a configuration, and say what can be lost when",
    "explain": "say where each setting comes from, and what can be lost when",
    "top": "watch a running agent in the terminal",
    "health": "ask a running agent whether it is well",
    "tap": "show live records of a running agent, redacted",
    "dead-letters": "records that will not be delivered: list, show, export, replay, purge",
    "reconcile": "compare what was accepted with what landed; pull what failed",
    "receipts": "what the platform acknowledged: find, export",
    "spool": "batches that wait to be sent: inspect, verify, export, release",
    "audit": "check that every record is accounted for",
    "bundle": "gather what support needs into one file, without secrets and records",
    "schema": "print the JSON Schema of the configuration",
    "completion": "print a completion script for your shell",
    "man": "print the manual page",
}
_STDOUT, _STDERR = 1, 2

_EPILOG = f"""\
exit status:
{table()}

examples:
  aep-agent demo
  aep-agent send --inlet-url URL --flow-id ID orders.ndjson
  tail -F app.log | aep-agent send --inlet-url URL --flow-id ID -
"""


class _Usage(argparse.ArgumentParser):
    """Of a flag that a command does not have, it is told how that command is used."""

    def parse_known_args(  # type: ignore[override]  # never called with a namespace type of its own
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}")
        return found, unknown


def parser_for(names: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of these commands, which are imported; the others are only listed."""
    parser = _Usage(
        prog="aep-agent",
        description="Deliver JSON records to Adobe Experience Platform, with a verdict for each.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"aep-agent {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, help_line in COMMANDS.items():
        if name not in names:
            commands.add_parser(name, help=help_line, add_help=False)
            continue
        module = importlib.import_module(f"agent.cli.{name.replace('-', '_')}")
        command = commands.add_parser(
            name, help=help_line, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run, whole_parser=whole_parser)
    return parser


def whole_parser() -> argparse.ArgumentParser:
    """The parser of all commands, for what describes them all."""
    return parser_for(tuple(COMMANDS))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; its exit code."""
    _ready_standard_streams()
    gc.disable()  # imports make no garbage, and collecting costs a tenth of them; see run_loop
    words = sys.argv[1:] if arguments is None else list(arguments)
    chosen = next((word for word in words if not word.startswith("-")), "")
    try:
        args = parser_for([chosen]).parse_args(words)
        status = int(args.run(args))
        flush_if_read()
        return status
    except ConfigError as error:
        # each problem on a line of its own, so that the file and line at its start can be followed
        _complain(f"aep-agent: the configuration is wrong\n{error}")
        return CONFIGURATION
    except AgentError as error:
        _complain(f"aep-agent: {error}")
        return CONFIGURATION if isinstance(error, StoreLocked) else FAILED
    except BrokenPipeError:
        fall_silent()  # whoever read our output has seen enough
        return DONE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        if error.errno not in NO_ROOM:
            return _failed_by_a_bug()
        where = f" {error.filename}" if error.filename else ""
        why = f"cannot write{where}: {error.strerror}"
        _complain(f"aep-agent: {why}; what was written is not whole")
        fall_silent()
        return FAILED
    except Exception:  # noqa: BLE001  # a bug: told with secrets taken out, as every line is
        return _failed_by_a_bug()


def _failed_by_a_bug() -> int:
    get_logger("agent").exception("this is a bug in aep-agent, please report it")
    return FAILED


def _complain(text: str) -> None:
    if are_meant("auto", sys.stderr):
        text = with_priority("error", text)
    print(text, file=sys.stderr)


def _ready_standard_streams() -> None:
    """Keep the numbers of closed standard streams from other files, and give words a place to go.

    A socket that got such a number would be taken for the stream, and libuv aborts over it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)
    sys.stdout = sys.stdout or os.fdopen(_STDOUT, "w")
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # as stderr does: file names are any bytes


if __name__ == "__main__":
    sys.exit(main())
