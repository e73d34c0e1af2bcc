from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.core.breaker import Breaker


class Stream:
    """Answers about batch after batch, in a time that passes."""

    def __init__(self, share: float = 0.5, least: int = 100, window: int = 1000) -> None:
        self.breaker = Breaker(share, least, window)
        self.now = 10.0
        self.numbers = count(1)

    def answer(
        self, accepted: int, refused: int, *, number: int | None = None, sent: float | None = None
    ) -> bool:
        """Whether the refusals are believed; those that are not are kept, as a sender would."""
        self.now += 1
        batch = next(self.numbers) if number is None else number
        at = self.now if sent is None else sent
        believed = self.breaker.believes(batch, accepted, refused, at, self.now + 0.5)
        if not believed:
            self.breaker.keep([batch])
        return believed


def test_a_few_bad_records_among_many_are_believed() -> None:
    stream = Stream()
    for _ in range(100):
        assert stream.answer(60, 40)
    assert not stream.breaker.is_open


def test_fewer_verdicts_than_it_takes_are_believed_even_if_all_are_refusals() -> None:
    stream = Stream(least=100)
    assert all(stream.answer(0, 1) for _ in range(99))
    assert not stream.answer(0, 1)
    assert stream.breaker.is_open


def test_one_answer_may_show_it_all() -> None:
    stream = Stream()
    assert stream.answer(1000, 0)
    assert not stream.answer(0, 900)
    assert stream.breaker.is_open


def test_in_the_middle_of_a_good_stream_it_takes_its_share_of_the_window() -> None:
    stream = Stream(window=1000)
    for _ in range(20):
        stream.answer(500, 0)
    believed = 0
    while stream.answer(0, 1):
        believed += 1
    assert believed == 499


@pytest.mark.parametrize("size", [1, 10, 100])
def test_what_is_older_than_the_window_is_forgotten(size: int) -> None:
    stream = Stream(window=1000)
    for _ in range(10_000 // size):
        stream.answer(size, 0)
    believed = 0
    while stream.answer(0, size):
        believed += size
    assert believed == pytest.approx(500, abs=2 * size)


def test_with_a_share_of_one_everything_may_be_refused() -> None:
    stream = Stream(share=1.0, least=1)
    assert all(stream.answer(0, 500) for _ in range(10))
    assert not stream.breaker.is_open


def test_while_it_is_open_no_refusal_is_believed() -> None:
    stream = Stream()
    assert not stream.answer(0, 100)
    assert not any(stream.answer(0, 1) for _ in range(1000))
    assert not stream.answer(49, 51)


def test_a_request_that_is_mostly_accepted_closes_it_and_its_refusals_are_believed() -> None:
    stream = Stream()
    stream.answer(0, 100)
    assert stream.answer(51, 49)
    assert not stream.breaker.is_open
    stream.answer(900, 0)
    assert stream.answer(0, 400), "it counts from the start again"


def test_answers_to_what_was_sent_before_it_opened_are_weighed_with_the_others() -> None:
    stream = Stream()
    stream.answer(0, 100, number=7000)
    assert stream.answer(100, 0, sent=5.0)
    assert stream.breaker.is_open, "it is still half of them"
    assert not stream.answer(99, 1, sent=5.0)
    assert not stream.breaker.is_open
    assert not stream.breaker.has_had_its_chance(7000), "it is no recovery"
    assert stream.answer(0, 50, number=7000)
    assert not stream.answer(0, 500)


def test_a_batch_that_was_kept_back_is_believed_when_it_is_refused_again_after_others_passed() -> (
    None
):
    stream = Stream()
    assert not stream.answer(0, 900, number=7000)
    assert not stream.answer(0, 900, number=7000), "nothing was accepted since"
    assert stream.answer(900, 0)
    assert stream.breaker.has_had_its_chance(7000)
    assert stream.answer(0, 900, number=7000)
    assert not stream.breaker.is_open
    assert not stream.breaker.has_had_its_chance(7000)
    assert not stream.answer(0, 9000), "another one is no proof"


def test_the_parts_of_a_batch_have_had_the_chance_that_it_had() -> None:
    stream = Stream()
    stream.answer(0, 900, number=7000)
    stream.answer(900, 0)
    stream.breaker.replaced(7000, [7001, 7002])
    stream.breaker.replaced(7001, [7003])
    stream.breaker.replaced(1, [7004])
    chance = [number for number in range(7000, 7005) if stream.breaker.has_had_its_chance(number)]
    assert chance == [7002, 7003]
    assert all(stream.answer(0, 300, number=number) for number in chance)
    assert not stream.breaker.is_open


def test_while_it_is_open_again_nobody_has_had_a_chance() -> None:
    stream = Stream()
    stream.answer(0, 900, number=7000)
    stream.answer(900, 0)
    stream.answer(0, 9000)
    assert stream.breaker.is_open
    assert not stream.breaker.has_had_its_chance(7000)
    assert not stream.answer(0, 900, number=7000)


def test_what_is_remembered_of_batches_is_bounded() -> None:
    breaker = Breaker(0.5, 100, 1000)
    breaker.keep(range(50_000))
    assert len(breaker._kept) == 10_000


ANSWERS = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 300)), max_size=60)


@given(ANSWERS, st.sampled_from([0.1, 0.5, 0.9]), st.integers(1, 200), st.integers(200, 1000))
def test_no_more_is_believed_while_everything_is_refused_than_its_share_of_a_window(
    answers: list[tuple[int, int]], share: float, least: int, window: int
) -> None:
    stream = Stream(share, least, window)
    for accepted, refused in answers:
        stream.answer(accepted, refused)
        assert sum(map(sum, stream.breaker._verdicts)) <= window
    believed = 0
    while stream.answer(0, 1):
        believed += 1
        assert believed <= max(least, share * window + 1)
    assert not stream.answer(0, 1000)
    assert stream.answer(1000, 0)
    assert not stream.breaker.is_open
