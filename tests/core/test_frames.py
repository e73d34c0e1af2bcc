from agent.core.frames import Misframed, last_frame
from agent.core.framing import LineFramer, Oversize


def ended(*blocks: bytes, most: int = 100) -> object:
    framer = LineFramer(most, 5)
    for block in blocks:
        framer.feed(block)
    return last_frame(framer.rest(), "was closed")


def test_a_whole_record_counts_although_its_end_did_not_come() -> None:
    assert ended(b'{"a":1}\n{"b"', b":2}") == b'{"b":2}\n'
    assert ended(b"{}\r") == b"{}\r\n"


def test_half_a_record_is_torn_and_says_how() -> None:
    torn = ended(b'{"a":1}\n{"b"')
    assert isinstance(torn, Misframed)
    assert torn.found == b'{"b"'
    assert torn.fault.reason == "torn"
    assert torn.fault.message == (
        "the connection was closed within a record:"
        " not valid JSON: the text ends at byte 4 where a colon was expected"
    )


def test_nothing_is_left_after_a_whole_line_or_white_space() -> None:
    assert ended() is None
    assert ended(b"{}\n") is None
    assert ended(b"{}\n \t\r") is None


def test_the_rest_of_a_line_too_long_is_told_as_such() -> None:
    rest = ended(b"x" * 50, b"y" * 100, most=20)
    assert isinstance(rest, Oversize)
    assert (rest.head, rest.length) == (b"xxxxx", 150)


def test_what_is_held_counts_the_head_of_a_line_too_long() -> None:
    framer = LineFramer(20, 5)
    framer.feed(b"x" * 10)
    assert framer.held_bytes == framer.unfinished_bytes == 10
    framer.feed(b"x" * 20)
    assert (framer.held_bytes, framer.unfinished_bytes) == (5, 0)
    framer.rest()
    assert framer.held_bytes == 0
