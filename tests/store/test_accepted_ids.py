from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from agent.store.accepted_ids import number_at, ordinals_of, read_runs, split_id, write_runs

runs_of_numbers = st.lists(
    st.builds(
        lambda start, length, step: range(start, start + length * step, step),
        st.integers(0, 10_000),
        st.integers(0, 600),
        st.integers(1, 3),
    ),
    max_size=6,
)


@given(runs_of_numbers)
def test_runs_read_back_as_the_same_numbers_in_the_same_order(runs):
    assert list(chain(*read_runs(write_runs(runs)))) == list(chain(*runs))


@given(runs_of_numbers, st.data())
def test_a_number_is_found_at_every_place_that_names_it(runs, data):
    numbers = list(chain(*runs))
    wanted = data.draw(st.sampled_from(numbers)) if numbers else 0
    places = [place for place, number in enumerate(numbers) if number == wanted]
    assert list(ordinals_of(wanted, runs)) == places
    assert all(number_at(place, runs) == wanted for place in places)


def test_there_is_no_number_beyond_the_last():
    assert number_at(3, (range(2), range(5, 6))) is None


def test_a_whole_batch_takes_a_few_characters():
    assert write_runs([range(480)]) == "0-479"
    assert write_runs([range(10), range(11, 12), range(13, 480)]) == "0-9,11,13-479"


def test_an_id_is_split_at_its_last_separator():
    assert split_id("1565628583792:1485:153:7") == ("1565628583792:1485:153:", 7)
    assert split_id("9341f8eb-6d2e-4f7a-8a51-02f0a3d1a7ce-12") == (
        "9341f8eb-6d2e-4f7a-8a51-02f0a3d1a7ce-",
        12,
    )


def test_an_id_without_a_plain_number_at_its_end_is_not_split():
    for odd in ("", "7", "abc", "abc-", "abc:x7", "abc:07", "abc:²", "abc:" + "9" * 30):
        assert split_id(odd) is None
