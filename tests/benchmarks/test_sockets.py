from pathlib import Path

from benchmarks import events, sockets
from benchmarks.pipeline import Agent


def test_a_file_is_poured_in_over_a_connection_and_counted(tmp_path: Path) -> None:
    file = events.write(tmp_path / "events.ndjson", megabytes=0.3, events=100)
    for kind in ("tcp", "unix"):
        sent = sockets.pour(Agent(), file, kind)
        assert sent.cpu_seconds > 0
        assert sent.bytes_wire < file.size


def test_ten_thousand_open_connections_take_less_than_200_mb() -> None:
    idle = sockets.idle(Agent())
    assert idle.connections > 3000, "too few descriptors on this machine to tell anything"
    assert idle.rss < 200_000_000
    assert (idle.rss - idle.rss_without) / idle.connections < 5_000
