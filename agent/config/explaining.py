"""Which value has each key in the end, and who said so? Secrets are masked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent.config.inheritance import SECTIONS
from agent.config.keys import KeyPath, beside, key_at
from agent.config.loading import Reading
from agent.config.masking import MASK
from agent.config.model import Config
from agent.config.problems import show_path
from agent.config.showing import shown

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting:
    """One key in effect."""

    key: str  # as people write its path: sources[0].paths
    value: Any  # text, a number, a list or a mapping, the way it may stand in a file
    origin: str  # default, FILE:LINE, environment NAME, command line, or secret file PATH

    @property
    def is_default(self) -> bool:
        """Whether nobody said it."""
        return self.origin == DEFAULT


def settings(reading: Reading, config: Config) -> Iterator[Setting]:
    """Every key of *config*, which came of that *reading*, in the order of the model.

    What flows take from the top level is told of each flow, with the origin it has there.
    """
    told_of_flows = set(SECTIONS) if config.flows else set()
    yield from _below((), shown(config, without=told_of_flows), reading)


def _below(path: KeyPath, section: Mapping[str, Any], reading: Reading) -> Iterator[Setting]:
    for name, value in section.items():
        yield from _at((*path, name), value, reading, section.get(f"{name}_file"))


def _at(
    path: KeyPath, value: Any, reading: Reading, secret_file: str | None = None
) -> Iterator[Setting]:
    if isinstance(value, dict) and value and (beside(path) or path == ("flows",)):
        yield from _below(path, value, reading)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, each in enumerate(value):
            yield from _at((*path, index), each, reading)
    elif value is None and secret_file is not None:
        yield Setting(show_path(path), MASK, f"secret file {secret_file}")
    else:
        yield Setting(show_path(path), _shown(path, value), reading.origin_of(path) or DEFAULT)


def _shown(path: KeyPath, value: Any) -> Any:
    """A value the way people write it, and never a secret."""
    key = key_at(path)
    if value is None or key is None:
        return value
    if key.secret and not isinstance(value, dict):  # of which the values are masked already
        return MASK
    if key.quantity is None or not isinstance(value, int | float):
        return value
    written = key.quantity.show(value)
    return value if written == str(value) else written
