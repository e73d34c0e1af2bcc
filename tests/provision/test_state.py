"""Is a state that was damaged, changed by hand or of somewhere else told with its place?"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.errors import ConfigError, StoreError, StoreLocked
from agent.provision.state import Place, StateFile, read

PLACE = Place(url="http://127.0.0.1:9", org_id="0123@AdobeOrg", sandbox="prod")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A state with two objects in it."""
    path = tmp_path / "orders.state.json"
    with StateFile.open(path, PLACE) as file:
        file.note("schema", "Orders", "https://ns.adobe.com/a/schemas/1", made=True)
        file.begin("dataset", "Orders")
    return path


def _edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    tree = json.loads(path.read_bytes())
    change(tree)
    path.write_text(json.dumps(tree, indent=2))


def test_what_is_noted_is_read_back(path: Path) -> None:
    with StateFile.open(path, PLACE) as file:
        schema, dataset = file.object("schema"), file.object("dataset")

    assert schema
    assert schema.id == "https://ns.adobe.com/a/schemas/1"
    assert schema.made
    assert dataset
    assert dataset.id is None
    assert dataset.begun
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda t: t["objects"][0].update(made="perhaps"), '13: objects[0].made: found "perhaps"'),
        (
            lambda t: t["objects"][0].update(nmae="x"),
            "objects[0].nmae: unknown key; did you mean n",
        ),
        (lambda t: t["objects"][0].pop("name"), "objects[0].name: missing"),
        (lambda t: t["objects"].append(t["objects"][0]), "objects[2].key: found schema twice"),
        (lambda t: t["objects"][0].update(key="x"), 'objects[0].key: found "x"; write one of base'),
        (lambda t: t.update(version="x"), '2: version: found "x"; write a whole number'),
        (lambda t: t.update(version=9), "written by a newer version (9)"),
        (lambda t: t["place"].update(sandbox="dev"), "it is about sandbox dev of 0123@AdobeOrg"),
        (lambda t: t.update(ready_at="soon"), 'ready_at: found "soon"; write a time such as'),
        (lambda t: t.update(objects={}), "objects: found a mapping; write a list"),
    ],
)
def test_what_was_changed_by_hand_is_told_with_its_place(
    path: Path, change: Callable[[dict[str, Any]], object], expected: str
) -> None:
    _edit(path, change)
    before = path.read_bytes()

    with pytest.raises(ConfigError) as caught:
        StateFile.open(path, PLACE)
    assert expected in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{\n  "version": 1,\n  oops\n}', ":3: not valid JSON at column 3"),
        (b"", "not valid JSON at column 1"),
        (b"\xff", "it is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[]", "found no mapping"),
    ],
)
def test_a_file_that_is_no_state_is_told(path: Path, content: bytes, expected: str) -> None:
    path.write_bytes(content)

    with pytest.raises(ConfigError) as caught:
        read(path, PLACE)
    assert expected in str(caught.value)


def test_two_at_once_are_not_let(path: Path) -> None:
    first = StateFile.open(path, PLACE)
    with pytest.raises(StoreLocked, match=r"works on this manifest.*wait until it has ended"):
        StateFile.open(path, PLACE)
    first.close()
    with StateFile.open(path, PLACE):
        pass


def test_a_state_that_is_refused_is_not_locked_for_ever(path: Path) -> None:
    good = path.read_bytes()
    path.write_bytes(b"x")
    with pytest.raises(ConfigError):
        StateFile.open(path, PLACE)
    path.write_bytes(good)
    with StateFile.open(path, PLACE):
        pass


def test_what_only_another_may_write_is_told_as_that(path: Path) -> None:
    lock = path.with_name(f"{path.name}.lock")
    lock.unlink()
    lock.mkdir()
    with pytest.raises(StoreError) as told:
        StateFile.open(path, PLACE)
    assert str(told.value).startswith(f"{path}: the state cannot be written: Is a directory")
    assert "--data-dir" not in str(told.value)  # `provision` has no such flag


def test_a_state_that_cannot_be_written_stops_everything(path: Path) -> None:
    with StateFile.open(path, PLACE) as file:
        (path.parent / f".{path.name}.new").mkdir()
        with pytest.raises(StoreError, match="nothing more is done on the platform"):
            file.begin("flow", "Orders")
        assert file.object("flow") is None
