"""What does a YAML file say, on which line, and what if it says nothing readable?"""

from collections.abc import Callable
from pathlib import Path

import pytest

from agent.config import load
from agent.config.document import read_document
from agent.errors import ConfigError

Report = Callable[..., list[str]]


def test_scalars_stay_the_text_that_was_written(written: Callable[..., Path]) -> None:
    path = written("a: 0012\nb: 2024-01-01\nc: off\nd: 1:30\ne: 1e5\nf: 'null'\n")
    assert read_document(path, {}).tree == {
        "a": "0012",
        "b": "2024-01-01",
        "c": "off",
        "d": "1:30",
        "e": "1e5",
        "f": "null",
    }


@pytest.mark.parametrize("text", ["a:\n", "a: ~\n", "a: null\n"])
def test_only_an_unquoted_null_is_none(written: Callable[..., Path], text: str) -> None:
    assert read_document(written(text), {}).tree == {"a": None}


@pytest.mark.parametrize("text", ["", "\n", "# only a comment\n", "---\n", "\ufeff", "null"])
def test_an_empty_file_means_the_defaults(
    configured: Callable[..., object], report: Report, text: str
) -> None:
    assert configured(text) == configured("inlet:\n")


def test_aliases_repeat_a_value(written: Callable[..., Path]) -> None:
    path = written("a: &size 1MB\nb: *size\n")
    assert read_document(path, {}).tree == {"a": "1MB", "b": "1MB"}


def test_every_key_and_item_has_its_line(written: Callable[..., Path]) -> None:
    document = read_document(written("a:\n  b:\n    - c: 1\n    - d: 2\n"), {})
    assert document.line_of(("a",)) == 1
    assert document.line_of(("a", "b", 1, "d")) == 4
    assert document.line_of(("a", "b", 1, "missing", "deeper")) == 4
    assert document.line_of(("elsewhere",)) is None


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "batch:\n  max_wait: 1s\n\n  max_wait: 2s\n",
            "config.yaml:4: batch.max_wait: written twice, first on line 2; keep one",
        ),
        (
            "batch:\n\tmax_wait: 1s\n",
            "config.yaml:2: not valid YAML at column 1: found a tab; indent with spaces",
        ),
        ("- a\n- b\n", "config.yaml:1: found no mapping; write settings as `key: value`"),
        ("just words\n", "config.yaml:1: found no mapping; write settings as `key: value`"),
        (
            "batch:\n  max_wait: [1s\nlog: {}\n",
            "config.yaml:3: not valid YAML at column 4: "
            "found a `{` or `[` that is not closed as expected",
        ),
        (
            "log:\n  level: @info\n",
            "config.yaml:2: not valid YAML at column 10: "
            "found a character that no value starts with; put it in quotes",
        ),
        (
            "inlet:\n  token: *secret\n",
            "config.yaml:2: not valid YAML at column 10: "
            "found `*` before a word; put the value in quotes",
        ),
        (
            "log: level: info\n",
            "config.yaml:1: not valid YAML at column 11: "
            "found a second `: `; put the value in quotes",
        ),
        (
            "log:\n  level: info\n   format: json\n",
            "config.yaml:3: not valid YAML at column 10: "
            "found a line indented unlike those before it; align them",
        ),
        (
            "log:\r  level: info\r   format: json\r",
            "config.yaml:3: not valid YAML at column 10: "
            "found a line indented unlike those before it; align them",
        ),
        (
            "#" + 1_048_576 * "x",
            "config.yaml: larger than 1 MiB, which no configuration is; check the path",
        ),
        (
            "batch: {}\nlog\n",
            "config.yaml:3: not valid YAML at column 1: "
            "found a line without `: `; write it as `key: value`",
        ),
        (
            "log:\n  level: 'info\n",
            "config.yaml:3: not valid YAML at column 1: found a quote that is never closed",
        ),
        (
            "log:\n    level: info\n  format: json\n",
            "config.yaml:3: not valid YAML at column 3: "
            "found a line indented unlike those before it; align them",
        ),
        (
            "log: {}\n---\nlog: {}\n",
            "config.yaml:2: not valid YAML at column 1: "
            "found a second document after `---`; write just one",
        ),
        (
            "log:\n  level: &a\n  format: &a &b x\n",
            "config.yaml:3: not valid YAML at column 11: "
            "found an anchor `&` that is wrong or used twice; write the value out",
        ),
        (
            b"log:\n  level: \x01info\n",
            "config.yaml:2: found the control character 0x01; remove it",
        ),
        (
            b"log:\n  level: inf\xff\n",
            "config.yaml:2: found the byte 0xff; write the file in UTF-8",
        ),
        ("log: !secret x\n", "config.yaml:1: log: found the tag !secret; write none"),
        ("[a, b]: x\n", "config.yaml:1: found a key that is not a word"),
        (
            "log: " + "[" * 5000 + "]" * 5000,
            "config.yaml: nested too deeply; no setting lies deeper than five levels",
        ),
        (
            "log: &log\n  level: *log\n",
            "config.yaml:2: log.level: found an alias `*` of what it lies in itself; write the"
            " value out",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_line(
    report: Report, content: str | bytes, expected: str
) -> None:
    assert report(content) == [expected]


def test_aliases_cannot_multiply_into_billions(report: Report) -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert report("\n".join(levels)) == [
        "config.yaml: nested too deeply; no setting lies deeper than five levels"
    ]


def test_a_missing_file_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "nowhere.yaml", environ={})
    assert str(caught.value) == f"{tmp_path}/nowhere.yaml: no such file; check the path"


def test_a_directory_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environ={})
    assert str(caught.value) == (
        f"{tmp_path}: cannot be read: is a directory; check the path and its permissions"
    )
