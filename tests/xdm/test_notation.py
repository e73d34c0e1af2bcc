"""The few lines in which the standard components are written."""

from typing import Any

import pytest

from agent.xdm import Library, compile_schema, kind_of
from agent.xdm.library import KINDS, alternate_id
from agent.xdm.notation import components, standard_components, title_of
from xdm.schemas import PROFILE, XDM

SHOES = """\
acme/shoes:
  title: Shoes
  about: What somebody walks in
  for: [context/profile]
  extends: [acme/things]
  requires: [name]
  fields:
    size!: integer 14..52
    weight: number 0.1..
    colour: one of red | black
    shop: "string: here | there"
    code: "string /^[A-Z]{2}$/"
    note: string ..20
    tongue: language
    holes: byte
    worn: list of date
    laces: map of @acme/lace
    pairs:
      - left: boolean
    owners:
      "*": {since: date-time}
"""


def written() -> dict[str, Any]:
    (component,) = components("fieldgroups", SHOES)
    return component


def test_a_component_has_what_the_registry_says_of_it() -> None:
    shoes = written()
    assert shoes["$id"] == XDM + "acme/shoes"
    assert shoes["meta:intendedToExtend"] == [PROFILE]
    assert shoes["meta:extends"] == [XDM + "acme/things"]
    assert shoes["required"] == ["name"]
    assert shoes["description"] == "What somebody walks in"
    assert kind_of(shoes) == "fieldgroups"


def test_every_type_can_be_written() -> None:
    own = written()["definitions"]["fields"]
    assert own["required"] == ["size"]
    types = {
        name: {word: value for word, value in field.items() if word != "title"}
        for name, field in own["properties"].items()
    }
    assert types["size"] == {"type": "integer", "minimum": 14, "maximum": 52}
    assert types["weight"] == {"type": "number", "minimum": 0.1}
    assert types["colour"]["enum"] == ["red", "black"]
    assert types["shop"] == {"type": "string", "meta:enum": {"here": "Here", "there": "There"}}
    assert types["code"] == {"type": "string", "pattern": "^[A-Z]{2}$"}
    assert types["note"] == {"type": "string", "maxLength": 20}
    assert types["holes"] == {"type": "integer", "minimum": -128, "maximum": 127}
    assert types["tongue"]["pattern"].startswith("^[A-Za-z]")
    assert types["worn"] == {"type": "array", "items": {"type": "string", "format": "date"}}
    assert types["laces"]["additionalProperties"] == {"$ref": XDM + "acme/lace"}
    assert types["pairs"]["items"]["properties"]["left"]["type"] == "boolean"
    assert types["owners"]["meta:xdmType"] == "map"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("strin", "no type is written 'strin'"), ("string about", "'about' are no bounds")],
)
def test_what_is_written_wrong_is_said(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        list(components("datatypes", f"a: {{title: A, fields: {{b: {text}}}}}"))


@pytest.mark.parametrize(
    ("name", "title"),
    [("firstName", "First name"), ("SKU", "SKU"), ("loyaltyID", "Loyalty ID"), ("_", "_")],
)
def test_a_title_follows_from_a_name(name: str, title: str) -> None:
    assert title_of(name) == title


def test_the_standard_components_are_whole() -> None:
    library = Library.standard()
    listed = [part for kind in KINDS for part in library.all(kind)]
    assert len(listed) == len(standard_components())
    for component in listed:
        schema = compile_schema(component["$id"], library)
        assert component["$id"].endswith("data/adhoc") or list(schema.fields())
        assert library.get(alternate_id(component["$id"])) == component


def test_kinds_are_told_by_what_a_component_says() -> None:
    assert kind_of({"meta:resourceType": "mixins"}) == "fieldgroups"
    assert kind_of({"meta:intendedToExtend": []}) == "fieldgroups"
    assert kind_of({"meta:class": PROFILE}) == "schemas"
    assert kind_of({"meta:extends": []}) == "classes"
    assert kind_of({}) == "datatypes"
