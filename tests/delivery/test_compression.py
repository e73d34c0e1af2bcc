import gzip as standard
import zlib

from hypothesis import given
from hypothesis import strategies as st

from agent.delivery.compression import gunzip, gzip


@given(st.binary(max_size=5000))
def test_a_body_comes_back_byte_for_byte(body: bytes) -> None:
    assert gunzip(gzip(body)) == body


@given(st.binary(max_size=5000))
def test_any_other_program_can_read_it(body: bytes) -> None:
    assert standard.decompress(gzip(body)) == body
    member = zlib.decompressobj(31)
    assert member.decompress(gzip(body)) == body
    assert member.eof
    assert not member.unused_data


def test_a_body_of_records_gets_much_smaller() -> None:
    body = b",\n".join(b'{"order":%d,"shop":"Antwerp","paid":true}' % n for n in range(1000))
    assert len(gzip(body)) < len(body) / 4
