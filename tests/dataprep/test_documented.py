"""Every example that the platform's documents give of its language, as far as it can be so.

Where a sample contradicts itself, what stands here is what the function must give, and why.
"""

import re
from typing import Any

import pytest

from agent.dataprep import EvaluationError
from dataprep.evaluating import value_of

IPHONE = (
    '"Mozilla/5.0 (iPhone; CPU iPhone OS 5_1_1 like Mac OS X) AppleWebKit/534.46 '
    '(KHTML, like Gecko) Version/5.1 Mobile/9B206 Safari/7534.48.3"'
)
URL = '"foo://example.com:8042/over/there?name=ferret#nose"'
FILE = '"sftp://example.com//home/joe/employee.csv"'
TWO = '";Example product 1;1;3.50,Example category 2;Example product 2;1;5.99"'
BARE = '";Example product 1;1;3.50,Example category 2;Example product 2"'
EVENTS = (
    '";Example product 1;1;4.20;event1=2.3|event2=5:1,'
    ';Example product 2;1;4.20;event1=3|event2=2:2"'
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('concat("Hi, ", "there", "!")', "Hi, there!"),
        # The sample loses the exclamation mark of its own input.
        ('explode("Hi, there!", " ")', ["Hi,", "there!"]),
        ('explode("Hi, there", " ")', ["Hi,", "there"]),
        ('explode("a,,b")', ["a", "", "b"]),
        (r'explode("a|b", "\|")', ["a", "b"]),
        ('explode("a--b-c", "--")', ["a", "b-c"]),
        ('split("Hello world", " ")', ["Hello", "world"]),
        ('split("a,b;;c", ",;")', ["a", "b", "c"]),
        ('instr("adobe.com", "com")', 6),
        ('instr("adobe.com.com", "com", 7)', 10),
        ('instr("a.a.a", "a", 0, 3)', 4),
        ('instr("adobe.com", "org")', -1),
        (
            'replacestr("This is a string re test", "re", "replace")',
            "This is a string replace test",
        ),
        ('substr("This is a substring test", 7, 8)', " a subst"),
        ('lower("HeLLo")', "hello"),
        ('lcase("HeLLo")', "hello"),
        ('upper("HeLLo")', "HELLO"),
        ('ucase("HeLLo")', "HELLO"),
        ('join(" ", to_array(true, "Hello", "world"))', "Hello world"),
        ('lpad("bat", 8, "yz")', "yzyzybat"),
        ('rpad("bat", 8, "yz")', "batyzyzy"),
        ('lpad("bat", 5, null)', "  bat"),
        ('rpad(null, 2, "")', "  "),
        ('left("abcde", 2)', "ab"),
        ('right("abcde", 2)', "de"),
        ('ltrim(" hello")', "hello"),
        ('rtrim("hello ")', "hello"),
        ('trim(" hello ")', "hello"),
        ('"string1".equals("STRING1")', False),
        ('"string1".equalsIgnoreCase("STRING1")', True),
        (
            'extract_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")',
            ["E259,E259B_009,1_1", "E259", "1_1"],
        ),
        ('matches_regex("E259,E259B_009,1_1", "([^,]+),[^,]*,([^,]+)")', True),
        ('sha1("my text", "UTF-8")', "c3599c11e47719df18a2448690840c5dfcce3c80"),
        (
            'sha256("my text", "UTF-8")',
            "7330d2b39ca35eaf4cb95fc846c21ee6a39af698154a83a586ee270a0d372104",
        ),
        (
            'sha512("my text", "UTF-8")',
            "a3d7e45a0d9be5fd4e4b9a3b8c9c2163c21ef708bf11b4232bb21d2a8704ada2"
            "cdcd7b367dd0788a89a5c908cfe377aceb1072a7b386b7d4fd2ff68a8fd24d16",
        ),
        ('md5("my text", "UTF-8")', "d3b96ce8c9fb4e9bd0198d03ba6852c7"),
        ('crc32("my text", "UTF-8")', "8df92e80"),
        ('get_url_protocol("https://platform.adobe.com/home")', "https"),
        ('get_url_host("https://platform.adobe.com/home")', "platform.adobe.com"),
        (f"get_url_port({FILE})", 22),
        (f"get_url_path({FILE})", "//home/joe/employee.csv"),
        (f"get_url_path({FILE}, false)", "employee.csv"),
        (f'get_url_query_str({URL}, "retain")', {"name": "ferret#nose"}),
        (f'get_url_query_str({URL}, "remove")', {"name": "ferret"}),
        (f'get_url_query_str({URL}, "append")', {"name": "ferret", "_anchor_": "nose"}),
        ('get_url_host("no url")', None),
        ('get_url_protocol("no url")', None),
        ('get_url_port("no url")', None),
        ('get_url_path("no url")', None),
        (
            'get_url_encoded(" !\\"#$%&\'()*+,/:;<=>?@[|]^`~")',
            "%20%21%22%23%24%25%26%27%28%29%2A%2B%2C%2F%3A%3B%3C%3D%3E%3F%40%5B%7C%5D%5E%60%7E",
        ),
        ('get_url_decoded("%20%21%7E")', " !~"),
        ("now()", "2021-10-26T10:10:24.123Z"),
        ("timestamp()", 1635243024123),
        # The sample's output ends in 35 seconds, of which its input has none.
        (
            'format(date("2019-10-23T11:24:00+00:00"), "yyyy-MM-dd HH:mm:ss")',
            "2019-10-23 11:24:00",
        ),
        (
            "dformat(1571829875000, \"yyyy-MM-dd'T'HH:mm:ss.SSSX\")",
            "2019-10-23T11:24:35.000Z",
        ),
        ('date("2019-10-23 11:24", "yyyy-MM-dd HH:mm", now())', "2019-10-23T11:24:00Z"),
        ('date("2019-10-23 11:24", "yyyy-MM-dd HH:mm")', "2019-10-23T11:24:00Z"),
        ('date("2019-10-23 11:24")', "2019-10-23T11:24:00Z"),
        ('date(null, "yyyy-MM-dd HH:mm", now())', "2021-10-26T10:10:24.123Z"),
        ('date_part("MM", date("2019-10-17 11:55:12"))', 10),
        # The sample loses the milliseconds.
        (
            'set_date_part("m", 4, date("2016-11-09T11:44:44.797Z"))',
            "2016-04-09T11:44:44.797Z",
        ),
        # The sample prints Californian time with a Z, as if it were UTC.
        (
            'make_date_time(2019, 10, 17, 11, 55, 12, 999, "America/Los_Angeles")',
            "2019-10-17T11:55:12-07:00",
        ),
        (
            'make_timestamp(2019, 10, 17, 11, 55, 12, 999, "America/Los_Angeles")',
            "2019-10-17T11:55:12-07:00",
        ),
        ('zone_date_to_utc("2019-10-17T11:55:12 PST")', "2019-10-17T19:55:12Z"),
        ('zone_date_to_zone(now(), "Europe/Paris")', "2021-10-26T12:10:24.123+02:00"),
        ("size_of([1, 2, 3, 4])", 4),
        ("is_empty([1, null, 2, 3])", False),
        ("is_empty([])", True),
        (
            r"""arrays_to_objects('sku', explode("id1|id2", '\\|'), 'price', [22.5,14.35])""",
            [{"sku": "id1", "price": 22.5}, {"sku": "id2", "price": 14.35}],
        ),
        (
            "arrays_to_object('sku', ['id1', 'id2'], 'price', [22.5])",
            [{"sku": "id1", "price": 22.5}, {"sku": "id2", "price": None}],
        ),
        (
            'to_object("firstName", "John", "lastName", "Doe")',
            {"firstName": "John", "lastName": "Doe"},
        ),
        (
            'str_to_object("firstName=John,lastName=Doe,phone=123 456 7890", "=", ",")',
            {"firstName": "John", "lastName": "Doe", "phone": "123 456 7890"},
        ),
        (
            'str_to_object("firstName - John ; lastName - ; phone - 123", "-", ";")'
            '.get("firstName")',
            "John",
        ),
        ("nullify()", None),
        ('get_keys({"book1": "Pride and Prejudice", "book2": "1984"})', ["book1", "book2"]),
        (
            'get_values("firstName - John , lastName - Cena , phone - 555 420 8692", '
            '"firstName", "-", ",")',
            "John",
        ),
        ('coalesce(null, null, null, "first", null, "second")', "first"),
        ('first("1", "2", "3")', "1"),
        ('last("1", "2", "3")', "3"),
        ("add_to_array(['a', 'b'], 'c', 'd')", ["a", "b", "c", "d"]),
        ("join_arrays(['a', 'b'], ['c'], ['d', 'e'])", ["a", "b", "c", "d", "e"]),
        ("to_array(false, 1, null, 2, 3)", [1, 2, 3]),
        ("to_array(true, 1, null)", [1, None]),
        ("upsert_array_append([123, 456])", [123, 456]),
        ("upsert_array_replace([123, 456], 1)", [123, 456]),
        ("array_to_string(',', ['a', 'b'])", "a,b"),
        ("flattenArray([[1, 2], [3]])", [1, 2, 3]),
        ("filterArray(['a', 'b'], x -> x.equals('a'))", ["a"]),
        ("transformArray(['a', 'b'], x -> upper(x))", ["A", "B"]),
        ('iif("s".equalsIgnoreCase("S"), "True", "False")', "True"),
        ("min(3, 1, 4)", 1),
        ("max(3, 1, 4)", 4),
        ('to_bigint("1000000.34")', 1000000.34),
        ('to_decimal("20.5")', 20.5),
        # The sample says 12.34566, which is not what any float is.
        ('to_float("12.3456")', 12.3456),
        ('to_integer("12")', 12),
        (
            """json_to_object('{"info":{"firstName":"John","lastName": "Doe"}}')""",
            {"info": {"firstName": "John", "lastName": "Doe"}},
        ),
        # The sample forgets the quotes.
        (
            'json_to_object({"info":{"firstName":"John","lastName": "Doe"}})',
            {"info": {"firstName": "John", "lastName": "Doe"}},
        ),
        (f"ua_os_name({IPHONE})", "iOS"),
        (f"ua_os_version_major({IPHONE})", "iOS 5"),
        (f"ua_os_version({IPHONE})", "5.1.1"),
        (f"ua_os_name_version({IPHONE})", "iOS 5.1.1"),
        (f"ua_agent_version({IPHONE})", "5.1"),
        (f"ua_agent_version_major({IPHONE})", "Safari 5"),
        (f"ua_agent_name({IPHONE})", "Safari"),
        (f"ua_device_class({IPHONE})", "Phone"),
        ('aa_get_event_id("event101=5:123456,scOpen", "event101")', "123456"),
        ('aa_get_event_value("event101=5:123456,scOpen", "event101")', "5"),
        ('aa_get_event_value("event101=5:123456,scOpen", "scOpen")', "1"),
        (f"aa_get_product_categories({TWO})", [None, "Example category 2"]),
        (f"aa_get_product_names({TWO})", ["Example product 1", "Example product 2"]),
        (f"aa_get_product_quantities({BARE})", ["1", None]),
        (f"aa_get_product_prices({BARE})", ["3.50", None]),
        (f'aa_get_product_event_values({EVENTS}, "event1")', ["2.3", "3"]),
        (
            'aa_get_product_evars(";Example product;1;6.69;;eVar1=Merchandising value", "eVar1")',
            ["Merchandising value"],
        ),
    ],
)
def test_a_documented_example_gives_what_it_says(expression: str, expected: Any) -> None:
    found = value_of(expression)

    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(("code", "name"), [("ca", "California"), ("pa", "Pennsylvania")])
def test_decode_finds_what_follows_the_key(code: str, name: str) -> None:
    expression = 'decode(stateCode, "ca", "California", "pa", "Pennsylvania", "N/A")'

    assert value_of(expression, {"stateCode": code}) == name
    assert value_of(expression, {"stateCode": "ny"}) == "N/A"
    assert value_of('decode(stateCode, "ca", "California")', {"stateCode": "ny"}) is None


def test_contains_key_looks_into_the_record() -> None:
    record = {"evars": {"evar": {"field1": "x", "none": None}}, "a": [{}, {"b": 1}]}

    assert value_of('contains_key("evars.evar.field1")', record) is True
    assert value_of('is_set("evars.evar.field2")', record) is False
    assert value_of('contains_key("evars.evar.none")', record) is False
    assert value_of('contains_key("a[*].b")', record) is True
    assert value_of('contains_key("a[*].c")', record) is False


BOOK = {"author": "George R. R. Martin", "price": 17.99, "ISBN": "ISBN-978-0553801477"}
OTHER = {"author": "Neil Gaiman", "price": 17.99, "publisher": "William Morrow"}
HOME = {"line1": "345 park ave", "City": "san jose", "type": "home"}
WORK = {"line1": "345 park ave", "City": "san jose", "type": "work"}
RECORD = {"book_details": BOOK, "book_details2": OTHER, "address": HOME, "addresses": [HOME, WORK]}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('map_get_values(book_details, "author")', {"author": "George R. R. Martin"}),
        (
            'map_get_values(book_details, ["author", "price", "none"])',
            {"author": "George R. R. Martin", "price": 17.99},
        ),
        ('map_has_keys(book_details, "author")', True),
        ('map_has_keys(book_details, ["none", "author"])', True),
        ('map_has_keys(book_details, ["none"])', False),
        ("add_to_map(book_details, book_details2)", {**BOOK, "publisher": "William Morrow"}),
        (
            'object_to_map("firstName", "John", "lastName", "Doe")',
            {"firstName": "John", "lastName": "Doe"},
        ),
        ("object_to_map(address)", HOME),
        ("object_to_map(addresses, type)", {"home": HOME, "work": WORK}),
        ('object_to_map(addresses, "type")', {"home": HOME, "work": WORK}),
        ('array_to_map(addresses, "type")', {"home": HOME, "work": WORK}),
        ('to_map("firstName", "John")', {"firstName": "John"}),
        ("array_to_map(nothing, 'type')", None),
    ],
)
def test_maps_are_made_of_what_the_documents_make_them(expression: str, expected: Any) -> None:
    assert value_of(expression, RECORD) == expected


@pytest.mark.parametrize("name", ["uuid", "guid"])
def test_an_identifier_is_another_one_each_time(name: str) -> None:
    one, other = value_of(f"{name}()"), value_of(f"{name}()")

    assert one != other
    assert re.fullmatch(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", one)


def test_how_a_device_id_becomes_an_ecid_is_not_published_and_not_made_up() -> None:
    with pytest.raises(EvaluationError, match="not published"):
        value_of('fpid_to_ecid("4ed70bee-b654-420a-a3fd-b58b6b65e991")')
