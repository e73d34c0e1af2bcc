import pytest

from agent.emulator.counts import Counts


class Connection:
    """Stands for a transport: any object that can be referred to weakly."""


def test_a_record_that_came_before_is_a_duplicate() -> None:
    counts = Counts()
    counts.accepted("one", [b"a", b"b", b"a"])
    counts.accepted("two", [b"b", b"c"])
    stats = counts.as_json()
    assert stats["duplicates"] == 2
    assert stats["records_accepted"] == 5
    assert stats["records_by_flow"] == {"one": 3, "two": 2}


def test_only_so_many_records_are_remembered_as_the_bound_allows() -> None:
    counts = Counts(max_hashes=2)
    counts.accepted("one", [b"a", b"b"])
    counts.accepted("one", [b"a", b"c", b"c"])
    counts.accepted("one", [b"a", b"c"])
    assert counts.as_json()["duplicates"] == 3  # a, c beside its double, a; c was not remembered


def test_an_id_that_came_before_is_a_repeated_one_whatever_came_with_it() -> None:
    counts = Counts(max_hashes=2)
    counts.accepted("one", [b"a", b"b"], [b"1"])
    counts.accepted("two", [b"c", b"d"], [b"1", b"2"])
    counts.accepted("one", [b"e"], [b"2"])
    stats = counts.as_json()
    assert (stats["duplicates"], stats["repeated_ids"]) == (0, 2)
    counts.forget_records()
    assert counts.as_json()["repeated_ids"] == 0


def test_a_connection_counts_once_however_many_requests_it_carries() -> None:
    counts = Counts()
    first, second = Connection(), Connection()
    for connection in (first, second, first):
        with counts.request("batch", connection):
            assert counts.as_json()["requests_in_flight"] == 1
    stats = counts.as_json()
    assert stats["connections"] == 2
    assert stats["requests"] == 3
    assert stats["requests_in_flight"] == 0


def test_a_request_that_fails_is_no_longer_in_flight() -> None:
    counts = Counts()
    with pytest.raises(ValueError, match="lost"), counts.request("batch", Connection()):
        raise ValueError("lost")
    assert counts.as_json()["requests_in_flight"] == 0


def test_clearing_counts_from_zero_and_keeps_what_is_in_flight() -> None:
    counts = Counts()
    connection = Connection()
    with counts.request("single", connection):
        counts.accepted("one", [b"a"])
        counts.body(b"12", b"1234", "gzip")
        counts.answered(207)
        counts.clear()
        stats = counts.as_json()
    assert stats["requests_in_flight"] == 1
    assert stats["records_accepted"] == stats["bytes_wire"] == stats["requests_gzip"] == 0
    assert stats["requests_by_status"] == {}
