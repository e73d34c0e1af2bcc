"""What is the most one core could do? The agent's C calls in a bare loop over the same file.

Read whole lines of about one batch, split, validate each line, check UTF-8, join with separators,
compress: no record is touched in Python, nothing is sent, stored, counted or answered. It imports
nothing of the agent. Run as `python -m benchmarks.limit FILE`; prints one JSON line.
"""

import argparse
import json
import os
import resource
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import msgspec
from isal import isal_zlib

READ_BYTES = 900_000  # the agent's default batch.max_bytes
_GZIP = 31  # zlib's window bits for a gzip wrapper


class _AnyObject(msgspec.Struct):
    """Without fields: every member of an object is checked as JSON and nothing is built."""


def blocks(descriptor: int, size: int = READ_BYTES) -> Iterator[bytes]:
    """Whole lines of at most about `size` bytes at a time, without the last line's newline."""
    rest = b""
    while piece := os.read(descriptor, size - len(rest)):
        end = piece.rfind(b"\n")
        if end < 0:
            raise ValueError(f"a line of this file is longer than {size} bytes")
        yield rest + piece[:end]
        rest = piece[end + 1 :]
    if rest:
        yield rest


def keep_freed_memory() -> None:
    """Have glibc keep freed blocks for reuse, where it would give half a megabyte back each time.

    It keeps what is smaller than the largest mapping freed so far; this one is never touched and
    costs no memory. A fifth of the loop's CPU was page faults without it. [glibc: mallopt(3),
    M_MMAP_THRESHOLD is dynamic]
    """
    bytes(8 << 20)


def run(path: Path, *, compress: bool) -> dict[str, float]:
    """Encode the file as request bodies, and drop them; returns counts and CPU seconds."""
    keep_freed_memory()
    decode = msgspec.json.Decoder(_AnyObject).decode
    records = size = encoded = 0
    started, wall = _cpu_seconds(), time.perf_counter()
    descriptor = os.open(path, os.O_RDONLY)
    try:
        for block in blocks(descriptor):
            lines = block.split(b"\n")
            deque(map(decode, lines), maxlen=0)
            if not block.isascii():
                # Line by line: five times faster than the text of a whole block, which leaves
                # the processor's cache.
                deque(map(bytes.decode, lines), maxlen=0)
            body = b'{"messages":[' + b",\n".join(lines) + b"]}"
            if compress:
                body = isal_zlib.compress(body, 1, _GZIP)
            records += len(lines)
            size += len(block) + 1
            encoded += len(body)
    finally:
        os.close(descriptor)
    return {
        "records": records,
        "bytes": size,
        "bytes_encoded": encoded,
        "cpu_seconds": _cpu_seconds() - started,
        "wall_seconds": time.perf_counter() - wall,
    }


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure the limit over the file named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.limit", description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--compression", choices=("gzip", "none"), default="gzip")
    args = parser.parse_args()
    print(json.dumps(run(args.path, compress=args.compression == "gzip")))


if __name__ == "__main__":
    main()
