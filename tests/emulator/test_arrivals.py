import json
from pathlib import Path

import pytest

from agent.emulator.arrivals import Arrivals, Rejection
from agent.errors import AgentError


def everything(arrivals: Arrivals, flow_id: str | None = None, since: int = 0) -> list[bytes]:
    return [record for run in arrivals.records(flow_id=flow_id, since=since) for record in run]


@pytest.fixture
def arrivals() -> Arrivals:
    arrivals = Arrivals()
    arrivals.append("one", ["a", "b", "c"], [b"1", b"2", b"3"])
    arrivals.append("two", ["d"], [b"4"])
    arrivals.append("one", ["e", "f"], [b"5", b"6"])
    return arrivals


def test_records_come_back_in_order_of_arrival(arrivals: Arrivals) -> None:
    assert everything(arrivals) == [b"1", b"2", b"3", b"4", b"5", b"6"]


def test_one_flow_can_be_read_by_itself(arrivals: Arrivals) -> None:
    assert everything(arrivals, "one") == [b"1", b"2", b"3", b"5", b"6"]
    assert everything(arrivals, "none") == []


@pytest.mark.parametrize("since", range(8))
def test_the_first_ones_can_be_left_out(arrivals: Arrivals, since: int) -> None:
    assert everything(arrivals, since=since) == everything(arrivals)[since:]
    assert everything(arrivals, "one", since) == everything(arrivals, "one")[since:]


def test_every_record_has_the_id_it_was_given(arrivals: Arrivals) -> None:
    lines = [json.loads(line) for run in arrivals.records_with_ids(since=1) for line in run]
    assert [(line["xaction_id"], line["flow_id"], line["record"]) for line in lines] == [
        ("b", "one", 2),
        ("c", "one", 3),
        ("d", "two", 4),
        ("e", "one", 5),
        ("f", "one", 6),
    ]


def test_a_line_break_inside_a_record_is_kept_as_a_space(arrivals: Arrivals) -> None:
    arrivals.append("one", ["g", "h"], [b'{\n"a":\n1}', b"7"])
    assert everything(arrivals, since=6) == [b'{ "a": 1}', b"7"]


def test_what_is_forgotten_is_gone(arrivals: Arrivals) -> None:
    arrivals.reject([Rejection(b"{}", 400, "no", None)])
    arrivals.forget()
    assert everything(arrivals) == []
    assert b"".join(arrivals.rejected()) == b""
    arrivals.append("one", ["g"], [b"7"])
    assert everything(arrivals) == [b"7"]


def test_reading_ends_where_the_records_are_forgotten_meanwhile(arrivals: Arrivals) -> None:
    runs = arrivals.records()
    assert next(runs) == [b"1", b"2", b"3"]
    arrivals.forget()
    assert list(runs) == []


def test_many_arrivals_are_read_over_block_borders() -> None:
    arrivals = Arrivals()
    for number in range(3000):
        arrivals.append("one", [f"{number:0400}"], [b"%d" % number])
    assert everything(arrivals) == [b"%d" % number for number in range(3000)]


def test_a_directory_keeps_the_records(tmp_path: Path) -> None:
    first = Arrivals(tmp_path / "new" / "place")
    first.append("one", ["a"], [b'{"x":"\xc3\xa9"}'])
    first.reject([Rejection(b"{}", 400, "no", None)])
    first.close()
    second = Arrivals(tmp_path / "new" / "place")
    second.append("one", ["b"], [b"{}"])
    assert everything(second) == [b'{"x":"\xc3\xa9"}', b"{}"]
    assert b"".join(second.rejected()).count(b"\n") == 1
    second.close()
    assert (tmp_path / "new/place/records.ndjson").read_bytes() == b'{"x":"\xc3\xa9"}\n{}\n'


@pytest.mark.parametrize("torn", ["arrivals.ndjson", "records.ndjson"])
def test_a_run_that_was_half_written_is_dropped_at_the_next_start(
    tmp_path: Path, torn: str
) -> None:
    first = Arrivals(tmp_path)
    first.append("one", ["a"], [b"1"])
    first.append("one", ["b"], [b"2"])
    first.close()
    path = tmp_path / torn
    path.write_bytes(path.read_bytes()[:-1])
    second = Arrivals(tmp_path)
    second.append("one", ["c"], [b"3"])
    assert everything(second) == [b"1", b"3"]
    second.close()


def test_a_directory_belongs_to_one_emulator(tmp_path: Path) -> None:
    first = Arrivals(tmp_path)
    with pytest.raises(AgentError, match="no other emulator"):
        Arrivals(tmp_path)
    first.close()
    Arrivals(tmp_path).close()


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AgentError, match="file/inside"):
        Arrivals(tmp_path / "file" / "inside")


def test_a_refused_record_is_kept_raw_or_as_text_or_in_base64() -> None:
    arrivals = Arrivals()
    arrivals.reject(
        [
            Rejection(b'{"a":\n1e400}', 400, "no", "id-1"),
            Rejection(b'{"a', 400, "not JSON", None, is_json=False),
            Rejection(b"\xff", 400, "not UTF-8", None, is_json=False),
        ]
    )
    lines = b"".join(arrivals.rejected()).splitlines()
    assert lines == [
        b'{"record":{"a": 1e400},"status":400,"message":"no","xaction_id":"id-1"}',
        b'{"record":"{\\"a","status":400,"message":"not JSON","xaction_id":null}',
        b'{"record_base64":"/w==","status":400,"message":"not UTF-8","xaction_id":null}',
    ]
