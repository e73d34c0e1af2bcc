"""Which fields there are, and what the resolved schema says of them."""

import pytest

from agent.xdm import Library, compile_schema
from xdm.schemas import EVENT, PROFILE, XDM, of_fields, sample, tutorial

STANDARD = Library.standard()


def test_paths_lead_through_objects_arrays_and_maps() -> None:
    commerce = XDM + "context/experienceevent-commerce"
    schema = compile_schema(sample(EVENT, commerce), STANDARD)
    types = {
        "productListItems": "array",
        "productListItems[0]": "object",
        "productListItems[*].quantity": "integer",
        "productListItems[].SKU": "string",
        "identityMap": "map",
        "identityMap.Email": "array",
        "identityMap.Email[0].primary": "boolean",
        "commerce.order.priceTotal": "number",
    }
    for path, kind in types.items():
        field = schema.field(path)
        assert field is not None, path
        assert (field.path, field.type) == (path, kind)
    listed = {field.path: field for field in schema.fields()}
    assert listed["productListItems[*].SKU"].required
    assert listed["identityMap.*[*].id"].type == "string"
    assert not listed["commerce.order"].required


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "[0]", "person.", "person..name", "person[0]", "person.name.firstName.x"),
        *("person.nothing", "person[", "person]x", "personID[0]"),
    ],
)
def test_a_path_that_leads_nowhere_is_no_field(path: str) -> None:
    assert compile_schema(tutorial(), STANDARD).field(path) is None


def test_a_name_with_dots_is_written_with_backslashes() -> None:
    schema = of_fields({"a.b": {"type": "string"}, "c[d": {"type": "string"}})
    paths = [field.path for field in schema.fields()]
    assert paths == [r"a\.b", r"c\[d"]
    assert all(schema.field(path) is not None for path in paths)


def test_a_field_knows_its_bounds_and_its_words() -> None:
    stars = {
        "type": "integer",
        "title": "Stars",
        "description": "How good it was.",
        "minimum": 1,
        "maximum": 5,
        "meta:status": "deprecated",
    }
    code = {"type": "string", "pattern": "^[A-Z]+$", "minLength": 2, "maxLength": 3}
    kind = {"type": "string", "enum": ["a"], "meta:enum": {"a": "A"}}
    schema = of_fields({"stars": stars, "code": code, "kind": kind})
    field = schema.field("stars")
    assert field is not None
    assert (field.title, field.description, field.deprecated) == ("Stars", "How good it was.", True)
    assert (field.minimum, field.maximum) == (1, 5)
    field = schema.field("code")
    assert field is not None
    assert (field.pattern, field.min_length, field.max_length) == ("^[A-Z]+$", 2, 3)
    field = schema.field("kind")
    assert field is not None
    assert (field.enum, field.suggested) == (("a",), ("a",))


def test_the_full_schema_has_everything_in_its_place() -> None:
    full = compile_schema(tutorial(), STANDARD).full()
    assert full["$id"] == tutorial()["$id"]
    assert full["meta:class"] == PROFILE
    assert "allOf" not in full
    person = full["properties"]["person"]
    assert person["meta:xdmField"] == "xdm:person"
    assert person["properties"]["birthYear"] == {
        "meta:xdmField": "xdm:birthYear",
        "title": "Birth year",
        "type": "integer",
        "meta:xdmType": "short",
        "minimum": 1,
        "maximum": 32767,
    }
    assert person["properties"]["birthDate"]["meta:xdmType"] == "date"
    assert full["properties"]["_id"]["meta:xdmField"] == "@id"
    created = full["properties"]["_repo"]["properties"]["createDate"]
    assert created["meta:xdmField"] == "repo:createDate"
    assert "description" not in full, "nor that of its class instead"


def test_the_full_schema_says_which_shapes_exclude_each_other() -> None:
    either = {"oneOf": [{"type": "string"}, {"type": "integer"}]}
    full = of_fields({"a": either, "b": {}}).full()
    assert [choice["type"] for choice in full["properties"]["a"]["oneOf"]] == ["string", "integer"]
    assert full["properties"]["b"] == {"meta:xdmField": "xdm:b"}


def test_the_full_schema_without_text_says_the_same() -> None:
    schema = compile_schema(tutorial(), STANDARD)
    assert "title" not in schema.full(text=False)["properties"]["person"]
    assert schema.full(text=False)["title"] == schema.title
    again = compile_schema(schema.full(text=False), Library())
    assert {f.path: f.type for f in again.fields()} == {f.path: f.type for f in schema.fields()}


@pytest.mark.parametrize(
    ("low", "high", "width"),
    [
        (None, None, "int"),
        (0, None, "int"),
        (-128, 127, "byte"),
        (0, 128, "byte"),
        (-32768, 32767, "short"),
        (0, 2**31 - 1, "int"),
        (0, 2**53, "long"),
        (None, 2**53, "long"),
    ],
)
def test_the_width_of_an_integer_follows_from_its_bounds(
    low: int | None, high: int | None, width: str
) -> None:
    bounds = {"minimum": low, "maximum": high}
    field = {"type": "integer", **{k: v for k, v in bounds.items() if v is not None}}
    assert of_fields({"a": field}).full()["properties"]["a"]["meta:xdmType"] == width
