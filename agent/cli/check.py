"""Is the configuration right, what does it come to, and what can be lost with it?"""

import argparse
import json
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.exits import CONFIGURATION
from agent.errors import ConfigError

if TYPE_CHECKING:
    from agent.config.model import Config

HELP = "validate a configuration and say what can be lost under which fault"

_EPILOG = """\
examples:
  aep-agent check aep-agent.yaml
  aep-agent check aep-agent.yaml --json | jq .warnings
  aep-agent check aep-agent.yaml --try orders.ndjson
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
    parser.add_argument(
        "--try",
        dest="sample",
        metavar="FILE",
        help="say what filters and format make of the records in FILE (- is stdin); sends nothing",
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
        return CONFIGURATION
    if args.sample:
        _print_tried(config, args.sample, as_json=args.json)
    elif args.json:
        print(_as_json(config))
    else:
        print(_in_words(config, args.config))
    return 0


def _print_tried(config: "Config", path: str, *, as_json: bool) -> None:
    from agent.cli.stored import printable
    from agent.cli.trying import tried

    found = tried(config, path)
    if as_json:
        print(json.dumps({name: each.as_json() for name, each in found.items()}, indent=2))
        return
    for name, each in found.items():
        print(f"{path} as {name} would read it:")
        for line in each.in_words():
            print(f"  {printable(line)}")


def _as_json(config: "Config") -> str:
    from dataclasses import asdict

    from agent.config.losses import consequences

    return json.dumps(
        {
            "valid": True,
            "settings": config.model_dump(mode="json"),
            "warnings": config.warnings,
            "faults": [
                asdict(consequence) | ({"flow": name} if name else {})
                for name in config.each_flow()
                for consequence in consequences(config, name)
            ],
        },
        indent=2,
        ensure_ascii=False,
    )


def _in_words(config: "Config", path: Path | None) -> str:
    from agent.config.summary import of_flow, summary

    lines = [f"{path or 'The configuration in the environment'} is valid.", ""]
    for name in config.flows:
        lines += [f"  flow {name}"]
        lines += [f"    {key:<13} {text}" for key, text in of_flow(config, name).items()]
    lines += [f"  {key:<13} {text}" for key, text in summary(config).items()]
    lines += ["", "What can be lost, and what can arrive twice, when", *_consequences(config)]
    if config.warnings:
        lines += ["", "Warnings"]
        lines += [_wrapped(warning, "  ", hang=2) for warning in config.warnings]
    return "\n".join(lines)


def _consequences(config: "Config") -> list[str]:
    """Fault by fault, once for all flows that fare the same."""
    from agent.config.losses import Consequence, consequences

    faults: dict[str, dict[Consequence, list[str]]] = {}
    for name in config.each_flow():
        for each in consequences(config, name):
            faults.setdefault(each.fault, {}).setdefault(each, []).append(name)
    lines: list[str] = []
    for fault, alike in faults.items():
        lines.append(_wrapped(fault, "  "))
        for consequence, names in alike.items():
            of_all = len(names) == len(config.each_flow())
            of = "" if of_all else f" (flow {', '.join(names)})"
            lines.append(_wrapped(f"lost:  {consequence.lost}{of}", "      ", hang=7))
            if consequence.twice != "nothing":
                lines.append(_wrapped(f"twice: {consequence.twice}{of}", "      ", hang=7))
    return lines


def _wrapped(text: str, indent: str, hang: int = 0) -> str:
    return textwrap.fill(
        text,
        width=96,
        initial_indent=indent,
        subsequent_indent=indent + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
