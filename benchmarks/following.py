"""What does a megabyte of a file cost that is followed, rather than read once by name?"""

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import Child
from benchmarks.events import EventFile
from benchmarks.pipeline import Agent, RunningSink, Sent, check_counted


def follow(agent: Agent, file: EventFile) -> Sent:
    """Have an agent follow the file until all of it is sent, and then stop.

    Raises BenchmarkError unless the sink was sent exactly the records of the file.
    """
    timeout = 30 + file.records / 2_000
    with RunningSink() as sink, TemporaryDirectory(prefix="aep-agent-bench-") as directory:
        config = Path(directory) / "agent.json"
        settings = {
            "data_dir": directory,
            "inlet": {"url": sink.inlet_url, "flow_id": sink.flow_id},
            "sources": [{"type": "file", "paths": [str(file.path)]}],
            "buffer": {"type": "memory"},
            "admin": {"listen": None},
        }
        config.write_text(json.dumps(settings))
        before = sink.stats()
        begun = time.monotonic()
        with Child([*agent.command, "run", str(config)]) as child:
            sink.wait_for(file.records, timeout, child)
            wall = time.monotonic() - begun
            child.stop()
            finished = child.expect(timeout)
        counted = sink.stats()
    check_counted(counted, file.records, gzipped=True)
    return Sent(
        cpu_seconds=finished.cpu_seconds,
        wall_seconds=wall,
        peak_rss=finished.peak_rss,
        sink_cpu_seconds=counted["cpu_seconds"] - before["cpu_seconds"],
        requests=counted["requests"],
        bytes_wire=counted["bytes_wire"],
    )
