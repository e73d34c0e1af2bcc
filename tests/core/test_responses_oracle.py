from dataclasses import dataclass

from hypothesis import assume, given
from hypothesis import strategies as st

from agent.core.responses import Reading, read
from agent.core.statuses import Advice
from support.answers import BATCH, RECEIVED, UUID, Answer, encoded, settled

# The oracle: what the platform decided is known, its answer is bent

OK, NO, LATER = "ok", "no", "later"


@dataclass
class Truth:
    """What the platform decided for each record, and how it spells that."""

    decisions: list[str]
    dialect: str
    prefix: str
    batch_id: str | None

    @property
    def accepted(self) -> set[int]:
        return {index for index, decision in enumerate(self.decisions) if decision == OK}

    @property
    def rejected(self) -> set[int]:
        return {index for index, decision in enumerate(self.decisions) if decision == NO}

    def item(self, index: int) -> Answer:
        xaction_id = f"{self.prefix}{index}"
        if self.decisions[index] == OK:
            return {"xactionId": xaction_id}
        status = 400 if self.decisions[index] == NO else 503
        if self.dialect == "documented":
            return {"statusCode": status, "message": f"refused {index % 2}"}
        return {"xactionId": xaction_id, "status": str(status), "message": f"refused {index}"}

    def items(self) -> list[Answer]:
        return [self.item(index) for index in range(len(self.decisions))]

    def read(self, items: list[Answer]) -> Reading:
        answer = {"inletId": "i", "receivedTimeMs": RECEIVED, "responses": items}
        if self.batch_id:
            answer["batchId"] = self.batch_id
        return read(207, encoded(answer), len(self.decisions))


def truths(*decisions: str) -> st.SearchStrategy[Truth]:
    return st.builds(
        lambda decided, dialect, form, named: Truth(
            decided, dialect, form[0], form[1] if named else None
        ),
        st.lists(st.sampled_from(decisions), min_size=1, max_size=12),
        st.sampled_from(["documented", "observed"]),
        st.sampled_from([(f"{BATCH}:", BATCH), (f"{UUID}-", UUID)]),
        st.booleans(),
    )


def check(truth: Truth, reading: Reading) -> tuple[set[int], set[int]]:
    """Nothing is settled against what was decided, and every id is that of its record."""
    lists = settled(reading, len(truth.decisions))
    accepted, rejected = set(lists[0]), set(lists[1])
    assert accepted <= truth.accepted
    assert rejected <= truth.rejected
    assert list(reading.ids) == [f"{truth.prefix}{index}" for index in lists[0]]
    for rejection in reading.rejected:
        assert rejection.status == 400
        if truth.dialect == "observed" and truth.batch_id:
            assert rejection.message == f"refused {rejection.index}"
    return accepted, rejected


@given(truths(OK, NO, LATER))
def test_an_unbent_answer_is_read_to_the_letter(truth: Truth) -> None:
    reading = truth.read(truth.items())
    assert check(truth, reading) == (truth.accepted, truth.rejected)
    assert all(
        rejection.message == truth.item(rejection.index)["message"]
        for rejection in reading.rejected
    )


@given(truths(OK, NO, LATER), st.data())
def test_with_items_dropped_what_was_answered_with_an_id_is_still_known(
    truth: Truth, choices: st.DataObject
) -> None:
    count = len(truth.decisions)
    kept = choices.draw(st.lists(st.sampled_from(range(count)), unique=True).map(sorted))
    accepted, rejected = check(truth, truth.read([truth.item(index) for index in kept]))
    assert accepted == truth.accepted & set(kept)
    if truth.dialect == "observed":
        assert rejected == truth.rejected & set(kept)
    else:
        assert rejected <= set(kept)


FOREIGN = [
    {"xactionId": "1565650704337:2124:92:0"},
    {"xactionId": "1565650704337:2124:92:1"},
    {"xactionId": "c2b3b1de-2c5e-4a12-8f52-5e5dbeb5ba6c-2", "status": 400, "message": "foreign"},
    {"xactionId": "not-numbered"},
    {"statusCode": 400, "message": "foreign"},
    {"status": "503"},
    {},
    None,
    "garbage",
]


@st.composite
def additions(draw: st.DrawFn, truth: Truth) -> list[Answer]:
    """The items of the answer with doubles, items of no record and foreign ones among them."""
    items = truth.items()
    beyond = {"xactionId": f"{truth.prefix}{len(items) + draw(st.integers(0, 5))}"}
    for _ in range(draw(st.integers(1, 4))):
        extra = draw(st.sampled_from([*truth.items(), beyond, *FOREIGN]))
        items.insert(draw(st.integers(0, len(items))), extra)
    return items


@given(truths(OK, NO, LATER), st.data())
def test_items_added_settle_no_record_against_what_was_decided(
    truth: Truth, choices: st.DataObject
) -> None:
    reading = truth.read(choices.draw(additions(truth)))
    accepted, rejected = check(truth, reading)
    if truth.batch_id:
        assert accepted == truth.accepted
    if truth.batch_id and truth.dialect == "observed":
        assert rejected == truth.rejected


@given(truths(OK, NO), st.data())
def test_items_added_in_any_order_settle_no_record_against_what_was_decided(
    truth: Truth, choices: st.DataObject
) -> None:
    items = choices.draw(st.permutations(choices.draw(additions(truth))))
    accepted, _ = check(truth, truth.read(items))
    if truth.batch_id:
        assert accepted == truth.accepted


@given(truths(OK, NO), st.data())
def test_in_any_order_all_accepted_records_are_known_with_their_ids(
    truth: Truth, choices: st.DataObject
) -> None:
    accepted, rejected = check(truth, truth.read(choices.draw(st.permutations(truth.items()))))
    assert accepted == truth.accepted
    if truth.dialect == "observed":
        assert rejected == truth.rejected


@given(truths(OK, NO, LATER), st.data())
def test_accepted_records_whose_ids_were_stripped_are_tried_again(
    truth: Truth, choices: st.DataObject
) -> None:
    stripped = choices.draw(st.sets(st.sampled_from(range(len(truth.decisions)))))
    items = truth.items()
    for index in stripped:
        items[index].pop("xactionId", None)
    accepted, rejected = check(truth, truth.read(items))
    assert accepted == truth.accepted - stripped
    assert rejected == truth.rejected


@given(truths(OK, NO), st.data())
def test_ids_without_numbers_are_matched_only_when_every_record_has_its_item(
    truth: Truth, choices: st.DataObject
) -> None:
    items = [{**item, "xactionId": f"opaque-{n}-x"} for n, item in enumerate(truth.items())]
    accepted, rejected, _ = settled(truth.read(items), len(items))
    assert (set(accepted), set(rejected)) == (truth.accepted, truth.rejected)
    dropped = choices.draw(st.integers(0, len(items) - 1))
    assume(len(items) > 1)
    reading = truth.read(items[:dropped] + items[dropped + 1 :])
    assert settled(reading, len(items)) == ([], [], list(range(len(items))))


# Whatever comes

KEYS = [
    *("batchId", "responses", "receivedTimeMs", "xactionId", "status", "statusCode"),
    *("message", "report", "cause", "error", "title"),
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 700)
    | st.sampled_from(["", "400", "200", "x", BATCH, f"{BATCH}:0", f"{BATCH}:1", f"{UUID}-1"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.sampled_from([100, 200, 202, 207, 299, 302, 400, 401, 404, 413, 429, 500, 503]),
    VALUES
    | st.fixed_dictionaries(
        {"responses": st.lists(VALUES, max_size=5)}, optional={"batchId": VALUES}
    ),
    st.integers(0, 3),
    st.integers(1, 5),
)
def test_whatever_comes_each_record_lands_in_exactly_one_list(
    status: int, answer: object, cut: int, count: int
) -> None:
    body = encoded(answer)
    reading = read(status, body[: len(body) - cut], count)
    accepted, rejected, _ = settled(reading, count)
    assert not accepted or 200 <= status < 300
    assert (reading.advice is Advice.SETTLE) == bool(accepted or rejected)
    assert all(rejection.message for rejection in reading.rejected)


@given(st.sampled_from([200, 207, 400, 503]), st.binary(max_size=60), st.integers(1, 3))
def test_whatever_bytes_come_nothing_breaks_and_nothing_is_accepted(
    status: int, body: bytes, count: int
) -> None:
    assert settled(read(status, body, count), count)[0] == []
