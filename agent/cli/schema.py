"""What may a configuration file hold, for editors and validators?"""

import argparse
import json

HELP = "print the JSON Schema of the configuration"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`aep-agent schema` takes no arguments."""
    parser.description = "Print the JSON Schema of the configuration file."
    parser.epilog = (
        "example:\n"
        "  aep-agent schema > aep-agent.schema.json\n"
        "and, for editors with a YAML language server, as the first line of a configuration:\n"
        "  # yaml-language-server: $schema=./aep-agent.schema.json"
    )


def run(args: argparse.Namespace) -> int:
    """Print the schema."""
    from agent.config.json_schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0
