"""The table of recipes names every file there is, and says "tested" where a test uses it."""

import re
from pathlib import Path

import yaml

from recipes.stage import RECIPES

TABLE = (RECIPES / "README.md").read_text()
ROWS = [line for line in TABLE.splitlines() if line.startswith("| ") and "](" in line]


def test_every_recipe_is_in_the_table() -> None:
    linked = set(re.findall(r"\]\(([^)]+)\)", TABLE))
    assert linked == {path.name for path in RECIPES.iterdir()} - {"README.md"}


def test_what_is_called_tested_is_used_by_a_test_and_nothing_else_is() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    for row in ROWS:
        recipes = re.findall(r"\]\(([^)]+)\)", row)
        used = all(f'"{name}"' in tests for name in recipes)
        assert used == ("| tested |" in row), row


def test_what_was_not_tried_says_so_in_its_first_line() -> None:
    untried = {
        name
        for row in ROWS
        if "| tested |" not in row
        for name in re.findall(r"\]\(([^)]+)\)", row)
        if not any(f"({name})" in other for other in ROWS if "| tested |" in other)
    }
    assert untried
    for name in untried:
        assert "NOT TESTED" in (RECIPES / name).read_text().splitlines()[0], name


def test_recipes_in_yaml_are_yaml() -> None:
    for path in [*RECIPES.glob("*.yaml"), *RECIPES.glob("*.yml")]:
        assert isinstance(yaml.safe_load(path.read_text()), dict), path
