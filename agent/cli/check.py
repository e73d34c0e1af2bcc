"""Is the configuration right, what does it come to, and what can be lost with it?"""

import argparse
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

HELP = "validate a configuration and say what can be lost under which fault"

_EXIT_CONFIGURATION = 78
_EPILOG = """\
examples:
  aep-agent check aep-agent.yaml
  aep-agent check aep-agent.yaml --json | jq .warnings
  AEP_INLET_URL=https://… AEP_FLOW_ID=… aep-agent check

exit codes: 0 when the configuration is valid, 78 when it is not.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `aep-agent check`."""
    parser.description = (
        "Validate a configuration without starting anything. Every problem is reported at once,\n"
        "with its key and line. A valid configuration is shown as the settings in effect,\n"
        "and with what can be lost, or arrive twice, under which fault."
    )
    parser.epilog = _EPILOG
    parser.add_argument(
        "config",
        metavar="CONFIG",
        nargs="?",
        type=Path,
        help="a YAML file; without one, only the environment and the defaults count",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print what the configuration comes to; ConfigError, or 78 with --json, where it is wrong."""
    from agent.config import load

    try:
        config = load(args.config)
    except ConfigError as error:
        if not args.json:
            raise
        print(json.dumps({"valid": False, "problems": str(error).splitlines()}, indent=2))
        return _EXIT_CONFIGURATION
    if args.json:
        print(_as_json(config))
    else:
        print(_in_words(config, args.config))
    return 0


def _as_json(config: "Config") -> str:
    from dataclasses import asdict

    from agent.config.losses import consequences

    return json.dumps(
        {
            "valid": True,
            "settings": config.model_dump(mode="json"),
            "warnings": config.warnings,
            "faults": [asdict(consequence) for consequence in consequences(config)],
        },
        indent=2,
        ensure_ascii=False,
    )


def _in_words(config: "Config", path: Path | None) -> str:
    from agent.config.losses import consequences
    from agent.config.summary import summary

    lines = [f"{path or 'The configuration in the environment'} is valid.", ""]
    lines += [f"  {name:<13} {text}" for name, text in summary(config).items()]
    lines += ["", "What can be lost, and what can arrive twice, when"]
    for consequence in consequences(config):
        lines.append(_wrapped(f"{consequence.fault}", "  "))
        lines.append(_wrapped(f"lost:  {consequence.lost}", "      ", hang=7))
        if consequence.twice != "nothing":
            lines.append(_wrapped(f"twice: {consequence.twice}", "      ", hang=7))
    if config.warnings:
        lines += ["", "Warnings"]
        lines += [_wrapped(warning, "  ", hang=2) for warning in config.warnings]
    return "\n".join(lines)


def _wrapped(text: str, indent: str, hang: int = 0) -> str:
    return textwrap.fill(
        text,
        width=96,
        initial_indent=indent,
        subsequent_indent=indent + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
