"""aep-agent completion: a script that lets the shell complete commands and flags."""

import argparse
from collections.abc import Iterator

HELP = "print a completion script for your shell"

_EPILOG = """\
examples:
  aep-agent completion bash > /etc/bash_completion.d/aep-agent
  aep-agent completion zsh > "${fpath[1]}/_aep-agent"
  aep-agent completion fish > ~/.config/fish/completions/aep-agent.fish
  aep-agent completion tcsh > ~/.aep-agent.tcsh"""
_FILES = ("FILE", "CONFIG", "MANIFEST")  # what stands in the place of a path, in every --help


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The argument of `completion`."""
    parser.description = HELP[0].upper() + HELP[1:] + "."
    parser.epilog = _EPILOG
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh", "fish"))


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    parser = args.whole_parser()
    for action in _actions(parser):
        if action.metavar in _FILES:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.metavar == "DIR":
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    print(shtab.complete(parser, shell=args.shell))
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The arguments of a parser, and of all commands below it."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
