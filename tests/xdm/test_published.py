"""Adobe's own component files; where they lie beside the repository, all of them are tried."""

import json
from pathlib import Path

import pytest

from agent.xdm import Library, SchemaError, compile_schema, kind_of, load_directory
from agent.xdm.library import KINDS
from xdm.records import Dice
from xdm.schemas import SAMPLE, XDM, sample

ADOBES = Path(__file__).parents[3] / "shared" / "xdm"
PERSON = {
    "$id": XDM + "context/person",
    "title": "Person",
    "type": "object",
    "definitions": {
        "person": {
            "properties": {
                "@id": {"type": "string"},
                "xdm:name": {"type": "string"},
                "schema:latitude": {"type": "number"},
                "schema:longitude": {"type": "number"},
                "https://ns.adobe.com/experience/mcid": {"type": "string"},
                "https://ns.adobe.com/xdm/channels/email": {"type": "boolean"},
                "xdm:friends": {"type": "array", "items": {"$ref": XDM + "context/person"}},
                "xdm:notes": {"type": "object", "additionalProperties": {"type": "string"}},
            },
            "required": ["xdm:name", "schema:latitude"],
        }
    },
    "allOf": [
        {"$ref": XDM + "common/extensible#/definitions/@context"},
        {"$ref": "#/definitions/person"},
    ],
}
GROUP = {
    "$id": XDM + "mixins/somebody",
    "title": "Somebody",
    "type": "object",
    "meta:intendedToExtend": [XDM + "context/profile"],
    "properties": {"xdm:somebody": {"$ref": XDM + "context/person"}},
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "fieldgroups").mkdir()
    (tmp_path / "fieldgroups" / "somebody.schema.json").write_text(json.dumps(GROUP))
    (tmp_path / "person.schema.json").write_text(json.dumps(PERSON))
    (tmp_path / "readme.json").write_text("no component")
    return tmp_path


def test_published_names_become_those_of_records(directory: Path) -> None:
    library = Library()
    load_directory(library, directory)
    schema = compile_schema(XDM + "mixins/somebody", library)
    record = {
        "somebody": {
            "_id": "1",
            "name": "Jane",
            "_schema": {"latitude": 45.7, "longitude": 4.8},
            "_experience": {"mcid": "12"},
            "_channels": {"email": True},
            "friends": [{"name": "Joe", "_schema": {"latitude": 1}}],
            "notes": {"anything": "goes"},
        }
    }
    assert schema.violations(record) == []
    assert [v.message for v in schema.violations({"somebody": {"xdm:name": "Jane"}})] == [
        "required key [name] not found",
        "required key [_schema] not found",
        "extraneous key [xdm:name] is not permitted",
    ]


def test_the_kind_of_a_component_is_that_of_its_directory(directory: Path) -> None:
    library = Library()
    load_directory(library, directory)
    assert [group["title"] for group in library.all("fieldgroups")] == ["Somebody"]
    assert [part["title"] for part in library.all("datatypes")] == ["Person"]
    person = library.get(PERSON["$id"])
    assert person is not None
    assert person["meta:resourceType"] == "datatypes", "where no directory says it"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("person.json", "{}", "holds no *.schema.json"),
        ("person.schema.json", "{", "cannot be read as an XDM component"),
        ("person.schema.json", "[]", "person.schema.json is not an XDM component"),
        ("person.schema.json", '{"title": "Person"}', "it has no $id"),
    ],
)
def test_what_is_no_component_is_named(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(SchemaError) as refused:
        load_directory(Library(), tmp_path)
    assert message in str(refused.value)


def adobes() -> Library:
    library = Library()
    if ADOBES.is_dir():
        load_directory(library, ADOBES)
    return library


LIBRARY = adobes()


def test_every_published_component_is_a_schema() -> None:
    assert sum(1 for kind in KINDS for _ in LIBRARY.all(kind)) in {0, 438}
    for kind in KINDS:
        for component in LIBRARY.all(kind):
            schema = compile_schema(component["$id"], LIBRARY)
            assert all(field.type != "any" for field in schema.fields()), component["$id"]


def test_records_of_every_published_class_are_valid() -> None:
    for parent in LIBRARY.all("classes"):
        groups = (
            group["$id"]
            for group in LIBRARY.all("fieldgroups")
            if parent["$id"] in group.get("meta:intendedToExtend", ())
        )
        schema = compile_schema(sample(parent["$id"], *groups), LIBRARY)
        assert (schema.id, schema.class_id) == (SAMPLE, parent["$id"])
        full = schema.full()
        for seed in range(20):
            record = Dice(seed).value(full)
            assert schema.violations(record) == [], (parent["$id"], seed)


def test_the_standard_components_are_those_that_are_published() -> None:
    standard = Library.standard()
    for kind in KINDS:
        for component in standard.all(kind):
            ref = component["$id"]
            published = LIBRARY.get(ref)
            if published is None:
                assert not ADOBES.is_dir(), f"{ref} is nowhere published"
                continue
            assert kind_of(published) == kind
            assert component["title"] == published["title"]
            assert _facts(ref, standard) == _facts(ref, LIBRARY), ref


def _facts(ref: str, library: Library) -> dict[str, tuple[object, ...]]:
    schema = compile_schema(ref, library)
    return {
        field.path: (
            field.type,
            field.format,
            field.enum,
            field.suggested if not (field.format or field.enum) else None,
            field.minimum,
            field.maximum,
            field.required,
        )
        for field in schema.fields()
    }
