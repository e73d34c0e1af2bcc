"""Is anything ever lost? Kills, starves and misleads the agent, then counts every record."""

import argparse
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from rich.console import Console

from torture.disk import can_mount
from torture.report import as_json, line_of, show
from torture.rounds import Player, Result
from torture.script import SMALL_DISK, Round, round_of, rounds

_EXAMPLES = """\
examples:
  make torture                               30 kills, another seed each time
  make torture SEED=7 KILLS=200              the same script whenever it is run
  make torture SEED=7 ROUND=3                one round of it alone
"""
_STDERR = Console(stderr=True, highlight=False, soft_wrap=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the rounds; exit code 1 where there are findings."""
    args = _arguments(argv)
    seed = random.randrange(10**6) if args.seed is None else args.seed
    _say(f"SEED={seed} repeats this script")
    whole: Iterable[Round] = [round_of(seed, args.round)] if args.round else rounds(seed)
    directory = Path(tempfile.mkdtemp(prefix="torture-", dir=args.directory))
    results: list[Result] = []
    begun = time.monotonic()
    with _STDERR.status("", spinner="line") as status:
        for written in _playable(whole):
            kills = sum(result.kills for result in results)
            if kills >= args.kills or time.monotonic() - begun > args.seconds:
                break
            status.update(f"round {written.number}, {kills} of {args.kills} kills")
            place = directory / f"round-{written.number}"
            result = Player(written, place, _say if args.verbose else status.update).play()
            results.append(result)
            _say(line_of(seed, result))
            if not result.verdict.findings and not args.keep:
                shutil.rmtree(place)
    if args.json:
        print(json.dumps(as_json(seed, results), indent=2))
    else:
        show(seed, results)
    failed = any(result.verdict.findings for result in results)
    if failed or args.keep:
        _say(f"stores, logs, input and scripts: {directory}")
    else:
        directory.rmdir()
    return int(failed)


def _playable(whole: Iterable[Round]) -> Iterator[Round]:
    """Without those rounds that need to mount a disk, where that is not possible."""
    mountable = can_mount()
    for written in whole:
        if written.ill == SMALL_DISK and not mountable:
            _say(f"round {written.number} LEFT OUT: only root may mount the small disk it needs")
        else:
            yield written


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m torture",
        description=__doc__,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--seed", type=int, help="what decides the script (default: by lot)")
    add("--kills", type=int, default=30, help="how many SIGKILLs at least (default: 30)")
    add("--seconds", type=float, default=1e9, help="begin no further round after this time")
    add("--round", type=int, help="only this round of the seed's script")
    add("--directory", type=Path, metavar="DIR", help="where to work (default: the system's)")
    add("--json", action="store_true", help="print the results as JSON")
    add("--keep", action="store_true", help="keep stores, logs and input of every round")
    add("--verbose", action="store_true", help="tell how each life ended")
    return parser.parse_args(argv)


def _say(line: str) -> None:
    _STDERR.print(line, markup=False)


if __name__ == "__main__":
    sys.exit(main())
