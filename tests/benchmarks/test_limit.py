from pathlib import Path

import pytest

from benchmarks import events, limit


@pytest.mark.parametrize("compress", [True, False])
def test_the_limit_takes_every_record_of_a_file(tmp_path: Path, compress: bool) -> None:
    made = events.write(tmp_path / "events.ndjson", megabytes=1.3, events=300)
    counted = limit.run(made.path, compress=compress)
    assert counted["records"] == made.records
    assert counted["bytes"] == made.size
    assert (counted["bytes_encoded"] < made.size) is compress
    assert counted["cpu_seconds"] > 0


def test_the_limit_checks_what_it_reads(tmp_path: Path) -> None:
    for broken in (b'{"a":1\n', b'{"a":"\xff"}\n', b"[1]\n"):
        path = tmp_path / "broken.ndjson"
        path.write_bytes(b'{"a":0}\n' + broken)
        with pytest.raises(ValueError, match=r".+"):
            limit.run(path, compress=False)


def test_a_line_longer_than_a_block_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.ndjson"
    path.write_bytes(b'{"a":"%s"}\n' % (b"x" * limit.READ_BYTES))
    with pytest.raises(ValueError, match="longer than 900000 bytes"):
        limit.run(path, compress=False)
