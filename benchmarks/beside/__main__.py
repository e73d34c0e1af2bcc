"""How does this agent compare? Every shipper that is here, through every day, as a table."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import events
from benchmarks.beside import report
from benchmarks.beside.days import DAYS, Day
from benchmarks.beside.shippers import SHIPPERS, Shipper
from benchmarks.beside.trial import Outcome, go_through
from benchmarks.children import BenchmarkError, Child

_PATIENCE = 12.0  # seconds without a verdict until a trial is over
_OUT = Path(__file__).resolve().parents[1] / "out"


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, and show it; the exit code is 1 if a trial failed."""
    args = _arguments(argv)
    here = [each for each in SHIPPERS if each.is_here()]
    outcomes: list[Outcome] = []
    failed = False
    with TemporaryDirectory(prefix="beside-files-") as folder:
        bad = _written(Path(folder) / "bad.ndjson", 5 if args.quick else 20)
        good = _written(Path(folder) / "good.ndjson", 20 if args.quick else 300)
        for day in DAYS:
            file, rounds = (good, 1 if args.quick else 3) if day.fast else (bad, 1)
            for shipper, gzip in _trials(here, day) * rounds:
                _say(f"{day.told}: {shipper.name}")
                try:
                    made = go_through(shipper, day, file, patience=_PATIENCE, gzip=gzip)
                except BenchmarkError as error:
                    failed = True
                    _say(f"NOT MEASURED: {error}")
                else:
                    outcomes.append(made)
    versions = {each.name: each.says_its_version() for each in here}
    args.json.parent.mkdir(parents=True, exist_ok=True)
    measured = {"versions": versions, "outcomes": [asdict(each) for each in outcomes]}
    args.json.write_text(json.dumps(measured, indent=2) + "\n")
    print(report.text(outcomes, versions))
    for shipper in SHIPPERS:
        if shipper not in here:
            print(f"{shipper.name} is not here: {shipper.install}")
    return 1 if failed else 0


def _trials(here: Sequence[Shipper], day: Day) -> list[tuple[Shipper, bool]]:
    """Who goes through a day, with gzip and, where speed is measured, without."""
    both = (True, False) if day.fast else (True,)
    return [
        (each, gzip) for gzip in both for each in here if each.compresses or not (gzip and day.fast)
    ]


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller files, less patience")
    parser.add_argument("--json", type=Path, default=_OUT / "beside.json", metavar="FILE")
    return parser.parse_args(argv)


def _written(path: Path, megabytes: float) -> events.EventFile:
    """Generate a file in a child, whose memory then counts for nobody."""
    command = [sys.executable, "-m", "benchmarks.events", str(path), "--megabytes", str(megabytes)]
    with Child(command) as child:
        made = json.loads(child.expect(120).stdout)
    return events.EventFile(path, made["records"], made["size"])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
