import sys
from pathlib import Path

import pytest

from benchmarks import events
from benchmarks.children import BenchmarkError
from benchmarks.latency import measure
from benchmarks.pipeline import Agent, send_file

# Sends all of its input in one gzipped request, as the agent would, but `losing` some records.
STAND_IN = """\
import gzip, sys
from urllib.request import Request, urlopen
losing = int(sys.argv[1])
named = dict(zip(sys.argv[3:], sys.argv[4:]))
source = sys.stdin.buffer if sys.argv[-1] == "-" else open(sys.argv[-1], "rb")
lines = source.read().splitlines()
body = b'{"messages":[' + b",\\n".join(lines[losing:]) + b"]}"
url = named["--inlet-url"].replace("/collection/", "/collection/batch/")
packed = body if "none" in sys.argv else gzip.compress(body)
headers = {} if "none" in sys.argv else {"Content-Encoding": "gzip"}
assert urlopen(Request(url, packed, headers)).status == 207
"""


def stand_in(tmp_path: Path, *, losing: int = 0) -> Agent:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    return Agent((sys.executable, str(script), str(losing)))


@pytest.mark.parametrize("piped", [True, False])
def test_a_whole_file_is_sent_by_name_and_through_a_pipe(tmp_path: Path, piped: bool) -> None:
    file = events.write(tmp_path / "events.ndjson", megabytes=0.3, events=100)
    sent = send_file(stand_in(tmp_path), file.path, file.records, piped=piped)
    assert sent.requests == 1
    assert sent.cpu_seconds > 0
    assert sent.bytes_wire < file.size


def test_a_run_that_loses_a_record_gives_no_numbers(tmp_path: Path) -> None:
    file = events.write(tmp_path / "events.ndjson", megabytes=0.1, events=50)
    with pytest.raises(BenchmarkError, match=rf"sent {file.records - 1} records"):
        send_file(stand_in(tmp_path, losing=1), file.path, file.records)


def test_a_plain_run_that_gzips_gives_no_numbers(tmp_path: Path) -> None:
    file = events.write(tmp_path / "events.ndjson", megabytes=0.1, events=50)
    agent = stand_in(tmp_path)
    assert send_file(agent, file.path, file.records, ("--compression", "none")).requests == 1
    with pytest.raises(BenchmarkError, match="1 of 1 requests were gzipped"):
        send_file(agent, file.path, file.records, ("--compression=none",))


def test_an_agent_that_fails_is_quoted() -> None:
    failing = Agent((sys.executable, "-c", "import sys; sys.exit('no such flow')"))
    with pytest.raises(BenchmarkError, match="no such flow"):
        measure(failing, seconds=0.1, max_wait_ms=10)
