"""How a schema comes together out of its class, field groups and data types."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.xdm import Library, SchemaError, compile_schema, compile_union
from xdm.schemas import EVENT, PERSON_DETAILS, PROFILE, SAMPLE, XDM, identity, sample

KEYWORDS = [
    *("type", "properties", "items", "additionalProperties", "required", "enum", "meta:enum"),
    *("allOf", "oneOf", "$ref", "definitions", "pattern", "format", "minLength", "maxLength"),
    *("minimum", "maximum", "exclusiveMinimum", "minItems", "maxItems", "uniqueItems"),
    *("meta:xdmType", "meta:refProperty", "meta:extends", "meta:class", "meta:status", "title"),
]
GROUP = "https://ns.adobe.com/acme/mixins/shoes"


def group(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "$id": GROUP,
        "meta:altId": "_acme.mixins.shoes",
        "title": "Shoes",
        "type": "object",
        "meta:intendedToExtend": [PROFILE],
        "definitions": {"custom": {"properties": properties}},
        "allOf": [{"$ref": "#/definitions/custom"}],
        **more,
    }


@pytest.fixture
def library() -> Library:
    library = Library.standard()
    library.add(group({"_acme": {"type": "object", "properties": {"size": {"type": "integer"}}}}))
    return library


def test_a_field_group_of_a_tenant_is_found_by_id_and_by_alternate_id(library: Library) -> None:
    for ref in (GROUP, "_acme.mixins.shoes"):
        schema = compile_schema(sample(PROFILE, ref), library)
        assert schema.field("_acme.size") is not None


def test_groups_that_speak_of_the_same_object_add_to_it(library: Library) -> None:
    library.add(group({"person": {"type": "object", "properties": {"shoe": {"type": "string"}}}}))
    schema = compile_schema(sample(PROFILE, PERSON_DETAILS, GROUP), library)
    record = {"person": {"shoe": "boot", "name": {"firstName": "Jane"}}}
    assert schema.violations(record) == []


def test_what_is_said_nearer_counts_more(library: Library) -> None:
    near = {"person": {"title": "Who", "$ref": XDM + "context/person"}}
    schema = compile_schema(group(near), library)
    field = schema.field("person")
    assert field is not None
    assert field.title == "Who"


@pytest.mark.parametrize("chosen", ["/person/name", ["/person/name", "/nothing"]])
def test_a_schema_may_take_single_fields_of_a_group(library: Library, chosen: Any) -> None:
    part = {"$ref": PERSON_DETAILS, "meta:refProperty": chosen}
    component = {**sample(PROFILE), "allOf": [{"$ref": PROFILE}, part]}
    schema = compile_schema(component, library)
    assert schema.field("person.name.firstName") is not None
    assert schema.field("person.birthYear") is None
    assert schema.field("personID") is not None, "the class has all its fields"


def test_of_what_is_not_chosen_nothing_is_required(library: Library) -> None:
    component = {"$id": "x", "allOf": [{"$ref": EVENT, "meta:refProperty": ["/_id"]}]}
    messages = [v.message for v in compile_schema(component, library).violations({})]
    assert messages == ["required key [_id] not found"]


def test_the_class_and_its_behaviour_are_known(library: Library) -> None:
    event = compile_schema(sample(EVENT), library)
    assert (event.class_id, event.is_event) == (EVENT, True)
    assert [v.message for v in event.violations({})] == [
        "required key [_id] not found",
        "required key [timestamp] not found",
    ]
    own = "https://ns.adobe.com/acme/classes/shop"
    library.add({"$id": own, "meta:extends": [XDM + "data/record"], "allOf": []})
    shop = compile_schema(sample(own), library)
    assert (shop.class_id, shop.is_event) == (own, False)
    assert compile_schema(own, library).class_id == own
    assert compile_schema({"$id": SAMPLE, "type": "object"}, library).class_id == ""


@pytest.mark.parametrize(
    ("component", "message"),
    [
        (sample(PROFILE, XDM + "nowhere"), "refers to https://ns.adobe.com/xdm/nowhere, which the"),
        (sample(PROFILE + "#/definitions/nowhere"), "profile#/definitions/nowhere, which the"),
        ({"$id": "x", "properties": {"a": {"b": {}}, "c": 5}}, "#/properties/c: found 5; write"),
        ({"$id": "x", "properties": []}, "#/properties: found []; write an"),
        ({"$id": "x", "properties": {"a": {"type": "null"}}}, "#/a is of type 'null', which XDM"),
        (
            {"$id": "x", "$ref": "#/x", "x": {"enum": 5}},
            "#/x, which # refers to, is no JSON schema",
        ),
        ({"$id": "x", "allOf": {}}, "#/allOf: found {}; write a list"),
        ({"$id": "x", "properties": {"a": {"minLength": "3"}}}, "/minLength: found '3'; write a"),
        ({"$id": "x", "properties": {"a": {"maximum": "9"}}}, "/maximum: found '9'; write a n"),
        ({"$id": "x", "properties": {"a": {"pattern": 1}}}, "/pattern: found 1; write a text"),
        ({"$id": "x", "properties": {"a": {"type": "int"}}}, "/type: found 'int'; write one of"),
        (
            {"$id": "x", "properties": {"a": {"type": "string", "pattern": "("}}},
            "'(' at #/a is no",
        ),
    ],
)
def test_what_cannot_be_composed_is_said_with_its_place(
    library: Library, component: dict[str, Any], message: str
) -> None:
    with pytest.raises(SchemaError) as refused:
        compile_schema(component, library)
    assert message in str(refused.value)


def test_schemas_and_versions_that_are_not_there_are_named(library: Library) -> None:
    with pytest.raises(SchemaError, match="there is no schema nowhere"):
        compile_schema("nowhere", library)
    with pytest.raises(SchemaError, match="has no version 2, only 1"):
        compile_schema(PROFILE, library, version=2)
    with pytest.raises(SchemaError, match="there is no class nowhere"):
        compile_union("nowhere", library)


def test_a_component_without_an_id_cannot_be_added(library: Library) -> None:
    with pytest.raises(SchemaError, match="'Shoes' has no \\$id"):
        library.add({"title": "Shoes"})
    with pytest.raises(SchemaError, match="component x is no JSON schema: #/required"):
        library.add({"$id": "x", "required": "name"})


def test_what_was_removed_is_missed(library: Library) -> None:
    library.remove("_acme.mixins.shoes")
    library.remove("never there")
    assert library.get(GROUP) is None
    assert library.get("_acme.mixins.shoes") is None
    with pytest.raises(SchemaError, match="mixins/shoes, which the library does not hold"):
        compile_schema(sample(PROFILE, GROUP), library)


def test_libraries_of_their_own_do_not_see_each_others_components(library: Library) -> None:
    assert Library.standard().get(GROUP) is None


def test_data_types_may_contain_themselves(library: Library) -> None:
    tree = {
        "$id": "https://ns.adobe.com/acme/datatypes/tree",
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "left": {"$ref": "https://ns.adobe.com/acme/datatypes/tree"},
            "more": {"type": "array", "items": {"$ref": "_acme.datatypes.tree"}},
        },
        "required": ["name"],
    }
    library.add(tree)
    schema = compile_schema(tree["$id"], library)
    deep: dict[str, Any] = {"name": "leaf"}
    for _ in range(50):
        deep = {"name": "node", "left": deep, "more": [{"name": 7}]}
    assert len(schema.violations(deep, limit=100)) == 50
    assert schema.violations(schema.coerce(deep)) == []
    assert schema.field("left.left.more[0].left.name") is not None
    listed = {field.path for field in schema.fields()}
    assert {"left.name", "left.more[*]", "left.left"} <= listed
    assert "left.left.name" not in listed
    assert "left" in schema.full()["properties"]["left"]["properties"]


def test_what_is_nested_beyond_all_reason_is_a_violation(library: Library) -> None:
    library.add({"$id": "acme", "properties": {"in": {"$ref": "acme"}, "n": {"type": "string"}}})
    schema = compile_schema("acme", library)
    deep: dict[str, Any] = {"n": 1}
    for _ in range(5000):
        deep = {"in": deep}
    assert schema.coerce(deep) is deep
    (violation,) = schema.violations(deep)
    assert violation.message == "the record is nested too deeply to be validated"


def test_components_that_extend_each_other_have_an_end(library: Library) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        fields = {name: {"type": "string"}}
        library.add({"$id": name, "properties": fields, "allOf": [{"$ref": other}]})
    schema = compile_schema("a", library)
    assert schema.violations({"a": "1", "b": "2"}) == []


def test_references_in_a_row_have_a_bound(library: Library) -> None:
    for number in range(100):
        library.add({"$id": f"n{number}", "allOf": [{"$ref": f"n{number + 1}"}]})
    library.add({"$id": "n100"})
    with pytest.raises(SchemaError, match="more than 64 references in a row"):
        compile_schema("n0", library)


def test_only_the_primary_identity_is_required(library: Library) -> None:
    descriptors = [
        identity("/personID", primary=False),
        {"@type": "xdm:alternateDisplayInfo", "xdm:sourceSchema": SAMPLE},
    ]
    assert compile_schema(sample(PROFILE), library, descriptors=descriptors).identity is None
    inherited = [identity("/personID", PROFILE)]
    schema = compile_schema(sample(PROFILE), library, descriptors=inherited)
    field = schema.field("personID")
    assert schema.identity == "personID"
    assert field is not None
    assert field.required


def test_a_union_has_the_fields_of_every_schema_enabled_for_profile(library: Library) -> None:
    enabled = {"meta:class": PROFILE, "meta:immutableTags": ["union"]}
    library.add({**sample(PROFILE, PERSON_DETAILS, **enabled), "$id": "one"})
    library.add({**sample(PROFILE, GROUP, **{"meta:class": PROFILE}), "$id": "two"})
    union = compile_union("_xdm.context.profile", library)
    assert union.id == PROFILE + "__union"
    assert union.field("person.name") is not None
    assert union.field("_acme.size") is None, "the second one is not enabled"


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", *KEYWORDS]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(component=st.dictionaries(st.sampled_from(KEYWORDS), ODD, max_size=4), record=ODD)
def test_whatever_somebody_posts_is_a_schema_or_is_refused(
    component: dict[str, Any], record: Any
) -> None:
    try:
        schema = compile_schema({**component, "$id": "x"}, Library())
    except SchemaError:
        return
    schema.violations(schema.coerce(record))
    assert isinstance(schema.full(), dict)
    assert list(schema.fields()) is not None
