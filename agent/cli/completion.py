"""aep-agent completion: a script that lets the shell complete commands and flags."""

import argparse

HELP = "print a completion script for your shell"

_EPILOG = """\
examples:
  aep-agent completion bash > /etc/bash_completion.d/aep-agent
  aep-agent completion zsh > "${fpath[1]}/_aep-agent"
  aep-agent completion tcsh > ~/.aep-agent.tcsh"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of `completion`."""
    parser.description = HELP[0].upper() + HELP[1:] + "."
    parser.epilog = _EPILOG
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh", "fish"))


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    print(shtab.complete(args.whole_parser(), shell=args.shell))
    return 0
