"""What becomes of a record by a mapping set."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.dataprep import MappingError, MappingSet
from dataprep.schemas import items, members, schema_of, text

NOW = datetime(2021, 10, 26, 10, 10, 24, tzinfo=UTC)


def mapping_set(*mappings: tuple[str, Any, str], allow_nulls: bool = False) -> MappingSet:
    kinds = {"A": "ATTRIBUTE", "E": "EXPRESSION", "S": "STATIC"}
    return MappingSet.from_json(
        {
            "allowNullValues": allow_nulls,
            "mappings": [
                {"sourceType": kinds[kind], "source": source, "destination": destination}
                for kind, source, destination in mappings
            ],
        }
    )


def mapped(record: Any, *mappings: tuple[str, Any, str], allow_nulls: bool = False) -> Any:
    done = mapping_set(*mappings, allow_nulls=allow_nulls).apply(record, now=lambda: NOW)
    assert done.warnings == []
    return done.entity


def test_attributes_expressions_and_constants_come_to_their_destinations() -> None:
    record = {"firstName": "Jim", "last": {"name": "Seltzer"}, "First.Name": 1, "id": 1234}

    assert mapped(
        record,
        ("A", "firstName", "person.name.firstName"),
        ("A", "last.name", "person.name.lastName"),
        ("A", r"First\.Name", "_acme.dotted"),
        ("A", "${First\\.Name}", "_acme.wrapped"),
        ("E", 'concat(firstName, " ", ${last}.name)', "person.name.fullName"),
        ("S", "web", "_acme.channel"),
        ("E", "now()", "_repo.createDate"),
        ("A", "nowhere.to.be.found", "_acme.nothing"),
    ) == {
        "person": {"name": {"firstName": "Jim", "lastName": "Seltzer", "fullName": "Jim Seltzer"}},
        "_acme": {"dotted": 1, "wrapped": 1, "channel": "web"},
        "_repo": {"createDate": "2021-10-26T10:10:24Z"},
    }


def test_the_words_of_the_tutorial_mean_the_same() -> None:
    body = {
        "version": 0,
        "xdmSchema": "_acme.schemas.e45dd983026ce0daec5185cfddd48cbc0509015d880d6186",
        "xdmVersion": "1.0",
        "mappings": [
            {
                "destinationXdmPath": "person.name.firstName",
                "sourceAttribute": "firstName",
                "identity": False,
                "version": 0,
            },
            {
                "sourceType": "text/x.schema-path",
                "source": "lastName",
                "sourceAttribute": "lastName",
                "destination": "person.name.lastName",
                "destinationXdmPath": "person.name.lastName",
            },
        ],
    }

    assert MappingSet.from_json(body).apply({"firstName": "Jim", "lastName": "S"}).entity == {
        "person": {"name": {"firstName": "Jim", "lastName": "S"}}
    }


@pytest.mark.parametrize(
    ("mappings", "expected"),
    [
        ([("A", "emails[*].name", "pi[*].names")], {"pi": [{"names": "a"}, {"names": "c"}]}),
        (
            [("A", "emails[*].name", "pi[*].names"), ("A", "emails[*].at", "pi[*].mail.address")],
            {
                "pi": [
                    {"names": "a", "mail": {"address": "a@x"}},
                    {"mail": {"address": "b@x"}},
                    {"names": "c"},
                ]
            },
        ),
        ([("A", "emails[*].name", "names")], {"names": ["a", "c"]}),
        ([("A", "emails[0].name", "first")], {"first": "a"}),
        ([("A", "emails[2].name", "list[0]")], {"list": ["c"]}),
        ([("A", "emails[0].name", "list[2].n")], {"list": [{"n": "a"}]}),
        (
            [("A", "emails[0].name", "list[1]"), ("A", "emails[2].name", "list[0]")],
            {"list": ["c", "a"]},
        ),
        ([("A", "orders[*].items[*].sku", "skus")], {"skus": ["1", "2", "3"]}),
        ([("A", "orders[*].items[*].sku", "skus[*]")], {"skus": ["1", "2", "3"]}),
        (
            [("A", "orders[*].items[*].sku", "o[*].i[*].s")],
            {"o": [{"i": [{"s": "1"}, {"s": "2"}]}, {"i": [{"s": "3"}]}]},
        ),
        ([("A", "orders[*].items[*].sku", "o[*].s")], {"o": [{"s": ["1", "2"]}, {"s": ["3"]}]}),
        ([("E", "orders[*].items[*].sku", "skus")], {"skus": ["1", "2", "3"]}),
        ([("E", 'explode("a,b")', "list[*].letter")], {"list": [{"letter": "a"}, {"letter": "b"}]}),
        ([("A", "nothing[*].name", "pi[*].names")], {}),
    ],
)
def test_what_stands_in_arrays_keeps_its_place(mappings: Any, expected: Any) -> None:
    record = {
        "emails": [{"name": "a", "at": "a@x"}, {"at": "b@x"}, {"name": "c"}],
        "orders": [{"items": [{"sku": "1"}, {"sku": "2"}]}, {}, {"items": [{"sku": "3"}]}],
    }

    assert mapped(record, *mappings) == expected


ADDRESS = {"line1": "4191 Ridgebrook Way", "city": "San Jose", "state": "California", "x": 1}


def test_an_object_is_copied_with_what_the_schema_has_of_it_and_mappings_below_override() -> None:
    schema = schema_of(addr=members(addrLine1=text(), city=text(), state=text()))
    mappings = mapping_set(
        ("A", "address.line1", "addr.addrLine1"),
        ("E", "upper(address.city)", "addr.city"),
        ("E", "nullify()", "addr.state"),
        ("A", "address", "addr"),
    ).within(schema)
    record = {"address": dict(ADDRESS)}

    assert mappings.apply(record).entity == {
        "addr": {"addrLine1": "4191 Ridgebrook Way", "city": "SAN JOSE"}
    }
    assert record == {"address": ADDRESS}


def test_an_array_of_objects_is_copied_in_the_same_way() -> None:
    schema = schema_of(list=items(members(city=text(), a=items(members(b=text())))))
    record = {"list": [{"city": "x", "other": 1, "a": [{"b": "1", "c": 2}]}, {"other": 2}]}

    assert mapping_set(("A", "list", "list")).within(schema).apply(record).entity == {
        "list": [{"city": "x", "a": [{"b": "1"}]}, {}]
    }


def test_nulls_are_left_out_unless_they_are_allowed() -> None:
    record = {"a": None, "b": {"c": None, "d": 1}}
    mappings = [
        *(("A", "a", "x.a"), ("E", "nullify()", "x.b"), ("A", "b.c", "l[1]")),
        *(("A", "b.nothing", "x.c"), ("A", "l[3].a", "x.d")),  # what is not there is no null
    ]

    assert mapped(record, *mappings) == {}
    assert mapped(record, *mappings, allow_nulls=True) == {
        "x": {"a": None, "b": None},
        "l": [None, None],
    }


@pytest.mark.parametrize("allow_nulls", [False, True])
def test_a_mapping_that_fails_leaves_null_and_a_warning_and_the_record_goes_on(
    allow_nulls: bool,
) -> None:
    done = mapping_set(
        ("E", 'to_integer("x")', "n.a"),
        ("E", 'fpid_to_ecid("4ed70bee-b654-420a-a3fd-b58b6b65e991")', "ecid"),
        ("A", "b", "n.b"),
        ("A", "b", "n.b.c"),
        allow_nulls=allow_nulls,
    ).apply({"b": 1})

    assert done.entity["n"]["b"] == 1
    assert ("a" in done.entity["n"]) == allow_nulls
    assert [(each.destination, each.message) for each in done.warnings] == [
        ("ecid", "how fpid_to_ecid works is not published, so it gives nothing here"),
        ("n.a", "'x' is not a number"),
        ("n.b.c", "b is a number already"),
    ]


def test_every_problem_of_a_set_is_told_with_the_index_of_its_mapping() -> None:
    with pytest.raises(MappingError) as caught:
        MappingSet.from_json(
            {
                "mappings": [
                    {"source": "a", "destination": "b"},
                    {"sourceType": "EXPRESSION", "source": "concat(", "destination": "b"},
                    {"sourceType": "EXPRESSION", "source": "conct(a)", "destination": "b"},
                    {"sourceType": "MAGIC", "source": "a", "destination": "b"},
                    {"source": "a"},
                    {"destination": "b"},
                    {"source": "a..b", "destination": "b"},
                    {"source": "a", "destination": "b[5000]"},
                    {"sourceType": "STATIC", "destination": "b"},
                    "a",
                ]
            }
        )

    assert [(each.index, each.message) for each in caught.value.problems] == [
        (1, "the expression ends where a value was expected (at character 7)"),
        (2, "there is no function conct; is concat meant? (at character 0)"),
        (3, "the sourceType 'MAGIC' is none of ATTRIBUTE, EXPRESSION and STATIC"),
        (4, "a mapping needs destination (or destinationXdmPath), a text"),
        (5, "a mapping needs source (or sourceAttribute), a text"),
        (6, "'a..b' is no path, as a.b, a[0].b and a[*].b are (at character 1)"),
        (7, "the index 5000 of b[5000] is too large: 999 at most"),
        (8, "a STATIC mapping needs a source: the text or number itself"),
        (9, "a mapping is an object with source and destination"),
    ]
    assert str(caught.value).startswith("mappings[1]: the expression ends")


@pytest.mark.parametrize("body", [None, [], {}, {"mappings": []}, {"mappings": {}}])
def test_a_body_without_mappings_is_no_set(body: Any) -> None:
    with pytest.raises(MappingError, match="a mapping set has a list of mappings, one to 10000"):
        MappingSet.from_json(body)


def test_problems_with_a_schema_are_told_before_any_record_comes() -> None:
    schema = schema_of(
        name=text(),
        count={"type": "integer"},
        color=text(enum=["red"]),
        at=text(format="date-time"),
        tags=items(text()),
        address=members(city=text()),
    )
    mappings = mapping_set(
        ("A", "a", "name"),
        ("A", "a", "nam"),
        ("A", "a", "name.first"),
        ("A", "a[*].b", "name"),
        ("A", "a[*].b", "tags"),
        ("A", "a[*].b", "tags[*]"),
        ("S", "7", "count"),
        ("S", "seven", "count"),
        ("S", "blue", "color"),
        ("E", 'explode(a, ",")', "name"),
        ("E", 'explode(a, ",")', "tags"),
        ("E", 'explode(a, ",")', "tags[*]"),
        ("E", 'to_object("a", 1)', "name"),
        ("E", 'to_object("city", "x")', "address"),
        ("E", "upper(a)", "address"),
        ("E", "a ? 1 : 2", "address"),
        ("S", "yesterday", "at"),
    )

    assert mappings.problems(schema) == [
        "mappings[1]: Orders has no field nam",
        "mappings[2]: Orders has no field name.first",
        "mappings[3]: a[*].b gives an array, name is a string",
        "mappings[7]: 'seven' at count: expected type: Integer, found: String",
        "mappings[8]: 'blue' at color: blue is not a valid enum value",
        "mappings[9]: the expression gives an array, name is a string",
        "mappings[12]: the expression gives an object, name is a string",
        "mappings[14]: the expression gives a single value, address is an object",
        mappings.problems(schema)[-1],
    ]
    assert "yesterday" in mappings.problems(schema)[-1]
