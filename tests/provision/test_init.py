"""Does what is inferred from records load, hold every field, and show no value?"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent.errors import InputError
from agent.provision.inferring import Sample, read_sample
from agent.provision.manifest.loading import Written
from agent.provision.writing import manifest_text
from provision.conftest import ENVIRON
from support.agent import aep_agent

Load = Callable[..., Written]


def _sample(*records: Mapping[str, Any]) -> Sample:
    sample = Sample()
    for record in records:
        sample.add(record)
    return sample


def _inferred(loaded: Load, *records: Mapping[str, Any]) -> Written:
    return loaded(manifest_text("orders", _sample(*records)), ENVIRON)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([1, 2], "integer"),
        ([1, 2.5], "number"),
        ([True], "boolean"),
        (["a"], "string"),
        (["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.5+01:00"], "date-time"),
        (["2026-01-02"], "date"),
        (["2026-13-02"], "string"),
        (["a@b.example"], "email"),
        (["https://a.example/x"], "uri"),
        ([1, "a"], "string"),
        (["2026-01-02", "whenever"], "string"),
        ([1, None], "integer"),
    ],
)
def test_a_type_holds_every_value_that_was_seen(loaded: Load, values: list[Any], kind: str) -> None:
    manifest = _inferred(loaded, *({"x": value} for value in values)).manifest

    assert [(each.path, each.type) for each in manifest.schema_.fields] == [("x", kind)]


def test_every_field_is_mapped_to_one_of_our_own(loaded: Load) -> None:
    record = {"a": {"b": 1}, "list": [{"c": 1}, {"d": 2}], "tags": ["x"]}
    manifest = _inferred(loaded, record).manifest

    assert {line.attribute: line.to for line in manifest.mapping} == {
        "a.b": "_tenant.a.b",
        "list[*].c": "_tenant.list[*].c",
        "list[*].d": "_tenant.list[*].d",
        "tags": "_tenant.tags",
    }
    assert "tags[*]" in {each.path for each in manifest.schema_.fields}


def test_names_that_xdm_or_the_language_do_not_take_are_wrapped_and_renamed(
    loaded: Load,
) -> None:
    record = {"First Name": 1, "a.b": 1, "for": 1, "9": 1, "ü": 1}
    manifest = _inferred(loaded, record).manifest

    assert {line.attribute: line.to for line in manifest.mapping} == {
        "${First Name}": "_tenant.First_Name",
        r"${a\.b}": "_tenant.a_b",
        "${for}": "_tenant.for",
        "${9}": "_tenant.f_9",
        "${ü}": "_tenant.f__",
    }


def test_records_with_a_time_are_events(loaded: Load) -> None:
    manifest = _inferred(loaded, {"timestamp": "2026-01-02T03:04:05Z"}).manifest

    assert manifest.schema_.class_.endswith("/experienceevent")
    assert {"_id", "timestamp"} <= {line.to for line in manifest.mapping}
    assert manifest.agent.settings["record_id"] == {"add": "content"}


def test_what_no_field_can_hold_is_left_out_and_told(loaded: Load) -> None:
    deep: dict[str, Any] = {"x": 1}
    for _ in range(30):
        deep = {"x": deep}
    sample = _sample(
        {"n": None, "m": [[1]], "a": {"b": 1}, "A": 2, "c": {"d": 1}, "deep": deep, "e": 1},
        {"c": 5, "e": [{"f": 1}]},
    )
    manifest = loaded(manifest_text("x", sample), ENVIRON).manifest

    left_out = "\n".join(sample.remarks())
    assert {line.to for line in manifest.mapping} == {"_tenant.a.b", "_tenant.c.d", "_tenant.e"}
    for words in ("n: it is always null", "m: a list of lists", "A: ", "c: ", "e[*].f: ", "deeper"):
        assert f"left out: {words}" in left_out or words in left_out


def test_no_value_of_a_record_stands_in_the_manifest(loaded: Load) -> None:
    text = manifest_text("orders", _sample({"card": "4111-1111", "mail": "a@geheim.example"}))

    assert "4111" not in text
    assert "geheim" not in text


def test_lines_that_are_no_records_are_told_and_some_must_be(tmp_path: Path) -> None:
    file = tmp_path / "x.ndjson"
    file.write_bytes(b'{"a":1}\nx\n\n[1]\n{"a":2}\n')

    sample = read_sample(str(file), 100)

    assert sample.records == 2
    assert list(sample.remarks()) == ["2 lines hold no JSON object (line 2, 4)"]
    file.write_bytes(b"x\n")
    with pytest.raises(InputError, match="no line holds a JSON object"):
        read_sample(str(file), 100)
    with pytest.raises(InputError, match="cannot be read"):
        read_sample(str(tmp_path / "none"), 100)


def test_only_so_many_records_are_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "x.ndjson"
    file.write_text("".join(json.dumps({f"f{n}": n}) + "\n" for n in range(50)))

    assert len(read_sample(str(file), 10).fields) == 10


def test_init_writes_a_manifest_once_and_never_over_another(tmp_path: Path) -> None:
    (tmp_path / "orders.ndjson").write_text('{"id": 1}\n')

    first = aep_agent("provision", "init", "--from", "orders.ndjson", "-o", "o.yaml", cwd=tmp_path)
    again = aep_agent("provision", "init", "--from", "orders.ndjson", "-o", "o.yaml", cwd=tmp_path)
    shown = aep_agent("provision", "init", "--from", "-", stdin=b'{"id": 1}\n')

    assert (first.code, again.code, shown.code) == (0, 1, 0)
    assert b"it is left as it is" in again.stderr
    assert b"title: orders" in (tmp_path / "o.yaml").read_bytes()
    assert b"title: records" in shown.stdout
