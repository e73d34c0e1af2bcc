"""What does a YAML file say, and on which line?

A scalar is the text that was written: its key decides how it is read, so `flow_id: 0012` stays
`0012` and no text turns into a date. Only an unquoted `null`, `~` or nothing is None.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from agent.config.problems import Problem
from agent.config.variables import MISSING, UnknownVariable, expand

_MOST_VALUES = 10_000
_BYTES_MAX = 1_048_576
_LINE_ENDS = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # as YAML has them
_PLAIN_TAG = "tag:yaml.org,2002:"


@dataclass
class Document:
    """The tree of a configuration file: mappings, lists, text and None."""

    name: str
    tree: dict[str, Any] = field(default_factory=dict)
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)
    replaced: dict[tuple[str | int, ...], str] = field(default_factory=dict)  # texts with variables
    problems: list[Problem] = field(default_factory=list)
    understood: bool = True  # whether it could be read at all

    def line_of(self, path: Sequence[str | int]) -> int | None:
        """The 1-based line of a key, or of the nearest section round it that was written."""
        for end in range(len(path), 0, -1):
            if line := self.lines.get(tuple(path[:end])):
                return line
        return None

    def add_problem(self, text: str, line: int | None, path: Sequence[str | int] = ()) -> None:
        """Note something wrong at one place of the file."""
        self.problems.append(Problem(self.name, line, tuple(path), text))

    def give_up(self, text: str, line: int | None = None) -> None:
        """Note why the file as a whole cannot be read."""
        self.understood = False
        self.tree = {}
        self.add_problem(text, line)


def read_document(
    path: Path, environ: Mapping[str, str], verbatim: Collection[str] = ()
) -> Document:
    """The file's content with variables replaced; what is wrong with it is in `problems`.

    Below the top-level keys that are *verbatim*, `${` has another meaning, and stays.
    """
    document = Document(str(path))
    text = _read_text(path, document)
    if text is not None:
        _parse(text, document, environ, verbatim)
    return document


def _read_text(path: Path, document: Document) -> str | None:
    try:
        with path.open("rb") as file:
            content = file.read(_BYTES_MAX + 1)
    except FileNotFoundError:
        document.give_up("no such file; check the path")
        return None
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        document.give_up(f"cannot be read: {reason}; check the path and its permissions")
        return None
    if len(content) > _BYTES_MAX:
        document.give_up("larger than 1 MiB, which no configuration is; check the path")
        return None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        document.give_up(f"found the byte 0x{byte:02x}; write the file in UTF-8", line)
        return None


def _parse(
    text: str, document: Document, environ: Mapping[str, str], verbatim: Collection[str]
) -> None:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None or root.tag == f"{_PLAIN_TAG}null":
            return
        if not isinstance(root, yaml.MappingNode):
            line = root.start_mark.line + 1
            document.give_up("found no mapping; write settings as `key: value`", line)
            return
        document.tree = _Construction(document, environ, verbatim).mapping(root, ())
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        document.give_up(
            f"found the control character 0x{ord(text[error.position]):02x}; remove it", line
        )
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        column = f" at column {mark.column + 1}" if mark else ""
        before = _LINE_ENDS.split(text)[mark.line][: mark.column] if mark else ""
        document.give_up(f"not valid YAML{column}: {_plain_words(error, before)}", line)
    except RecursionError:
        document.give_up("nested too deeply; no setting lies deeper than five levels")


class _Construction:
    """Builds a document's tree from YAML nodes, noting lines and problems on the way."""

    def __init__(
        self, document: Document, environ: Mapping[str, str], verbatim: Collection[str]
    ) -> None:
        self._document = document
        self._environ = environ
        self._verbatim = verbatim
        self._values = 0
        self._open: set[int] = set()  # nodes that what is built now lies in

    def _value(self, node: yaml.Node, path: tuple[str | int, ...]) -> Any:
        # Aliases can multiply a few lines into billions of values.
        self._values += 1
        if self._values > _MOST_VALUES:
            raise RecursionError
        if not node.tag.startswith(_PLAIN_TAG):
            line = node.start_mark.line + 1
            self._document.add_problem(f"found the tag {node.tag}; write none", line, path)
            return MISSING
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        if id(node) in self._open:
            text = "found an alias `*` of what it lies in itself; write the value out"
            self._document.add_problem(text, self._document.lines[path], path)
            return MISSING
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode):
                return self.mapping(node, path)
            assert isinstance(node, yaml.SequenceNode)
            return self._list(node, path)
        finally:
            self._open.discard(id(node))

    def mapping(self, node: yaml.MappingNode, path: tuple[str | int, ...]) -> dict[str, Any]:
        """The mapping at `path`."""
        tree: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                self._document.add_problem("found a key that is not a word", line, path)
                continue
            key = key_node.value
            if key in tree:
                first = self._document.lines[*path, key]
                text = f"written twice, first on line {first}; keep one"
                self._document.add_problem(text, line, (*path, key))
                continue
            self._document.lines[*path, key] = line
            tree[key] = self._value(value_node, (*path, key))
        return tree

    def _list(self, node: yaml.SequenceNode, path: tuple[str | int, ...]) -> list[Any]:
        items = []
        for index, item in enumerate(node.value):
            self._document.lines[*path, index] = item.start_mark.line + 1
            items.append(self._value(item, (*path, index)))
        return items

    def _scalar(self, node: yaml.ScalarNode, path: tuple[str | int, ...]) -> Any:
        if node.tag == f"{_PLAIN_TAG}null":
            return None
        if path[0] in self._verbatim:
            return node.value
        try:
            text = expand(node.value, self._environ)
            if text != node.value:
                self._document.replaced[path] = node.value
            return text
        except UnknownVariable as error:
            line = node.start_mark.line + 1
            self._document.add_problem(str(error), line, path)
            return MISSING


_UNALIGNED = "found a line indented unlike those before it; align them"
_YAML_PROBLEMS = (
    (r"'\\t'", "found a tab; indent with spaces"),
    (r"undefined alias|scanning an alias", "found `*` before a word; put the value in quotes"),
    (r"cannot start any token", "found a character that no value starts with; put it in quotes"),
    (r"mapping values are not allowed", "found a second `: `; put the value in quotes"),
    (r"could not find expected ':'", "found a line without `: `; write it as `key: value`"),
    (r"while scanning a quoted scalar", "found a quote that is never closed"),
    (r"expected <block end>", _UNALIGNED),
    (r"flow (mapping|sequence)", "found a `{` or `[` that is not closed as expected"),
    (r"expected a single document", "found a second document after `---`; write just one"),
    (r"anchor", "found an anchor `&` that is wrong or used twice; write the value out"),
)


def _plain_words(error: yaml.MarkedYAMLError, before: str) -> str:
    """What is wrong; *before* is what stands before it in its line."""
    # PyYAML quotes what it stumbled over, which may be a part of a secret: only known words go out.
    said = f"{error.context or ''} {error.problem or ''}"
    if "mapping values are not allowed" in said and ":" not in before:
        return _UNALIGNED
    for pattern, words in _YAML_PROBLEMS:
        if re.search(pattern, said):
            return words
    return "found something unexpected; check quotes, colons and indentation"
