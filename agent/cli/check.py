"""Is the configuration right, what does it come to, and what can be lost with it?"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.exits import CONFIGURATION
from agent.cli.telling import tell
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
        tell(json.dumps({"valid": False, "problems": str(error).splitlines()}, indent=2))
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
    from agent.cli.consequences import as_json
    from agent.config.showing import shown

    told = {"valid": True, "settings": shown(config), **as_json(config)}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _in_words(config: "Config", path: Path | None) -> str:
    from agent.cli.consequences import told
    from agent.config.summary import of_flow, summary

    lines = [f"{path or 'The configuration in the environment'} is valid.", ""]
    for name in config.flows:
        lines += [f"  flow {name}"]
        lines += [f"    {key:<13} {text}" for key, text in of_flow(config, name).items()]
    lines += [f"  {key:<13} {text}" for key, text in summary(config).items()]
    return "\n".join([*lines, *told(config)])
