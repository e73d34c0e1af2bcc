"""What can be lost, and what can arrive twice, as `check` and `explain` tell it?"""

import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from agent.config.losses import Consequence, consequences
from agent.config.model import Config


def told(config: Config) -> list[str]:
    """The last part of a page: what can be lost, and what is probably not meant."""
    lines = ["", "What can be lost, and what can arrive twice, when", *_faults(config)]
    if config.warnings:
        lines += ["", "Warnings", *(_wrapped(each, "  ", hang=2) for each in config.warnings)]
    return lines


def as_json(config: Config) -> dict[str, Any]:
    """The same for scripts: `warnings` and `faults`, each of these with its flow if it has one."""
    faults = [
        asdict(consequence) | ({"flow": name} if name else {})
        for name in config.each_flow()
        for consequence in consequences(config, name)
    ]
    return {"warnings": config.warnings, "faults": faults}


def _faults(config: Config) -> Iterable[str]:
    """Fault by fault, once for all flows that fare the same."""
    faults: dict[str, dict[Consequence, list[str]]] = {}
    for name in config.each_flow():
        for each in consequences(config, name):
            faults.setdefault(each.fault, {}).setdefault(each, []).append(name)
    for fault, alike in faults.items():
        yield _wrapped(fault, "  ")
        for consequence, names in alike.items():
            of_all = len(names) == len(config.each_flow())
            of = "" if of_all else f" (flow {', '.join(names)})"
            yield _wrapped(f"lost:  {consequence.lost}{of}", "      ", hang=7)
            if consequence.twice != "nothing":
                yield _wrapped(f"twice: {consequence.twice}{of}", "      ", hang=7)


def _wrapped(text: str, indent: str, hang: int = 0) -> str:
    return textwrap.fill(
        text,
        width=96,
        initial_indent=indent,
        subsequent_indent=indent + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
