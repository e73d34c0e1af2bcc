"""aep-agent health: is a running agent well? For container runtimes, which ask by a command."""

import argparse

from agent.cli.admin_port import add_admin_port, admin_port_of
from agent.cli.exits import DONE

HELP = "ask a running agent whether it is well"

_EPILOG = """\
It needs no configuration, and is cheap enough to be asked every few seconds. Kubernetes asks /livez
and /readyz itself.

exit status: 0 it is well; 1 it is not, or does not answer

examples:
  aep-agent health
  aep-agent health --ready --url 127.0.0.1:9601"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `health`."""
    parser.description = "Ask a running agent over its admin port, and print its answer."
    parser.epilog = _EPILOG
    add_admin_port(parser)
    parser.add_argument(
        "--ready", action="store_true", help="whether it takes input now, not only whether it lives"
    )


def run(args: argparse.Namespace) -> int:
    """Print what the agent says of itself. Raises NoAnswer, with its words, if that is not good."""
    said = admin_port_of(args).read("/readyz" if args.ready else "/livez")
    print(said.decode("utf-8", "replace").strip())
    return DONE
