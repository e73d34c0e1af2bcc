"""Which secrets does a configuration know, so that they can be looked for where none may be?"""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from agent.config.credentials import read_word
from agent.config.keys import is_secret
from agent.config.masking import Secret
from agent.config.model import Config
from agent.config.section import Section, names
from agent.errors import ConfigError


def secrets(config: Config) -> Iterator[str]:
    """Every secret, as it is now: those in files, too, where they can be read."""
    yield from _within(config, hidden=False)


def _within(value: Any, *, hidden: bool) -> Iterator[str]:
    if isinstance(value, Secret):
        yield value.reveal()
    elif isinstance(value, Section):
        for field in fields(value):
            below = getattr(value, field.name)
            yield from _within(below, hidden=is_secret(field))
            if isinstance(below, Path) and field.name.removesuffix("_file") in names(type(value)):
                yield from _in_file(below, field.name)
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _within(below, hidden=hidden)
    elif isinstance(value, tuple | list):
        for below in value:
            yield from _within(below, hidden=hidden)
    elif hidden and isinstance(value, str):
        yield value


def _in_file(path: Path, key: str) -> Iterator[str]:
    try:
        yield read_word(path, key, "secret")
    except ConfigError:
        return
