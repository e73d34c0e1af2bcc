"""aep-agent explain: which settings are in effect, where does each come from, what can be lost?"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from agent.config.explaining import Setting

HELP = "say where each setting comes from, and what can be lost under which fault"

_EPILOG = """\
An origin is `default`, FILE:LINE (with the variables that the value was made of), `environment
NAME`, `command line`, or `secret file PATH`. Secrets are masked; files with secrets are not read.

examples:
  aep-agent explain aep-agent.yaml
  aep-agent explain aep-agent.yaml --no-defaults
  aep-agent explain aep-agent.yaml --set batch.max_wait=100ms --json | jq '.settings[]'
"""
_LONGEST = 60  # characters shown of a value


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `explain`."""
    parser.description = (
        "Show every setting in effect with its origin: flags win over the environment, which wins\n"
        "over the file, which wins over the defaults; and what can be lost with them, when."
    )
    parser.epilog = _EPILOG
    parser.add_argument("config", metavar="CONFIG", nargs="?", type=Path, help="a YAML file")
    parser.add_argument("--data-dir", metavar="DIR", help="as of `aep-agent run`")
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="as of `aep-agent run`"
    )
    parser.add_argument("--no-defaults", action="store_true", help="leave out what nobody has set")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Explain; ConfigError where the configuration is wrong."""
    import os

    from agent.cli import consequences
    from agent.cli.flags import overrides
    from agent.config.explaining import settings
    from agent.config.loading import Reading

    reading = Reading(args.config, overrides(args), os.environ)
    config = reading.config()
    told = [
        each for each in settings(reading, config) if not (args.no_defaults and each.is_default)
    ]
    if args.json:
        object = {
            "settings": [
                {"key": each.key, "value": each.value, "origin": each.origin} for each in told
            ],
            **consequences.as_json(config),
        }
        print(json.dumps(object, indent=2, ensure_ascii=False))
    else:
        print("\n".join([*_table(told), *consequences.told(config)]))
    return 0


def _table(told: "Sequence[Setting]") -> list[str]:
    from agent.cli.stored import printable, shortened

    rows = [
        (printable(each.key), shortened(_text(each.value), _LONGEST), printable(each.origin))
        for each in told
    ]
    first, second = (max((len(row[at]) for row in rows), default=0) for at in (0, 1))
    return [f"{key:<{first}}  {value:<{second}}  {origin}" for key, value, origin in rows]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
