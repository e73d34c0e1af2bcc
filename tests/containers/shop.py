"""The shop of deploy/kubernetes, and whether what it sold is what the platform has."""

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from containers.manifests import KUBERNETES
from support.emulator import Remote

SCRIPT = KUBERNETES / "overlays" / "sidecar" / "shop.py"


@contextmanager
def selling(
    file: Path, socket: str, push: str, last_words: float
) -> Iterator["subprocess.Popen[bytes]"]:
    """The shop as a process; killed with the test."""
    there = {
        "SHOP_FILE": str(file),
        "SHOP_SOCKET": socket,
        "SHOP_PUSH": push,
        "SHOP_LAST_WORDS": str(last_words),
    }
    shop = subprocess.Popen(
        [sys.executable, SCRIPT],
        env={**os.environ, **there},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield shop
    finally:
        if shop.poll() is None:
            shop.kill()
        shop.communicate()


def sold(printed: str) -> int:
    """How many orders it took, by its last line."""
    return int(json.loads(printed.splitlines()[-1])["sold"])


def all_arrived(orders: int, emulator: Remote) -> None:
    """Fail unless each of so many orders was accepted, and once."""
    accepted = Counter(json.loads(record)["order"] for record in emulator.records())
    wanted = Counter(range(orders))
    assert accepted == wanted, (accepted - wanted, wanted - accepted)
