import pytest

from agent.conditions import condition
from agent.store import dead_letters
from agent.store.database import open_for_writing
from agent.store.dead_letters import Selection
from agent.store.settling import Settling
from agent.store.source_ids import SourceIds

RECORDS = {
    "order": b'{"type":"order","total":12.5,"items":[{"sku":"A-1"}],"paid":true}',
    "visit": '{"type":"visit","total":7,"größe":"\\u00e9","paid":1,"note":null}'.encode(),
    "dotted": b'{"a.b":{"c d":"x"},"total":"12","type":"Order"}',
    "large": b'{"id":12345678901234567890,"total":9007199254740993}',
    "quotes": b'{"type":"it\'s \\"new\\"; DROP TABLE dead_letters--","total":-1e3}',
    "array": b'[{"type":"order"}]',
    "broken": b'{"type":"order","total":12.5',
    "text": b"type=order",
    "bytes": b'{"type":"order"}\xff',
    "nul": b'{"type":"order"}\x00',
    "empty": b"",
}
OBJECTS = {"order", "visit", "dotted", "large", "quotes"}


@pytest.fixture
def matching(tmp_path, letter):
    """Which of the records are found."""
    connection, _ = open_for_writing(tmp_path)
    connection.execute("BEGIN")
    Settling(SourceIds(), 10**9).write(
        connection, [], [letter(record) for record in RECORDS.values()]
    )
    connection.execute("COMMIT")

    def search(*texts):
        selection = Selection(where=tuple(map(condition, texts)))
        found = {one.letter.record for one in dead_letters.each(connection, selection)}
        assert dead_letters.count(connection, selection) == len(found)
        return {name for name, record in RECORDS.items() if record in found}

    yield search
    connection.close()


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (['type = "order"'], {"order"}),
        (["type=order"], {"order"}),
        (["type != order"], OBJECTS - {"order"}),
        (["total > 7"], {"order", "large"}),
        (["total >= 7"], {"order", "visit", "large"}),
        (["total < 7"], {"quotes"}),
        (["total <= -1000"], {"quotes"}),
        (["total = 7.0"], {"visit"}),
        (['total = "12"'], {"dotted"}),
        (['type > "order"'], {"visit"}),
        (["total = 9007199254740993"], {"large"}),
        (["paid = true"], {"order"}),
        (["paid = 1"], {"visit"}),
        (["note = null"], {"visit"}),
        (["note exists"], {"visit"}),
        (["note missing"], OBJECTS - {"visit"}),
        (["type missing"], {"large"}),
        (["items[0].sku ~ A-"], {"order"}),
        (["items[1].sku exists"], set()),
        (["items ~ A-1"], {"order"}),
        (["type ~ '"], {"quotes"}),
        (['"a.b"."c d" = x'], {"dotted"}),
        (["größe = é"], {"visit"}),
        (["größe ~ é", "total < 10"], {"visit"}),
        (["type = order", "total > 100"], set()),
        (['type in ["order", "visit", 7]'], {"order", "visit"}),
        (["total in [7, true]"], {"visit"}),
        (["paid in [true]"], {"order"}),
        (["type matches ^.rder$"], {"order", "dotted"}),
        (['type matches "^o.*r$"'], {"order"}),
        (["total matches 12"], {"dotted"}),
        (["items[0] ~ A-1"], {"order"}),
        (["items[0].sku.x exists"], set()),
        (["type[0] exists"], set()),
        (["note ~ null"], set()),
        (["paid ~ tru"], {"order"}),
        (['type = "it\'s \\"new\\"; DROP TABLE dead_letters--"'], {"quotes"}),
        (["total > 0", "total < 10"], {"visit"}),
        (["type = ') OR 1=1 --"], set()),
    ],
)
def test_only_records_for_which_every_condition_holds_are_found(matching, texts, names):
    assert matching(*texts) == names


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "no condition"),
        ("type", "no condition"),
        ("= order", "no condition"),
        ("type =", "no condition"),
        ("type exists now", "no condition"),
        ("a..b = 1", "no condition"),
        ('"a\\"b" = 1', "no condition"),
        ("a[x] = 1", "no condition"),
        ('type = "order', "not complete JSON"),
        ("type = [1]", "a text, a number"),
        ("total > 1e999", "a text, a number"),
        ("paid > true", "have an order"),
        ("a b = 1", "no condition"),
        ("a in b", "write a list"),
        ("a in []", "write a list"),
        ("a in [[1]]", "write a list"),
        ("a in [1e999]", "write a list"),
        ("a matches (", "no regular expression"),
        ('a matches "(', "not complete JSON"),
    ],
)
def test_what_is_no_condition_is_refused_with_what_is_possible(text, hint):
    with pytest.raises(ValueError, match=hint):
        condition(text)


def test_a_name_that_is_there_twice_has_its_last_value(tmp_path):
    connection, _ = open_for_writing(tmp_path)
    holds = "SELECT matches_where(?, ?)"
    for record in (b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"a":1,"x":"\\ud800","a":2}'):
        assert connection.execute(holds, ('["a = 2"]', record)).fetchone() == (1,)
        assert connection.execute(holds, ('["a = 1"]', record)).fetchone() == (0,)
    connection.close()
