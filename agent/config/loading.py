"""How does a configuration come to be? Flags over environment over file over defaults.

Every problem is found before anything is said, so that one report shows them all.
"""

import os
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from agent.config.agreement import (
    cautions,
    same_destinations,
    shared_addresses,
    size_disagreements,
    unclear_flows,
    unknown_inlets,
    unreadable_files,
)
from agent.config.directories import default_data_dir
from agent.config.document import Document, read_document
from agent.config.inheritance import SECTIONS, alone, completed, home
from agent.config.keys import KeyPath, key_at
from agent.config.model import Config
from agent.config.problems import Problem, explain
from agent.config.validating import Invalid, validated
from agent.config.variables import from_environment, variables_in
from agent.errors import ConfigError

NO_OVERRIDES: Mapping[str, object] = {}


def load(
    path: Path | None,
    *,
    overrides: Mapping[str, object] = NO_OVERRIDES,
    environ: Mapping[str, str] = os.environ,
    flow: str | None = None,
) -> Config:
    """The configuration out of a YAML file (None: no file), the environment and flags.

    `overrides` are values by dotted key, as flags gave them; None means that a flag was not given.
    `flow` leaves only one of several flows, which the overrides are for: that of this name, or,
    where it is empty, the only one. ConfigError's text is a report of every problem, one a line.
    """
    return Reading(path, overrides, environ, flow).config()


class Reading:
    """One reading of a configuration, which remembers where each value came from."""

    def __init__(
        self,
        file: Path | None,
        overrides: Mapping[str, object],
        environ: Mapping[str, str],
        flow: str | None = None,
    ) -> None:
        self._document = Document("configuration") if file is None else read_document(file, environ)
        self._origins: dict[KeyPath, str] = {}
        self._problems: list[Problem] = []
        self._tree: dict[str, Any] = self._document.tree
        settings, self._warnings = from_environment(environ)
        for key, (variable, value) in settings.items():
            self._put(tuple(key.split(".")), value, f"environment {variable}")
        within: KeyPath = ()
        if flow is not None:
            self._tree = alone(self._tree, flow)
            within = next((("flows", name) for name in self._tree.get("flows") or ()), ())
        for key, value in overrides.items():
            if value is not None:
                path = tuple(key.split("."))
                base = within if path[0] in SECTIONS else ()
                self._put((*base, *path), None if value == "null" else value, "command line")
        self._written = self._tree
        self._tree = _without_empty_sections(completed(self._tree))
        if not self._tree.get("flows"):
            self._tree.setdefault("inlet", {})
        if self._tree.get("data_dir") is None:
            self._tree["data_dir"] = default_data_dir(environ)

    def _put(self, path: KeyPath, value: object, origin: str) -> None:
        """Set one value over what the file says, and note where it came from."""
        section: Any = self._tree
        for depth, name in enumerate(path[:-1], 1):
            if section.get(name) is None:
                section[name] = {}
            section = section[name]
            if not isinstance(section, dict):
                where = ".".join(map(str, path[:depth]))
                text = (
                    f"cannot be set while {where} is not a section; put {where} right in the file"
                )
                self._problems.append(Problem(origin, None, path, text))
                return
        section[path[-1]] = deepcopy(value)
        below = [other for other in self._origins if other[: len(path)] == path]
        for other in below:
            del self._origins[other]
        self._origins[path] = origin

    def config(self) -> Config:
        """The configuration; ConfigError with the report where there is any problem."""
        config = None
        for path, text in unknown_inlets(self._tree):
            self._add(path, text)
        self._problems += [
            problem for problem in self._document.problems if not self._overridden(problem.path)
        ]
        try:
            config = validated(Config, self._tree)
        except Invalid as error:
            for details in error.mistakes:
                if details["loc"]:  # what has none is found again by size_disagreements
                    self._add(*explain(details))
        for check in (size_disagreements, unreadable_files, unclear_flows):
            for path, text in check(self._tree):
                self._add(path, text)
        for compare in (same_destinations, shared_addresses):
            for path, text in compare(config) if config else ():
                self._add(path, text)
        if config is None or self._problems:
            raise ConfigError(self._report())
        return config.with_warnings((*self._warnings, *cautions(config)))

    def origin_of(self, path: KeyPath) -> str | None:
        """Who said the value at *path* of the configuration; None where nobody did.

        `agent.yaml:3`, `agent.yaml:3 (${NAME})`, `environment NAME` or `command line`.
        """
        path = home(path, self._written)
        for end in range(len(path), 0, -1):
            if origin := self._origins.get(path[:end]):
                return origin
        line = self._document.lines.get(path)
        if line is None:
            return None
        place = f"{self._document.name}:{line}"
        names = variables_in(self._document.replaced.get(path, ""))
        return f"{place} ({', '.join(names)})" if names else place

    def _overridden(self, path: KeyPath) -> bool:
        return any(path[:end] in self._origins for end in range(1, len(path) + 1))

    def _add(self, path: KeyPath, text: str) -> None:
        path = home(path, self._written)
        # What could not be made out has been reported already, with its own line.
        unknown = {problem.path for problem in self._document.problems if problem.path}
        if path in unknown:
            return
        for end in range(len(path), 0, -1):
            if origin := self._origins.get(path[:end]):
                self._problems.append(Problem(origin, None, path, text))
                return
        # Of a file that cannot be read, it is no news that keys are missing.
        if self._document.understood:
            line = self._document.line_of(path)
            self._problems.append(Problem(self._document.name, line, path, text))

    def _report(self) -> str:
        ordered = sorted(self._problems, key=lambda problem: problem.line or 0)
        return "\n".join(dict.fromkeys(map(str, ordered)))


def _without_empty_sections(tree: dict[str, Any], path: KeyPath = ()) -> dict[str, Any]:
    """`tree` without sections of which every key is commented out; those have their defaults."""
    kept = {}
    for name, value in tree.items():
        key = key_at((*path, name))
        if isinstance(value, dict):
            kept[name] = _without_empty_sections(value, (*path, name))
        elif value is not None or key is None or key.scalar:
            kept[name] = value
    return kept
