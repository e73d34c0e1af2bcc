"""Is anything lost of files that are rotated, while the agent is killed and starved?"""

import argparse
import random
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from torture.rotation.run import Run


def main(argv: Sequence[str] | None = None) -> int:
    """Run once; exit code 1 where there are findings."""
    parser = argparse.ArgumentParser(prog="python -m torture.rotation", description=__doc__)
    parser.add_argument("--seed", type=int, help="what decides the script (default: by lot)")
    parser.add_argument("--lines", type=int, default=1_000_000, help="to write (1,000,000)")
    parser.add_argument("--kills", type=int, default=20, help="how many SIGKILLs (20)")
    args = parser.parse_args(argv)
    seed = random.randrange(10**6) if args.seed is None else args.seed
    print(f"SEED={seed} repeats this script, though not its timing", file=sys.stderr)
    directory = Path(tempfile.mkdtemp(prefix="rotation-"))
    account = Run(directory, seed, args.lines, args.kills).play()
    print(account.told())
    if account.findings:
        print(f"files, store and log: {directory}")
        return 1
    shutil.rmtree(directory)
    return 0


if __name__ == "__main__":
    sys.exit(main())
