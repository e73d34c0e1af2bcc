import pytest

from agent.core.items import (
    MESSAGE_CHARS_MAX,
    Item,
    Outcome,
    ids_of,
    index_of,
    integer,
    message_of,
    milliseconds,
    read_item,
    read_items,
    text,
)

BATCH = "1565628583792:1485:153"
UUID = "9341f8eb-06c4-4e9d-a2d1-0a7d4a3ee90c"
DEEP: object = []
for _ in range(400):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("xaction_id", "batch_id", "index"),
    [
        (f"{BATCH}:0", BATCH, 0),
        (f"{BATCH}:17", BATCH, 17),
        (f"{BATCH}-17", BATCH, 17),
        ("1565650704337:2124:92:3", BATCH, 3),
        (f"{UUID}-1", None, 1),
        (f"{UUID.upper()}-007", None, 7),
        ("opaque:4", "opaque", 4),
        (BATCH, None, None),
        (BATCH, BATCH, None),
        (UUID, None, None),
        ("opaque-4", None, None),
        (f"{BATCH}:", BATCH, None),
        (f"{BATCH}:x", BATCH, None),
        (f"{BATCH}:-1", BATCH, None),
        (f"{BATCH}:1:2", BATCH, None),
        (f"{BATCH}:\u0663", BATCH, None),
        (f"{BATCH}:\u00b2", BATCH, None),
        (f"{BATCH}:{'9' * 9}", BATCH, 999_999_999),
        (f"{BATCH}:{'9' * 10}", BATCH, None),
        (f"{BATCH}:1\n", BATCH, None),
    ],
)
def test_an_id_names_a_record_only_by_a_number_after_the_batch(
    xaction_id: str, batch_id: str | None, index: int | None
) -> None:
    assert index_of(xaction_id, batch_id) == index


OK, NO, AGAIN = Outcome.ACCEPTED, Outcome.REJECTED, Outcome.AGAIN


@pytest.mark.parametrize(
    ("value", "outcome", "status"),
    [
        ({"xactionId": "x"}, OK, None),
        ({"xactionId": "x", "status": 200}, OK, 200),
        ({"xactionId": "x", "statusCode": "207"}, OK, 207),
        ({"xactionId": "x", "status": None, "message": None}, OK, None),
        ({}, AGAIN, None),
        ({"xactionId": ""}, AGAIN, None),
        ({"xactionId": 7}, AGAIN, None),
        ({"status": 200}, AGAIN, 200),
        ({"statusCode": 400, "message": "no"}, NO, 400),
        ({"statusCode": "400"}, NO, 400),
        ({"xactionId": "x", "status": 400}, NO, 400),
        ({"xactionId": "x", "status": None, "statusCode": 400}, NO, 400),
        ({"xactionId": "x", "status": 400, "statusCode": "400"}, NO, 400),
        ({"status": 404}, NO, 404),
        ({"status": 413}, NO, 413),
        ({"status": 422}, NO, 422),
        ({"xactionId": "x", "status": 200, "statusCode": 400}, AGAIN, None),
        ({"xactionId": "x", "status": "failed"}, AGAIN, None),
        ({"xactionId": "x", "status": True}, AGAIN, None),
        ({"xactionId": "x", "status": 400.0}, AGAIN, None),
        ({"xactionId": "x", "status": 302}, AGAIN, 302),
        *(
            ({"xactionId": "x", "status": status}, AGAIN, status)
            for status in (401, 403, 405, 408, 415, 429, 500, 501, 503, 599)
        ),
        ([], AGAIN, None),
        ("x", AGAIN, None),
        (None, AGAIN, None),
    ],
)
def test_an_item_is_certain_or_calls_for_another_try(
    value: object, outcome: Outcome, status: int | None
) -> None:
    item = read_item(value, None)
    assert (item.outcome, item.status) == (outcome, status)


def test_an_item_keeps_the_words_the_id_and_the_index() -> None:
    value = {"xactionId": f"{UUID}-3", "status": "400", "message": "no 'header'"}
    assert read_item(value, None) == Item(NO, 400, "no 'header'", f"{UUID}-3", 3)
    assert read_item({"statusCode": 400}, None).message == "status 400 without a message"


def indexes(items: list[Item]) -> list[int | None]:
    return [item.index for item in items]


def accepted(*ids: str) -> list[object]:
    return [{"xactionId": each} for each in ids]


def test_the_series_that_names_the_batch_is_believed_even_if_it_is_the_smaller() -> None:
    values = accepted(f"{BATCH}:0", "1:2:3:1", "1:2:3:2")
    items = read_items(values, BATCH, 3)
    assert indexes(items) == [0, None, None]
    assert [item.outcome for item in items] == [OK, AGAIN, AGAIN]


def test_without_the_batch_the_larger_series_is_believed() -> None:
    values = accepted(f"{UUID}-0", f"{UUID}-1", "1:2:3:1")
    assert indexes(read_items(values, None, 2)) == [0, 1, None]
    assert indexes(read_items(values, "another", 3)) == [0, 1, None]


def test_series_of_one_size_are_not_believed_and_still_accept_in_order() -> None:
    items = read_items(accepted("1:2:3:0", "4:5:6:1"), None, 2)
    assert indexes(items) == [None, None]
    assert [item.outcome for item in items] == [OK, OK]


def test_a_series_that_may_be_all_surplus_is_not_believed() -> None:
    values = [{"statusCode": 400}, {"statusCode": 400}, {"xactionId": "1:2:3:1"}]
    assert indexes(read_items(values, BATCH, 2)) == [None, None, None]
    assert indexes(read_items(values, BATCH, 3)) == [None, None, 1]


def test_a_refusal_in_a_foreign_series_is_still_a_refusal() -> None:
    values = [*accepted(f"{BATCH}:0"), {"xactionId": "1:2:3:1", "status": 400, "message": "no"}]
    assert read_items(values, BATCH, 2)[1] == Item(NO, 400, "no", "1:2:3:1", None)


def test_no_items_are_no_items() -> None:
    assert read_items([], BATCH, 2) == []


def item(xaction_id: str, index: int | None) -> Item:
    return Item(OK, None, "", xaction_id, index)


def test_ids_in_one_series_are_kept_as_runs() -> None:
    ids = ids_of([item(f"b:{index}", index) for index in (0, 1, 2, 5, 7, 8)])
    assert (ids.prefix, ids.indexes) == ("b:", (range(3), range(5, 6), range(7, 9)))
    assert list(ids) == ["b:0", "b:1", "b:2", "b:5", "b:7", "b:8"]


@pytest.mark.parametrize(
    "items",
    [
        [],
        [item("opaque", None)],
        [item("b:0", 0), item("opaque", None)],
        [item("b:0", 0), item("c:1", 1)],
        [item("b:09", 9), item("b:10", 10)],
    ],
)
def test_other_ids_are_listed(items: list[Item]) -> None:
    ids = ids_of(items)
    assert ids.indexes == ()
    assert list(ids) == [each.xaction_id for each in items]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"message": "m", "title": "t"}, "m"),
        ({"title": "t", "report": {"message": "m"}}, "m"),
        ({"message": "", "report": {"message": "m"}}, "m"),
        ({"message": "m", "report": {"cause": {"a": 1}}}, 'm {"a":1}'),
        ({"message": "m", "report": {"cause": DEEP}}, "m"),
        ({"message": "m", "report": {"cause": {}}}, "m"),
        ({"errorMessage": "m"}, "m"),
        ({"detail": "m", "title": "t"}, "m"),
        ({"title": "t"}, "t"),
        ({"error_description": "d"}, "d"),
        ({"error": "e"}, "e"),
        ({"error": {"code": 1}}, ""),
        ({"message": 7, "report": "r"}, ""),
        ({}, ""),
    ],
)
def test_the_platforms_words_are_found_wherever_they_stand(
    answer: dict[str, object], said: str
) -> None:
    assert message_of(answer) == said


@pytest.mark.parametrize(
    "answer",
    [
        {"message": "x" * 5000},
        {"title": "x" * 5000},
        {"message": "m", "report": {"cause": "x" * 5000}},
    ],
)
def test_words_are_cut_short(answer: dict[str, object]) -> None:
    assert len(message_of(answer)) == MESSAGE_CHARS_MAX


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (400, 400),
        ("400", 400),
        (-1, -1),
        (True, None),
        (4.0, None),
        ("", None),
        ("-1", None),
        (" 4", None),
        ("\u0664", None),
        ("9" * 15, 10**15 - 1),
        ("9" * 16, None),
        (None, None),
        ([], None),
    ],
)
def test_an_integer_may_be_written_as_text(value: object, number: int | None) -> None:
    assert integer(value) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1565628583854, 1565628583854),
        ("1565628583854", 1565628583854),
        (0, 0),
        (-1, None),
        (10**15, None),
        ("soon", None),
        (None, None),
    ],
)
def test_a_time_is_a_sane_number_of_milliseconds(value: object, number: int | None) -> None:
    assert milliseconds(value) == number


@pytest.mark.parametrize(("value", "words"), [("a", "a"), ("", None), (1, None), (None, None)])
def test_text_is_text_and_not_empty(value: object, words: str | None) -> None:
    assert text(value) == words
