import pytest

from agent.core.codecs import Codec


@pytest.mark.parametrize(("compression", "gzip"), [("auto", True), ("gzip", True), ("none", False)])
def test_auto_begins_with_gzip(compression: str, gzip: bool) -> None:
    assert Codec(compression).gzip is gzip


@pytest.mark.parametrize(
    ("status", "suspect"),
    [
        *((status, True) for status in (400, 415, 500, 502, 599)),
        *((status, False) for status in (503, 401, 404, 413, 429, 207)),
    ],
)
def test_only_what_may_be_gzips_fault_is_tried_without(status: int, suspect: bool) -> None:
    assert Codec("auto").is_suspect(status, gzipped=True) is suspect
    assert not Codec("auto").is_suspect(status, gzipped=False)


@pytest.mark.parametrize("compression", ["auto", "gzip"])
def test_gzip_that_is_wanted_or_was_taken_once_is_beyond_suspicion(compression: str) -> None:
    codec = Codec(compression)
    codec.took(gzipped=True)
    assert not codec.is_suspect(400, gzipped=True)


def test_a_plain_body_that_was_taken_proves_nothing_of_gzip() -> None:
    codec = Codec("auto")
    codec.took(gzipped=False)
    assert codec.is_suspect(400, gzipped=True)


def test_refused_gzip_is_given_up_for_good() -> None:
    codec = Codec("auto")
    assert codec.refused_gzip()
    assert not codec.gzip
    codec.took(gzipped=True)
    assert not codec.gzip
    assert not codec.refused_gzip(), "it is given up only once"


def test_gzipped_bodies_still_under_way_when_it_is_given_up_are_sent_without() -> None:
    codec = Codec("auto")
    codec.refused_gzip()
    assert codec.is_suspect(400, gzipped=True)


@pytest.mark.parametrize("compression", ["auto", "gzip"])
def test_one_bad_moment_does_not_give_up_what_another_request_proved(compression: str) -> None:
    codec = Codec(compression)
    codec.took(gzipped=True)
    assert not codec.refused_gzip()
    assert codec.gzip
