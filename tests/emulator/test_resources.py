"""Objects of the emulated platform: what is kept, what survives, what is refused."""

from pathlib import Path

import pytest

from agent.emulator.platform import Platform
from agent.emulator.resources import Resources
from agent.errors import AgentError


def test_a_new_object_has_an_id_a_time_and_a_first_revision() -> None:
    resources = Resources(now=lambda: 1617743929.826)
    made = resources.add({"name": "one"})
    assert resources.get(made.id) == made
    assert (made.created_ms, made.updated_ms, made.revision) == (1617743929826, 1617743929826, 1)


def test_every_replacement_has_another_etag_and_a_later_revision() -> None:
    times = iter([1.0, 2.0])
    resources = Resources(now=lambda: next(times))
    made = resources.add({"name": "one"})
    changed = resources.replace(made.id, {"name": "two"})
    assert changed.etag != made.etag
    assert (changed.created_ms, changed.updated_ms, changed.revision) == (1000, 2000, 2)
    assert changed.body == {"name": "two"}


def test_objects_come_in_order_of_their_making_and_only_those_of_the_sandbox() -> None:
    resources = Resources()
    names = [
        resources.add({"n": n}, sandbox=box).body["n"]
        for n, box in enumerate(("prod", "dev", "prod"))
    ]
    assert [each.body["n"] for each in resources.all()] == names
    assert [each.body["n"] for each in resources.all(sandbox="prod")] == [0, 2]
    other = next(resources.all(sandbox="dev"))
    assert resources.get(other.id, sandbox="prod") is None
    assert resources.get(other.id, sandbox="dev") == other


def test_an_id_is_given_once() -> None:
    resources = Resources()
    resources.add({}, id="same")
    with pytest.raises(KeyError):
        resources.add({}, id="same")


def test_what_was_kept_is_there_after_a_restart_even_without_a_close(tmp_path: Path) -> None:
    file = tmp_path / "platform" / "flows.ndjson"
    before = Resources(file)
    stays = before.add({"name": "stays"})
    changed = before.replace(before.add({"name": "old"}).id, {"name": "new"})
    before.remove(before.add({"name": "goes"}).id)
    with Resources(file) as after:
        assert list(after.all()) == [stays, changed]
    before.close()


def test_a_line_that_was_half_written_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "flows.ndjson"
    with Resources(file) as before:
        whole = before.add({"name": "whole"})
    with file.open("ab") as torn:
        torn.write(b'{"kept":{"id":"torn","bo')
    with Resources(file) as after:
        assert list(after.all()) == [whole]
        after.add({"name": "next"}, id="next")
    with Resources(file) as again:
        assert [each.id for each in again.all()] == [whole.id, "next"]


def test_opening_leaves_out_what_was_replaced_since(tmp_path: Path) -> None:
    file = tmp_path / "flows.ndjson"
    with Resources(file) as before:
        made = before.add({"n": 0})
        for n in range(1, 100):
            before.replace(made.id, {"n": n})
    with Resources(file) as after:
        assert [each.body["n"] for each in after.all()] == [99]
    assert len(file.read_bytes().splitlines()) == 1


def test_a_file_does_not_grow_with_every_replacement_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.emulator.resources._SUPERSEDED", 10)
    file = tmp_path / "runs.ndjson"
    with Resources(file) as before:
        made = before.add({"n": 0})
        other = before.add({"n": "other"})
        for n in range(1, 100):
            before.replace(made.id, {"n": n})
            assert len(file.read_bytes().splitlines()) <= 14
    with Resources(file) as after:
        assert [each.body["n"] for each in after.all()] == [99, "other"]
        assert after.get(other.id) == other


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "platform").write_text("a file, where a directory should be")
    with pytest.raises(AgentError, match="cannot keep resources in"):
        Platform(tmp_path)


def test_a_damaged_file_is_named_and_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "flows.ndjson"
    file.write_bytes(b"no JSON\n")
    with pytest.raises(AgentError, match=r"flows\.ndjson.*move it away"):
        Resources(file)
    assert file.read_bytes() == b"no JSON\n"


def test_the_platform_knows_its_collections_by_their_own_names(tmp_path: Path) -> None:
    platform = Platform(tmp_path)
    dataset = platform["dataSets"].add({"name": "rows"})
    assert len(dataset.id) == 24
    assert platform.datasets.get(dataset.id) == dataset
    platform.close()
    after = Platform(tmp_path)
    assert after.datasets.get(dataset.id) == dataset
    after.close()
