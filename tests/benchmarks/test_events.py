import json
from itertools import islice
from pathlib import Path

from benchmarks import events


def test_a_block_is_the_same_for_every_run() -> None:
    assert events.block(50) == events.block(50)
    assert events.block(50, seed=1) != events.block(50, seed=2)


def test_events_are_about_a_kilobyte_of_compact_json_and_a_part_of_them_is_not_ascii() -> None:
    lines = events.block(2_000).splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    assert 900 <= sum(map(len, lines)) / len(lines) <= 1_250
    not_ascii = sum(not line.isascii() for line in lines) / len(lines)
    assert 0.2 <= not_ascii <= 0.7


def test_a_file_holds_whole_lines_and_no_id_twice(tmp_path: Path) -> None:
    made = events.write(tmp_path / "out" / "events.ndjson", megabytes=1, events=300)
    content = made.path.read_bytes()
    assert content.endswith(b"\n")
    assert len(content) == made.size
    assert 1_000_000 <= made.size < 1_003_000
    lines = content.splitlines()
    assert len(lines) == made.records > 300
    assert len({json.loads(line)["_id"] for line in lines}) == made.records


def test_a_numbered_block_keeps_its_length() -> None:
    marked = events.block(10)
    assert [len(block) for block in islice(events.numbered(marked), 3)] == [len(marked)] * 3
