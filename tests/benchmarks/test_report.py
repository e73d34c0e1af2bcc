import json
from pathlib import Path

import pytest

from benchmarks.backlog import Backlog, Drained
from benchmarks.events import EventFile
from benchmarks.footprint import Footprint
from benchmarks.judging import Judging
from benchmarks.latency import Latency, stamped
from benchmarks.memory import Stalled
from benchmarks.pipeline import Sent
from benchmarks.report import Report
from benchmarks.sink import STAMP
from benchmarks.sockets import Idle
from benchmarks.startup import StartUp
from benchmarks.throughput import Round, Throughput


def sent(cpu_seconds: float, peak_rss: int = 60_000_000) -> Sent:
    return Sent(cpu_seconds, cpu_seconds * 2, peak_rss, cpu_seconds / 2, 10, 1_000)


def one_round(gzip: float) -> Round:
    return Round(
        limit_gzip={"cpu_seconds": 1.0},
        limit_none={"cpu_seconds": 0.5},
        gzip=sent(gzip),
        none=sent(1.0),
        piped=sent(2.0),
        disk=sent(gzip * 1.1),
        tcp=sent(gzip * 1.2),
        unix=sent(gzip * 1.2),
        http=sent(gzip * 1.4),
        followed=sent(gzip * 1.1),
        one_record=(sent(0.25),) * 3,
        one_followed=(sent(0.25),) * 3,
        one_poured=(sent(0.25),) * 3,
        one_pushed=(sent(0.25),) * 3,
    )


def report(
    *,
    gzip: float = 1.25,
    p99: float = 1_040,
    rss: int = 60_000_000,
    drain: float = 4.6,
    idle: int = 80_000_000,
    first: float = 0.6,
    judged: float = 2.0,
) -> Report:
    return Report(
        EventFile(Path("events.ndjson"), 270_000, 300_000_000),
        Throughput(300_000_000, (one_round(gzip), one_round(gzip), one_round(gzip * 9))),
        (Latency(1_000, 500, p99, 1_100, 9_999),),
        StartUp(0.1, 0.4, 0.5),
        Stalled(rss, 40_000_000, 50_000),
        Backlog(
            Drained(300_000_000, 270_000, 0.5, 1.0, 0.8, 70_000_000),
            Drained(2_100_000_000, 1_890_000, first, 7.0, drain, 90_000_000),
            start_up=0.25,
        ),
        Idle(10_000, idle, 60_000_000),
        Judging(20_000, judged),
        Footprint(47_000_000, 95_000_000, 1_000_000, ""),
        None,
    )


def test_the_ratio_pairs_the_agent_with_the_limit_and_takes_the_median_round() -> None:
    made = report().throughput
    assert made.per_cpu_second("gzip", net=False) == pytest.approx(240)
    assert made.per_cpu_second("gzip", net=True) == pytest.approx(300)
    assert made.ratio("gzip", net=True) == pytest.approx(1.0)
    assert made.ratio("none", net=False) == pytest.approx(0.5)
    assert made.wall("piped") == pytest.approx(75)
    assert made.sink_share("gzip") == pytest.approx(0.5)


def test_nothing_is_missed_when_all_targets_are_met() -> None:
    assert report().missed() == []


@pytest.mark.parametrize(
    ("measured", "name"),
    [
        (report(gzip=1.6), "part of the limit, gzip, net of start-up"),
        (report(judged=7.0), "mapped and validated, as `preflight` and the emulator do"),
        (report(p99=1_051), "answered after, max_wait 1000 ms: p99"),
        (report(drain=4.9), "draining a MB of 2,100 MB, of a MB of 300 MB"),
        (report(first=2.1), "first answer, 1,890,000 records spooled"),
        (report(rss=114_000_000), "peak RSS: inlet stalled, firehose"),
        (report(idle=210_000_000), "RSS: 10,000 open connections"),
    ],
)
def test_a_target_that_is_missed_is_named(measured: Report, name: str) -> None:
    assert measured.missed() == [name]


def test_the_json_says_what_was_measured_on_what(tmp_path: Path) -> None:
    path = tmp_path / "out" / "bench.json"
    report(p99=2_000).write(path)
    written = json.loads(path.read_bytes())
    assert written["machine"]["cpus"] >= 1
    assert len(written["measured"]["rounds"]) == 3
    met = {figure["name"]: figure["met"] for figure in written["figures"]}
    assert met["--help"] is True
    assert met["answered after, max_wait 1000 ms: p99"] is False
    assert met["limit with gzip"] is None


def test_the_table_shows_a_missed_target(capsys: pytest.CaptureFixture[str]) -> None:
    report(p99=2_000).show()
    shown = capsys.readouterr().out
    assert "NOT MET" in shown
    assert "270,000 records, 300 MB" in shown


def test_a_stamp_is_found_again_in_valid_json() -> None:
    line = stamped(b'{"a":1}\n', 123)
    assert json.loads(line) == {"sent_ns": 123, "a": 1}
    assert STAMP.findall(line) == [b"123"]
