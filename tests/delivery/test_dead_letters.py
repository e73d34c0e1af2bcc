from hashlib import sha256

from agent.core import encoding
from agent.core.batching import Draft
from agent.core.chunks import Refused
from agent.core.codecs import Codec
from agent.core.framing import Oversize
from agent.core.responses import Rejection
from agent.core.validation import Fault
from agent.delivery import dead_letters
from agent.delivery.encoder import Encoder
from agent.record import Position, Span


def test_a_refused_line_is_kept_whole_where_it_is_short() -> None:
    refused = Refused(b"nonsense", Position(3, 40), Fault("invalid_json", "not valid JSON"))
    letter = dead_letters.of_refused("a", refused, 5.0, bytes_max=8)
    assert (letter.record, letter.length, letter.sha256) == (b"nonsense", 8, None)
    assert (letter.reason, letter.stage, letter.message) == (
        "invalid_json",
        "validate",
        "not valid JSON",
    )
    assert (letter.source, letter.position) == ("a", Position(3, 40))
    assert (letter.attempts, letter.first_at, letter.last_at) == (0, 5.0, 5.0)
    assert letter.status is None


def test_of_a_long_line_the_beginning_the_length_and_a_hash_are_kept() -> None:
    refused = Refused(b"nonsense", Position(1, 0), Fault("invalid_json", "…"))
    letter = dead_letters.of_refused("a", refused, 5.0, bytes_max=3)
    assert (letter.record, letter.length) == (b"non", 8)
    assert letter.sha256 == sha256(b"nonsense").hexdigest()


def test_an_oversize_line_that_is_kept_whole_needs_no_hash() -> None:
    hash_of = sha256(b"123456").hexdigest()
    whole = dead_letters.of_oversize("a", Position(1, 0), Oversize(b"123456", 6, hash_of), 5.0, 4)
    part = dead_letters.of_oversize("a", Position(1, 0), Oversize(b"123", 6, hash_of), 5.0, 4)
    assert (whole.sha256, part.sha256) == (None, hash_of)
    assert (whole.reason, whole.stage) == ("too_large", "frame")
    assert whole.message == "6 bytes long; one request has room for 4 at most"


def test_a_rejected_record_is_found_in_its_batch_with_the_platforms_words() -> None:
    encoder = Encoder(encoding.raw(), Codec("gzip"))
    records = [b'{"a":0}', b'{"a":11}', b'{"a":2}', b'{"a":333}']
    draft = Draft(1.0, 2.0, [*records], [Span("x", 5, 70, 2, 2), Span("y", 1, 0, 2)], 30)
    batch = encoder.batch(draft)
    batch.attempts, batch.first_at, batch.last_at = 2, 10.0, 20.0
    rejections = [Rejection(1, 400, "no such schema", "id:1"), Rejection(3, 413, "too long")]
    first, second = dead_letters.of_rejections(batch, records, rejections, bytes_max=8)
    assert (first.record, first.source, first.position) == (b'{"a":11}', "x", Position(6, 79))
    assert (first.reason, first.stage, first.status) == ("rejected", "platform", 400)
    assert (first.message, first.xaction_id) == ("no such schema", "id:1")
    assert (first.attempts, first.first_at, first.last_at) == (2, 10.0, 20.0)
    assert (second.source, second.position) == ("y", Position(2, 8))
    assert (second.reason, second.status) == ("too_large", 413)
    assert (second.record, second.length) == (b'{"a":333', 9)
    assert second.sha256 == sha256(b'{"a":333}').hexdigest()


def test_a_dead_letter_stands_on_its_one_line() -> None:
    refused = Refused(b"x", Position(3, 40), Fault("invalid_json", "…"))
    letter = dead_letters.of_refused("a", refused, 5.0, bytes_max=8)
    assert dead_letters.span_of(letter) == Span("a", 3, 40, 1)


def test_tiny_dead_letters_hold_what_they_cost() -> None:
    refused = Refused(b"x", Position(3, 40), Fault("invalid_json", "…"))
    letter = dead_letters.of_refused("a", refused, 5.0, bytes_max=8)
    assert dead_letters.held_bytes([]) == 0
    assert dead_letters.held_bytes([letter] * 3) > 3 * 300
