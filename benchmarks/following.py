"""What does a megabyte of a file cost that is followed, rather than read once by name?"""

import json
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.children import Child
from benchmarks.events import EventFile
from benchmarks.pipeline import Agent, RunningSink, Sent, sent


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
    return sent(file.records, finished, wall, before, counted)
