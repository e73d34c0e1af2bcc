"""What becomes of one record: it lands, or it is told why not."""

from agent.dataprep import Judge, MappingSet
from agent.xdm import Library, Schema, compile_schema
from dataprep.schemas import PERSON, PERSONAL, PROFILE_CLASS, schema_of, text

MAPPING = MappingSet.from_json(
    {
        "mappings": [
            {"source": "id", "destination": "_id"},
            {"source": "firstName", "destination": "person.name.firstName"},
            {"source": "bornOn", "destination": "person.birthDate"},
            {"source": "year", "destination": "person.birthYear"},
        ]
    }
)


def profile() -> Schema:
    return compile_schema(
        {
            "$id": "https://ns.adobe.com/acme/schemas/1",
            "title": "People",
            "type": "object",
            "allOf": [{"$ref": PROFILE_CLASS}, {"$ref": PERSON}, {"$ref": PERSONAL}],
        },
        Library.standard(),
    )


def test_a_mapped_record_is_coerced_and_lands() -> None:
    outcome = Judge(profile(), MAPPING).judge(
        {"id": 1234, "firstName": "Jim", "bornOn": "1990/05/17", "year": "1990"}
    )

    assert outcome.violations == []
    assert outcome.entity == {
        "_id": "1234",
        "person": {"name": {"firstName": "Jim"}, "birthDate": "1990-05-17", "birthYear": 1990},
    }


def test_a_record_that_breaks_the_schema_is_refused_and_what_it_became_can_be_seen() -> None:
    outcome = Judge(profile(), MAPPING).judge({"firstName": ["Jim"], "year": "long ago"})

    assert outcome.entity is None
    assert {each.pointer for each in outcome.violations} == {
        "#/person/birthYear",
        "#/person/name/firstName",
    }
    assert outcome.mapped == {"person": {"name": {"firstName": ["Jim"]}, "birthYear": "long ago"}}


def test_without_a_mapping_a_record_is_validated_as_it_is() -> None:
    judge = Judge(schema_of(name=text()), None)

    assert judge.judge({"name": "a"}).entity == {"name": "a"}
    assert [each.message for each in judge.judge({"name": 1}).violations] == [
        "expected type: String, found: Long"
    ]


def test_what_is_no_object_is_refused() -> None:
    outcome = Judge(profile(), MAPPING).judge([1])

    assert outcome.entity is None
    assert [each.message for each in outcome.violations] == [
        "expected type: JSONObject, found: JSONArray"
    ]


def test_profile_warns_of_records_that_name_nobody() -> None:
    judge = Judge(profile(), MAPPING, profile=True)

    outcome = judge.judge({"id": "1"})

    assert outcome.entity == {"_id": "1"}
    assert [each.destination for each in outcome.warnings] == ["identityMap"]
