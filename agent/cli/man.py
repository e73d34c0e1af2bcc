"""aep-agent man: the manual page, made of what every command says of itself."""

import argparse

HELP = "print the manual page"

_EPILOG = """\
examples:
  aep-agent man | man -l -
  aep-agent man > /usr/local/share/man/man1/aep-agent.1"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`aep-agent man` takes no arguments."""
    parser.description = "Print the manual page of aep-agent and all of its commands, for man(1)."
    parser.epilog = _EPILOG


def run(args: argparse.Namespace) -> int:
    """Print the page."""
    from agent.cli.manual import page

    print(page(args.whole_parser()), end="")
    return 0
