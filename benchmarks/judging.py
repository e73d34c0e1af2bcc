"""How many raw records are mapped and validated in a second of CPU, as the emulator and `preflight`
do it?

Records, mapping and schema are those of `aep-agent demo`: twelve mappings, four of them
expressions, and a list of items. Reading the JSON is counted, too.
"""

import json
import re
import sys
import time
from dataclasses import dataclass
from importlib.resources import files
from statistics import median

import orjson
import yaml

from agent.cli.commerce import records
from agent.config.validating import validated
from agent.dataprep import Judge
from agent.provision.manifest.fitting import mapping_of, schema_of
from agent.provision.manifest.model import Manifest
from benchmarks.children import Child

_RECORDS = 20_000
_TO_FILL = re.compile(r"@[A-Z_]+@")  # what the demo fills in


@dataclass(frozen=True, slots=True)
class Judging:
    """Records judged, and CPU seconds that it took."""

    records: int
    cpu_seconds: float

    @property
    def per_cpu_second(self) -> float:
        """Records per second of CPU."""
        return self.records / self.cpu_seconds


def run(count: int) -> Judging:
    """Judge records in this process. Raises ValueError where hardly any of them would land."""
    lines = [line for line in records(count) if line.endswith(b"]}")]
    judge = _judge()
    landed = 0
    started = time.process_time()
    for line in lines:
        landed += judge.judge(orjson.loads(line)).entity is not None
    took = time.process_time() - started
    if landed < 0.99 * len(lines):
        raise ValueError(f"only {landed} of {len(lines)} records would land: this measures nothing")
    return Judging(len(lines), took)


def measure(times: int) -> Judging:
    """The median of so many runs, each in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.judging"]
    runs = []
    for _ in range(times):
        with Child(command) as child:
            runs.append(Judging(**json.loads(child.expect(120).stdout)))
    return Judging(runs[0].records, median(each.cpu_seconds for each in runs))


def _judge() -> Judge:
    text = files("agent.cli").joinpath("shop.yaml").read_text()
    manifest = validated(Manifest, yaml.safe_load(_TO_FILL.sub("http://127.0.0.1:1", text)))
    schema = schema_of(manifest)
    assert schema is not None
    return Judge(schema, mapping_of(manifest), profile=True)


def main() -> None:
    """Judge the demo's records once."""
    judged = run(_RECORDS)
    print(json.dumps({"records": judged.records, "cpu_seconds": judged.cpu_seconds}))


if __name__ == "__main__":
    main()
