"""The house rules that a reader relies on, checked."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "agent").rglob("*.py"))
LINES_MAX = 400
FUNCTION_LINES_MAX = 60
BANNED = {"util", "utils", "helper", "helpers", "common", "base", "misc", "manager"}


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_every_module_imports_only_from_the_floors_below_it() -> None:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as m; m()"]
    linted = subprocess.run([*command, "--no-cache"], cwd=ROOT, capture_output=True, text=True)

    assert linted.returncode == 0, linted.stdout + linted.stderr
    assert "0 broken" in linted.stdout


@pytest.mark.parametrize("path", MODULES, ids=_name)
def test_a_module_is_small_named_for_its_purpose_and_says_what_it_answers(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)
    long = [
        node.name
        for node in _functions(tree)
        if (node.end_lineno or 0) - node.lineno >= FUNCTION_LINES_MAX
    ]

    assert len(text.splitlines()) <= LINES_MAX
    assert long == []
    assert ast.get_docstring(tree)
    assert not BANNED & set(re.split(r"[_.]", path.stem))


def test_tasks_are_started_in_one_place() -> None:
    starters = [
        _name(path)
        for path in MODULES
        if re.search(r"\b(create_task|ensure_future)\(", path.read_text())
    ]

    assert starters == ["agent/supervisor.py"]
