import pytest

from agent.core.likeness import NOTHING, Likeness, likeness, stretch

CONTENT = b'{"n":1}\n{"n":2}\n'


def reader(content: bytes):
    return lambda offset, size: content[offset : offset + size]


def of(content: bytes, read_to: int) -> Likeness:
    head = stretch(content[:read_to], read_to)
    return Likeness(1, 2, head, stretch(content[read_to - 4 : read_to], read_to))


def test_a_file_that_grew_is_like_itself() -> None:
    assert of(CONTENT, 8).agrees(reader(CONTENT + b"more"))


def test_a_file_that_begins_otherwise_is_another() -> None:
    assert not of(CONTENT, 8).agrees(reader(b"x" + CONTENT[1:]))


def test_a_file_that_was_cut_and_grew_again_is_told_by_what_stands_before_the_place_reached() -> (
    None
):
    before = Likeness(1, 2, stretch(CONTENT[:2], 2), stretch(CONTENT[4:8], 8))
    assert before.agrees(reader(CONTENT))
    assert not before.agrees(reader(CONTENT[:4] + b"other bytes than there were"))


def test_a_file_shorter_than_was_read_is_another() -> None:
    assert not of(CONTENT, 16).agrees(reader(CONTENT[:10]))


def test_of_nothing_read_everything_may_be_the_same() -> None:
    assert Likeness(1, 2, NOTHING).agrees(reader(b"anything"))


@pytest.mark.parametrize(
    "known",
    [Likeness(1, 2), Likeness(66306, 2**63, stretch(b"x" * 1024, 1024)), of(CONTENT, 16)],
)
def test_what_is_kept_is_read_back(known: Likeness) -> None:
    assert likeness(str(known)) == known


def test_what_earlier_releases_kept_is_understood() -> None:
    known = likeness("66306:1234:1024:0123456789abcdef")
    assert known is not None
    assert (known.device, known.inode, known.head.size, known.tail) == (66306, 1234, 1024, None)


@pytest.mark.parametrize(
    "text", [None, "", "begun", "1:2:3", "a:b:c:d", "1:2:3:d:e", "1:2:3:d:4:5:e:f"]
)
def test_what_is_of_another_kind_is_none(text: str | None) -> None:
    assert likeness(text) is None
