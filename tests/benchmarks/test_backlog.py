from dataclasses import replace
from pathlib import Path

from benchmarks import events
from benchmarks.backlog import measure
from benchmarks.pipeline import Agent


def test_a_backlog_is_spooled_whole_and_then_drained_whole(tmp_path: Path) -> None:
    file = events.write(tmp_path / "events.ndjson", 2)
    backlog = measure(Agent(), file, (1, 3))
    assert backlog.start_up > 0
    backlog = replace(backlog, start_up=0.0)  # which is most of what so little takes
    assert (backlog.small.size, backlog.large.size) == (file.size, 3 * file.size)
    assert backlog.large.records == 3 * file.records
    assert 0 < backlog.large.first_answer_seconds < 20
    assert 0 < backlog.growth() < 2
    assert backlog.both_ways() > 0
