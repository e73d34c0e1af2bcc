"""Does `aep-agent schema` print a JSON Schema?"""

import argparse
import json

import pytest

from agent.cli import schema


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    schema.add_arguments(parser)
    assert schema.run(parser.parse_args([])) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["$schema"].startswith("https://json-schema.org/")
    assert shown["properties"]["inlet"]["anyOf"][0]["$ref"] == "#/$defs/InletSettings"
