"""The schema of Adobe's tutorial: a profile with a person and how to reach them."""

import pytest

from agent.xdm import Library, Schema, compile_schema
from xdm.schemas import PROFILE, SAMPLE, identity, tutorial


@pytest.fixture
def library() -> Library:
    library = Library.standard()
    library.add(tutorial())
    return library


@pytest.fixture
def schema(library: Library) -> Schema:
    return compile_schema(SAMPLE, library)


def test_a_schema_knows_its_class_and_its_title(schema: Schema) -> None:
    assert (schema.id, schema.class_id, schema.is_event) == (SAMPLE, PROFILE, False)
    assert schema.title == "Sample schema for a streaming connector"


def test_a_mapped_record_is_valid(schema: Schema) -> None:
    record = {
        "person": {"name": {"firstName": "Jane", "lastName": "Doe"}, "birthDate": "1985-01-01"},
        "personalEmail": {"address": "jane@example.com", "primary": True},
        "homeAddress": {"city": "Lyon", "_schema": {"latitude": 45.76}},
        "_repo": {"createDate": "2026-11-25T10:00:00Z"},
    }
    assert schema.violations(record) == []


def test_what_is_wrong_is_said_where_it_is_and_as_the_platform_says_it(schema: Schema) -> None:
    record = {"person": {"name": {"firstName": 7}, "gender": "robot"}, "nickname": "Jay"}
    assert [(v.pointer, v.keyword, v.message) for v in schema.violations(record)] == [
        ("#", "additionalProperties", "extraneous key [nickname] is not permitted"),
        ("#/person/name/firstName", "type", "expected type: String, found: Long"),
        ("#/person/gender", "enum", "robot is not a valid enum value"),
    ]
    assert (
        schema.violations(record)[1].schema_location
        == "#/properties/person/properties/name/properties/firstName"
    )


def test_validation_ends_after_five_violations_unless_more_are_asked_for(schema: Schema) -> None:
    record = {f"field{number}": 1 for number in range(9)}
    assert len(schema.violations(record)) == 5
    assert len(schema.violations(record, limit=20)) == 9


def test_mapped_values_become_what_their_fields_are(schema: Schema) -> None:
    record = {
        "person": {"name": {"firstName": 7}, "birthYear": "1985", "birthDate": "25.11.1985"},
        "personalEmail": {"primary": "yes"},
    }
    assert schema.coerce(record) == {
        "person": {"name": {"firstName": "7"}, "birthYear": 1985, "birthDate": "1985-11-25"},
        "personalEmail": {"primary": True},
    }
    assert record["personalEmail"] == {"primary": "yes"}, "the record itself stays as it was"
    assert schema.violations(schema.coerce(record)) == []


def test_the_primary_identity_must_be_there(library: Library) -> None:
    schema = compile_schema(
        SAMPLE, library, descriptors=[identity("/x", "other"), identity("/personalEmail/address")]
    )
    assert schema.identity == "personalEmail.address"
    assert [v.message for v in schema.violations({})] == ["required key [personalEmail] not found"]
    (violation,) = schema.violations({"personalEmail": {"primary": True}})
    assert (violation.pointer, violation.message) == (
        "#/personalEmail",
        "required key [address] not found",
    )


def test_a_field_is_found_by_its_path(schema: Schema) -> None:
    field = schema.field("person.birthYear")
    assert field is not None
    assert (field.type, field.minimum, field.maximum) == ("integer", 1, 32767)
    assert schema.field("person.shoeSize") is None
    assert "personalEmail.address" in {field.path for field in schema.fields()}
