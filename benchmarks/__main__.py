"""How fast, how late, how large? Measures all of it in one run and says what misses its target."""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    backlog,
    footprint,
    judging,
    latency,
    memory,
    sockets,
    startup,
    throughput,
)
from benchmarks.children import BenchmarkError, Child
from benchmarks.events import EventFile
from benchmarks.pipeline import Agent
from benchmarks.report import Report

_OUT = Path(__file__).resolve().parent / "out"
# The default; and one so short that batches leave because of it, not because they are full.
_MAX_WAITS_MS = (1_000, 100)
# How often the file is spooled: 300 MB and 2.1 GB; quick: 60 MB and 300 MB.
_COPIES, _COPIES_QUICK = (1, 7), (1, 5)
_EXAMPLES = """\
examples:
  python -m benchmarks                       under five minutes
  python -m benchmarks --quick --check       under a minute; exit 1 if a target is missed
  python -m benchmarks --agent aep-agent     measure the installed command instead of this checkout
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks; the exit code is 1 if a run failed, or with --check missed a target."""
    args = _arguments(argv)
    try:
        report = _measure(args)
    except BenchmarkError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    report.write(args.json)
    report.show()
    _say(f"every measurement is in {args.json}")
    missed = report.missed()
    if missed:
        _say("NOT MET: " + ", ".join(missed))
    return 1 if missed and args.check else 0


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help="a smaller file and fewer rounds")
    parser.add_argument("--check", action="store_true", help="exit 1 if a target is missed")
    parser.add_argument("--megabytes", type=float, help="size of the file (300; quick: 60)")
    parser.add_argument("--rounds", type=int, help="how often each variant runs (5; quick: 2)")
    parser.add_argument("--json", type=Path, default=_OUT / "bench.json", metavar="FILE")
    parser.add_argument("--keep", action="store_true", help="keep the generated file")
    parser.add_argument(
        "--agent",
        type=lambda line: Agent(tuple(shlex.split(line))),
        default=Agent(),
        metavar="COMMAND",
        help="what starts the agent (default: this Python with -m agent)",
    )
    return parser.parse_args(argv)


def _measure(args: argparse.Namespace) -> Report:
    """Everything in one run; memory under a stall comes last because it disturbs its neighbours."""
    quick: bool = args.quick
    file = _generate(args.megabytes or (60 if quick else 300))
    try:
        made = None
        for made in throughput.measure(args.agent, file, args.rounds or (2 if quick else 5)):
            _say(
                f"round {len(made.rounds)}: {made.per_cpu_second('gzip', net=True):.0f} MB per "
                f"CPU-second, {made.ratio('gzip', net=True):.2f} of the limit"
            )
        assert made is not None
        copies = _COPIES_QUICK if quick else _COPIES
        _say("a backlog on disk, small and large")
        on_disk = backlog.measure(args.agent, file, copies)
    finally:
        if not args.keep:
            file.path.unlink()
    seconds = 3.0 if quick else 10.0
    _say(f"latency at {latency.RATE:,} records a second, {seconds:g} s for each max_wait")
    latencies = tuple(
        latency.measure(args.agent, seconds=seconds, max_wait_ms=wait) for wait in _MAX_WAITS_MS
    )
    _say("start-up")
    start_up = startup.measure(args.agent, 4 if quick else 10)
    _say("a stalled inlet")
    stalled = memory.measure(args.agent, 2.0 if quick else 5.0)
    _say("idle connections")
    idle = sockets.idle(args.agent)
    _say("records mapped and validated")
    judged = judging.measure(1 if quick else 3)
    _say("a service")
    seconds = 4.0 if quick else 10.0
    service = footprint.measure(args.agent, seconds)
    limited = None
    if footprint.can_limit():
        try:
            limited = footprint.measure(args.agent, seconds, limit=footprint.LITTLE, stalled=True)
        except BenchmarkError as error:  # the other rows are shown all the same
            _say(f"NOT MET: {footprint.LITTLE >> 20} MiB of memory are not enough: {error}")
    else:
        _say("NOT MEASURED: a memory limit, for which a superuser has to make a cgroup")
    return Report(file, made, latencies, start_up, stalled, on_disk, idle, judged, service, limited)


def _generate(megabytes: float) -> EventFile:
    """Generate the file in a child, whose memory then counts for nobody."""
    path = _OUT / f"events-{megabytes:g}MB.ndjson"
    command = [sys.executable, "-m", "benchmarks.events", str(path), "--megabytes", str(megabytes)]
    _say(f"generating {megabytes:g} MB of events")
    with Child(command) as child:
        made = json.loads(child.expect(120).stdout)
    return EventFile(path, made["records"], made["size"])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
