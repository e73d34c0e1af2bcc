"""How does a tree of commands become a manual page? In the man macros of roff (man(7)).

What a command says after `--help` is laid out already, and is shown as it stands.
"""

import argparse
from collections.abc import Iterator

from agent import __version__
from agent.cli.exits import MEANINGS
from agent.config.variables import PREFIX, SHORT_NAMES

_ENVIRONMENT = (
    "Every single value of the configuration can be set by a variable, with two underscores "
    f"between the parts of its key: {PREFIX}BATCH__MAX_WAIT=200ms. Flags win over variables, which "
    "win over the file. `aep-agent explain` says where each value comes from."
)
_FILES = {
    "/etc/aep-agent/aep-agent.yaml": "the configuration of the service",
    "/var/lib/aep-agent": "the store, where root or systemd runs the agent",
    "~/.local/state/aep-agent": "the store otherwise",
}


def page(parser: argparse.ArgumentParser) -> str:
    """The manual page of *parser* and every command below it."""
    return "\n".join(_page(parser)) + "\n"


def _page(parser: argparse.ArgumentParser) -> Iterator[str]:
    yield '.\\" made by: aep-agent man'
    yield f'.TH AEP-AGENT 1 "" "aep-agent {_text(__version__)}" "User Commands"'
    yield ".SH NAME"
    yield f"aep-agent \\- {_text(parser.description or '')}"
    yield ".SH SYNOPSIS"
    yield ".B aep-agent"
    yield "[\\-\\-version] [\\-\\-help] COMMAND …"
    yield ".SH COMMANDS"
    yield from _commands(parser)
    yield ".SH EXIT STATUS"
    for number, meaning in MEANINGS.items():
        yield from _item(str(number), meaning)
    yield ".SH ENVIRONMENT"
    for name, key in SHORT_NAMES.items():
        yield from _item(name, key)
    yield ".PP"
    yield _text(_ENVIRONMENT)
    yield ".SH FILES"
    for name, words in _FILES.items():
        yield from _item(name, words)


def _commands(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, command in action.choices.items():
            yield from _command(command, helps.get(name, ""))
            yield from _commands(command)


def _command(command: argparse.ArgumentParser, summary: str) -> Iterator[str]:
    yield f'.SS "{_text(command.prog)}"'
    yield from _verbatim(command.format_usage().removeprefix("usage: "))
    yield ".PP"
    yield _text(" ".join((command.description or summary).split()))
    for action in command._actions:
        if action.help is argparse.SUPPRESS or isinstance(action, argparse._SubParsersAction):
            continue
        if "--help" not in action.option_strings:
            yield from _item(_invocation(command, action), _help(command, action))
    if command.epilog:
        yield from _verbatim(command.epilog)


def _invocation(command: argparse.ArgumentParser, action: argparse.Action) -> str:
    return command._get_formatter()._format_action_invocation(action)


def _help(command: argparse.ArgumentParser, action: argparse.Action) -> str:
    return command._get_formatter()._expand_help(action) if action.help else ""


def _item(term: str, words: str) -> Iterator[str]:
    yield ".TP"
    yield f"\\fB{_text(term)}\\fR"
    yield _text(words) if words else "\\&"


def _verbatim(words: str) -> Iterator[str]:
    yield ".PP"
    yield ".nf"
    yield from map(_text, words.rstrip().splitlines())
    yield ".fi"


def _text(words: str) -> str:
    """One line of text, in which nothing means anything to roff."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{escaped}" if escaped[:1] in (".", "'") else escaped
