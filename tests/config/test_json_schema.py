"""Does the JSON Schema say of every key what the models know?"""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from agent.config.json_schema import json_schema
from agent.config.keys import all_keys

SCHEMA = json_schema()


def _models() -> Iterator[dict[str, Any]]:
    yield SCHEMA
    yield from SCHEMA["$defs"].values()


def _resolved(key: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The sections that a key leads to."""
    for part in (key, key.get("items", {})):
        for choice in (part, *part.get("oneOf", []), *part.get("anyOf", [])):
            if reference := choice.get("$ref"):
                yield SCHEMA["$defs"][reference.rpartition("/")[2]]


def _paths(model: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, key in model["properties"].items():
        yield f"{prefix}{name}"
        for section in _resolved(key):
            yield from _paths(section, f"{prefix}{name}.")


def test_the_schema_has_the_keys_of_the_models() -> None:
    assert set(_paths(SCHEMA)) == set(all_keys())


def test_every_key_is_described_in_a_sentence() -> None:
    for model in _models():
        for name, key in model["properties"].items():
            assert key["description"].endswith("."), name


def test_every_section_refuses_unknown_keys() -> None:
    for model in _models():
        assert model["additionalProperties"] is False


def test_nothing_is_required_that_the_environment_may_bring() -> None:
    assert "required" not in SCHEMA
    assert "required" not in SCHEMA["$defs"]["InletSettings"]
    assert "required" not in SCHEMA["$defs"]["CredentialSettings"]
    assert SCHEMA["$defs"]["FileSource"]["required"] == ["type", "paths"]


@pytest.mark.parametrize(
    ("section", "name", "good", "bad"),
    [
        ("BatchSettings", "max_wait", ["1s", "500ms", "1h30m", "2", "${WAIT}"], ["1 week", "x"]),
        ("ReceiptSettings", "keep", ["30d", "1d12h"], ["d", ""]),
        ("BatchSettings", "max_bytes", ["500KB", "1 MiB", "5", "${SIZE}"], ["1K", "KB"]),
        ("BatchSettings", "max_records", ["5000", "${RECORDS:-5}"], ["5k", "1.5"]),
    ],
)
def test_durations_sizes_and_counts_are_text_with_a_pattern(
    section: str, name: str, good: list[str], bad: list[str]
) -> None:
    key = SCHEMA["$defs"][section]["properties"][name]
    assert "string" in key["type"]
    assert key["examples"]
    assert all(re.search(key["pattern"], text) for text in good)
    assert not any(re.search(key["pattern"], text) for text in bad)


def test_choices_and_switches_may_be_variables() -> None:
    level = SCHEMA["$defs"]["LogSettings"]["properties"]["level"]
    assert level["anyOf"] == [
        {"type": "string", "enum": ["debug", "info", "warning", "error"]},
        {"type": "string", "pattern": r"\$\{"},
    ]
    verify = SCHEMA["$defs"]["TlsSettings"]["properties"]["verify"]
    assert verify["anyOf"][0] == {"type": "boolean"}


def test_secrets_are_marked() -> None:
    inlet = SCHEMA["$defs"]["InletSettings"]["properties"]
    assert [name for name, key in inlet.items() if key.get("writeOnly")] == [
        "token",
        "headers",
        "proxy",
    ]
