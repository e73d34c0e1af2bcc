import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.responses import Rejection, _all_accepted, _read_success, read
from agent.core.statuses import Advice, advice_of
from support.answers import BATCH, RECEIVED, SINGLE, UUID, Answer, encoded, settled

# One message, one answer


@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"inletId": "i"},
        {"inletID": "i"},
        {"flowId": "f"},
        {"syncValidation": {"status": "pass"}},
        {"synchronousValidation": {"skipped": True}},
        {"status": 200},
        {"status": None, "error": None},
        {"errors": []},
    ],
)
def test_a_single_message_is_accepted_by_its_id(extra: Answer) -> None:
    answer = {"xactionId": SINGLE, "receivedTimeMs": RECEIVED} | extra
    reading = read(200, encoded(answer), 1)
    assert settled(reading, 1) == ([0], [], [])
    assert (reading.advice, list(reading.ids)) == (Advice.SETTLE, [SINGLE])
    assert reading.received_time_ms == RECEIVED


@pytest.mark.parametrize(
    "answer",
    [
        {"inletId": "i", "receivedTimeMs": RECEIVED},
        {"xactionId": None},
        {"xactionId": SINGLE, "status": 400, "message": "no"},
        {"xactionId": SINGLE, "statusCode": "500"},
        {"xactionId": SINGLE, "status": "failed"},
        {"xactionId": SINGLE, "status": None, "statusCode": 400},
        {"xactionId": SINGLE, "error": "no"},
        {"xactionId": SINGLE, "errors": ["no"]},
        {"error_code": "401013", "message": "Oauth token is not valid"},
        {"errorMessage": "timed out"},
        {"status": 400, "title": "Invalid XDM Message Format"},
        {"responses": None, "status": 503},
        {},
        [],
        [{"xactionId": SINGLE}],
        "ok",
        None,
    ],
)
def test_an_answer_to_one_message_without_a_clear_yes_calls_for_another_try(
    answer: object,
) -> None:
    reading = read(200, encoded(answer), 1)
    assert settled(reading, 1) == ([], [], [0])
    assert reading.advice is Advice.RETRY
    assert reading.detail


def test_the_id_of_one_message_says_nothing_of_many() -> None:
    assert settled(read(200, encoded({"xactionId": SINGLE}), 2), 2) == ([], [], [0, 1])


# Bodies that are no answer


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "an empty body"),
        (b" \n", "an empty body"),
        (b"<html>\n<h1>502 Bad\tGateway</h1>", "31 bytes of HTML"),
        (b'{"batchId":"b","responses":[{"xactio', "36 bytes of JSON"),
        (b'{"message":"quota"}', "19 bytes of JSON"),
        (b"\xff\x00\x1b[31mred", "10 bytes of other text"),
        (b"x" * 10_000, "10000 bytes of other text"),
    ],
)
@pytest.mark.parametrize("status", [200, 207])
def test_success_without_verdicts_is_no_success(status: int, body: bytes, words: str) -> None:
    reading = read(status, body, 3)
    assert settled(reading, 3) == ([], [], [0, 1, 2])
    assert (reading.advice, reading.detail) == (Advice.RETRY, words)


@pytest.mark.parametrize("cut", range(1, 60))
def test_a_truncated_answer_settles_nothing(cut: int) -> None:
    body = encoded({"batchId": BATCH, "responses": [{"xactionId": f"{BATCH}:0"}]})
    assert settled(read(207, body[:-cut], 1), 1) == ([], [], [0])


# Statuses


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"title":"t"}', b"[]", b"null"])
def test_no_status_but_success_settles_many_records(body: bytes) -> None:
    for status in range(100, 600):
        reading = read(status, body, 3)
        assert settled(reading, 3) == ([], [], [0, 1, 2])
        assert reading.detail
        expected = advice_of(status)
        assert reading.advice is (Advice.RETRY if expected is Advice.SETTLE else expected)


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"title":"t"}', b"[]"])
def test_only_a_refusal_of_the_request_rejects_the_one_record_in_it(body: bytes) -> None:
    for status in range(100, 600):
        reading = read(status, body, 1)
        accepted, rejected, _ = settled(reading, 1)
        assert accepted == []
        refused = advice_of(status) in (Advice.SUSPECT, Advice.TOO_LARGE)
        assert rejected == ([0] if refused else [])
        assert (reading.advice is Advice.SETTLE) is refused


def test_a_record_alone_in_a_refused_request_is_rejected_in_the_platforms_words() -> None:
    problem = {
        "type": "http://ns.adobe.com/adobecloud/problem/data-collection-service/inlet",
        "status": 400,
        "title": "Invalid XDM Message Format",
        "report": {"message": "Message has unknown xdm format"},
    }
    reading = read(400, encoded(problem), 1)
    assert reading.rejected == (Rejection(0, 400, "Message has unknown xdm format"),)


def test_the_violations_of_a_synchronous_validation_are_kept() -> None:
    cause = {"_streamingValidation": [{"message": "3 schema violations found"}]}
    problem = {"status": 400, "report": {"message": "Message is invalid", "cause": cause}}
    [rejection] = read(400, encoded(problem), 1).rejected
    assert rejection.message == (
        'Message is invalid {"_streamingValidation":[{"message":"3 schema violations found"}]}'
    )


def test_a_refusal_without_words_names_its_status() -> None:
    assert read(413, b"", 1).rejected == (Rejection(0, 413, "status 413 without a message"),)


def test_a_cause_too_deep_to_repeat_does_not_break_the_reading() -> None:
    body = b'{"message":"m","report":{"cause":' + b"[" * 400 + b"]" * 400 + b"}}"
    assert read(400, body, 1).rejected == (Rejection(0, 400, "m"),)


def test_words_are_for_the_log_only_where_no_record_can_be_quoted() -> None:
    echo = encoded({"message": 'cannot take {"email":"a@example.com"}'})
    for status in (200, 207, 400, 413, 500, 502):
        assert "example.com" not in read(status, echo, 2).detail
    assert read(401, encoded({"message": "no token"}), 2).detail == "no token"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>\n<h1>400 Bad\tRequest</h1>", "<html> <h1>400 Bad Request</h1>"),
        (b"\xff\x00\x1b[31mred", "\ufffd [31mred"),
        (b"x" * 10_000, "x" * 200),
    ],
)
def test_a_dead_letter_keeps_what_is_fit_to_be_shown_of_a_refusal(
    body: bytes, message: str
) -> None:
    assert read(400, body, 1).rejected == (Rejection(0, 400, message),)


# The answer to a batch


@pytest.mark.parametrize("received", [RECEIVED, str(RECEIVED)])
@pytest.mark.parametrize("inlet_id", ["inletId", "inletID"])
@pytest.mark.parametrize(
    ("batch_id", "prefix"),
    [(BATCH, f"{BATCH}:"), (UUID, f"{UUID}-"), ("other", f"{UUID}-"), ("opaque", "opaque:")],
)
def test_a_batch_all_accepted_is_one_run_of_ids(
    batch_id: str, prefix: str, inlet_id: str, received: int | str
) -> None:
    answer = {
        inlet_id: "i",
        "batchId": batch_id,
        "receivedTimeMs": received,
        "responses": [{"xactionId": f"{prefix}{index}"} for index in range(12)],
    }
    reading = read(207, encoded(answer), 12)
    assert settled(reading, 12) == (list(range(12)), [], [])
    assert (reading.ids.prefix, reading.ids.indexes) == (prefix, (range(12),))
    assert (reading.batch_id, reading.received_time_ms) == (batch_id, RECEIVED)
    assert (reading.advice, reading.detail) == (Advice.SETTLE, "")


@pytest.mark.parametrize(
    "change", [{"batchId": None}, {"batchId": 7}, {"receivedTimeMs": [1]}, {"receivedTimeMs": "x"}]
)
def test_what_stands_round_the_items_does_not_decide_over_them(change: Answer) -> None:
    items = [{"xactionId": f"{BATCH}:{index}"} for index in range(3)]
    answer = {"batchId": BATCH, "receivedTimeMs": RECEIVED, "responses": items} | change
    reading = read(207, encoded(answer), 3)
    assert settled(reading, 3) == ([0, 1, 2], [], [])


def test_ids_in_another_order_are_told_in_the_order_of_the_records() -> None:
    items = [{"xactionId": f"{BATCH}:{index}"} for index in (0, 2, 1)]
    reading = read(207, encoded({"batchId": BATCH, "responses": items}), 3)
    assert settled(reading, 3) == ([0, 1, 2], [], [])
    assert list(reading.ids) == [f"{BATCH}:{index}" for index in range(3)]


@pytest.mark.parametrize("last", [f"{BATCH}:1", f"{BATCH}:7", "1:2:3:2", "opaque"])
def test_as_many_ids_as_records_do_not_stand_for_all_of_them(last: str) -> None:
    items = [{"xactionId": name} for name in (f"{BATCH}:0", f"{BATCH}:1", last)]
    reading = read(207, encoded({"batchId": BATCH, "responses": items}), 3)
    assert settled(reading, 3) == ([0, 1], [], [2])


def test_ids_without_numbers_are_listed_in_order() -> None:
    items = [{"xactionId": name} for name in ("p", "q", "r")]
    reading = read(207, encoded({"batchId": BATCH, "responses": items}), 3)
    assert settled(reading, 3) == ([0, 1, 2], [], [])
    assert reading.ids.listed == ("p", "q", "r")


def test_both_dialects_reject_with_status_message_and_id() -> None:
    items = [
        {"statusCode": 400, "message": "documented"},
        {"xactionId": f"{BATCH}:1", "status": "422", "message": "observed"},
        {"xactionId": f"{BATCH}:2"},
        {"xactionId": f"{BATCH}:3", "status": 500, "message": "busy"},
    ]
    reading = read(207, encoded({"batchId": BATCH, "responses": items}), 4)
    assert settled(reading, 4) == ([2], [0, 1], [3])
    assert reading.rejected == [
        Rejection(0, 400, "documented"),
        Rejection(1, 422, "observed", f"{BATCH}:1"),
    ]
    assert list(reading.ids) == [f"{BATCH}:2"]


def test_the_documentations_own_sample_settles_only_what_is_certain() -> None:
    items = [
        {"xactionId": "1565650704337:2124:92:3"},
        {"statusCode": 400, "message": "x"},
        {"xactionId": f"{BATCH}:2"},
        {"statusCode": 400, "message": "y"},
    ]
    body = encoded({"batchId": BATCH, "responses": items})
    assert settled(read(207, body, 5), 5) == ([2], [], [0, 1, 3, 4])
    assert settled(read(207, body, 4), 4) == ([2], [1, 3], [0])


# The quick reading of regular answers and the thorough one are two ways to the same verdicts


@given(st.integers(1, 40), st.data())
def test_the_quick_reading_says_nothing_that_the_thorough_one_does_not(
    count: int, data: st.DataObject
) -> None:
    prefix = data.draw(st.sampled_from([f"{BATCH}:", f"{UUID}-", "b:", "b"]))
    separator = data.draw(st.sampled_from([",", ", ", ",\n  "]))
    items = [f'{{"xactionId": "{prefix}{index}"}}' for index in range(count)]
    at = data.draw(st.integers(0, count - 1))
    items[at] = data.draw(
        st.sampled_from(
            [
                items[at],
                f'{{"xactionId": "{prefix}{at}", "status": 400}}',
                f'{{"status": 400, "xactionId": "{prefix}{at}"}}',
                f'{{"xactionId": "{prefix}{at + 1}"}}',
                f'{{"xactionId": "{prefix}{at}0"}}',
                f'{{"xactionId": "{prefix}{at}", "xactionId": "{prefix}{at + 1}"}}',
                f"{items[at]}, {items[at]}",
                '{"statusCode": 400, "message": "no"}',
                "{}",
                "null",
            ]
        )
    )
    batch_id = prefix.rstrip(":-")
    end = data.draw(
        st.sampled_from(["]}", '], "receivedTimeMs": "7"}', "", "]", f", {items[0]}]}}"])
    )
    body = f'{{"batchId": "{batch_id}", "responses": [{separator.join(items)}{end}'.encode()
    quick = _all_accepted(body, count)
    if quick is not None:
        thorough = _read_success(207, body, count)
        assert list(quick.accepted) == thorough.accepted == list(range(count))
        assert list(quick.ids) == list(thorough.ids)
        assert (quick.batch_id, quick.received_time_ms) == (
            thorough.batch_id,
            thorough.received_time_ms,
        )
    elif items[at] == f'{{"xactionId": "{prefix}{at}"}}' and end in (
        "]}",
        '], "receivedTimeMs": "7"}',
    ):
        assert prefix == "b", "every regular answer is read quickly"


def test_another_agent_says_that_its_items_are_in_order_whatever_their_ids_say() -> None:
    items = [
        {"xactionId": "1:2:3:7"},
        {"xactionId": "1:2:3:0", "status": 400, "message": "no"},
        {"xactionId": "4:5:6:1"},
        {"statusCode": 202, "status": 202},
    ]
    answer = {"batchId": "1:2:3", "positional": True, "responses": items}
    reading = read(207, encoded(answer), 4)

    assert (list(reading.accepted), list(reading.again)) == ([0, 2], [3])
    assert [each.index for each in reading.rejected] == [1]
    assert list(reading.ids) == ["1:2:3:7", "4:5:6:1"]
    del answer["positional"]
    assert read(207, encoded(answer), 4) != reading
