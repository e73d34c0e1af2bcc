"""What does a section look like as JSON, its secrets masked?"""

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import datetime
from pathlib import Path
from typing import Any

from agent.config.masking import Secret
from agent.config.section import Section


def shown(section: Section, without: Collection[str] = ()) -> dict[str, Any]:
    """The keys of a section but for those *without*, as JSON has them."""
    return {
        each.name: _plain(each.metadata.get("masked", _plain)(getattr(section, each.name)))
        for each in fields(section)
        if each.name not in without
    }


def _plain(value: Any) -> Any:
    match value:
        case Section():
            return shown(value)
        case Secret() | Path():
            return str(value)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case Mapping():
            return {name: _plain(below) for name, below in value.items()}
        case tuple() | list():
            return [_plain(below) for below in value]
    return value
