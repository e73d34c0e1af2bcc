"""Which secrets does a configuration know, so that they can be looked for where none may be?"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from agent.config.credentials import read_word
from agent.config.model import Config
from agent.errors import ConfigError


def secrets(config: Config) -> Iterator[str]:
    """Every secret, as it is now: those in files, too, where they can be read."""
    yield from _within(config, is_secret=False)


def _within(value: Any, *, is_secret: bool) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            below = getattr(value, name)
            extra = field.json_schema_extra
            yield from _within(below, is_secret=isinstance(extra, dict) and "writeOnly" in extra)
            if isinstance(below, Path) and name.removesuffix("_file") in type(value).model_fields:
                yield from _in_file(below, name)
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _within(below, is_secret=is_secret)
    elif isinstance(value, tuple | list):
        for below in value:
            yield from _within(below, is_secret=is_secret)
    elif is_secret and isinstance(value, str):
        yield value


def _in_file(path: Path, key: str) -> Iterator[str]:
    try:
        yield read_word(path, key, "secret")
    except ConfigError:
        return
