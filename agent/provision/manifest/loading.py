"""How does a manifest come to be read? Every problem at once, each with its line.

Secrets are no text of a manifest, which is kept where many can read it: they come from variables
or files. Which variable it was is remembered, for the agent's configuration refers to the same.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from agent.config.document import Document, read_document
from agent.config.keys import KeyPath, beside, key_at
from agent.config.masking import Secret
from agent.config.problems import Problem, explain
from agent.config.validating import Invalid, validated
from agent.errors import ConfigError
from agent.provision.manifest.credentials import unreadable_secrets
from agent.provision.manifest.fitting import misfits
from agent.provision.manifest.model import VERBATIM, Manifest
from agent.provision.manifest.settings import unfit_settings


@dataclass(frozen=True)
class Written:
    """A manifest, and the file it was read from."""

    path: Path
    manifest: Manifest
    document: Document

    def text_of(self, *path: str) -> str | None:
        """What was written for a key, its variables in it; None where nothing was."""
        if tuple(path) in self.document.replaced:
            return self.document.replaced[tuple(path)]
        here: Any = self.document.tree
        for name in path:
            here = here.get(name) if isinstance(here, Mapping) else None
        # a dollar that stands for itself is written twice
        return here.replace("$", "$$") if isinstance(here, str) else None

    def section(self, name: str) -> dict[str, Any]:
        """A section as it was written, to be written into another file."""
        written: dict[str, Any] = self._as_written((name,), self.document.tree.get(name, {}))
        return written

    def _as_written(self, path: KeyPath, here: Any) -> Any:
        if path in self.document.replaced:
            return self.document.replaced[path]
        if isinstance(here, Mapping):
            return {key: self._as_written((*path, key), below) for key, below in here.items()}
        if isinstance(here, list):
            return [self._as_written((*path, index), each) for index, each in enumerate(here)]
        return here.replace("$", "$$") if isinstance(here, str) else here

    def problem(self, path: KeyPath, text: str) -> ConfigError:
        """What is wrong at a key, as an error that says on which line."""
        line = self.document.line_of(path)
        return ConfigError(str(Problem(self.document.name, line, path, text)))


def load(path: Path, environ: Mapping[str, str] = os.environ) -> Written:
    """The manifest in a file. ConfigError's text is a report of every problem, one a line."""
    document = read_document(path, environ, VERBATIM)
    problems = list(document.problems)
    unknown = {problem.path for problem in problems if problem.path}
    unclear = {path[:-1] for path in unknown}  # sections in which something is not known

    def add(path: KeyPath, text: str) -> None:
        is_written = path in document.lines
        if path in unknown or not document.understood or (path[:-1] in unclear and not is_written):
            return
        problems.append(Problem(document.name, document.line_of(path), path, text))

    manifest = None
    try:
        manifest = validated(Manifest, document.tree)
    except Invalid as error:
        for details in error.mistakes:
            add(*explain(details, Manifest))
    for secret, text in _secrets_in_plain_text(document):
        add(secret, text)
    for place, text in unreadable_secrets(manifest) if manifest else ():
        add(place, text)
    # what does not fit each other is only told of parts that are right by themselves
    for place, text in misfits(manifest) if manifest else ():
        add(place, text)
    settings = _at(document.tree, ("agent", "settings"))
    for place, text in unfit_settings(settings) if isinstance(settings, dict) else ():
        add(("agent", "settings", *place), text)
    if manifest is None or problems:
        ordered = sorted(problems, key=lambda problem: problem.line or 0)
        raise ConfigError("\n".join(dict.fromkeys(map(str, ordered))))
    return Written(path, manifest, document)


def _secrets_in_plain_text(document: Document) -> Iterator[tuple[KeyPath, str]]:
    for path in document.lines:
        key = key_at(path, Manifest) if path[0] in ("platform", "source") else None
        if key is None or not _is_secret(key.field.type) or path in document.replaced:
            continue
        if isinstance(_at(document.tree, path), str):
            yield (
                path,
                "found a value (not shown: it is secret); write a ${VARIABLE} that holds"
                f" it{_or_file(path)}: others read manifests, too",
            )


def _at(tree: Mapping[str, Any], path: KeyPath) -> object:
    here: Any = tree
    for part in path:
        here = here.get(part) if isinstance(here, Mapping) else None
    return here


def _or_file(path: KeyPath) -> str:
    file = f"{path[-1]}_file"
    return f", or name a file in {file}" if file in beside(path[:-1], Manifest) else ""


def _is_secret(annotation: Any) -> bool:
    return annotation is Secret or any(map(_is_secret, get_args(annotation)))
