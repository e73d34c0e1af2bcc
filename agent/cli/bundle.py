"""aep-agent bundle: what does who helps need to know, without a secret and without a record?"""

import argparse
import io
import os
import platform
import sys
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from agent.cli.admin_port import add_admin_port
from agent.cli.exits import DONE
from agent.errors import InputError

HELP = "gather what support needs into one file, without secrets and records"

_EPILOG = """\
In it: versions, the effective configuration with origins and masked secrets, /status, /metrics and
the probes of a running agent, counts of the store, facts of the system, and the agent's own lines
of the log files given. Not in it: records, dead letters, receipts, what the platform said of
records, secrets, values of environment variables, ids of inlets, other lines of logs. What could
not be gathered is told in about.json. Look into it before it is handed on: tar -xzOf FILE.

exit status: 0 written, whatever could not be gathered; 1 the file is there, or cannot be written

examples:
  aep-agent bundle --config /etc/aep-agent/aep-agent.yaml
  journalctl -u aep-agent -o cat -n 5000 > agent.log; aep-agent bundle -c agent.yaml --log agent.log
  aep-agent bundle --config agent.yaml -o - | tar -tzf -"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `bundle`."""
    parser.description = (
        "Gather what support needs to know about an agent on this machine into a .tar.gz file."
    )
    parser.epilog = _EPILOG
    add_admin_port(parser)
    parser.add_argument("--data-dir", metavar="DIR", type=Path, help="where the store is")
    parser.add_argument(
        "--log",
        metavar="FILE",
        action="append",
        default=[],
        help="log in JSON of the agent; repeat",
    )
    parser.add_argument(
        "--output", "-o", metavar="FILE", help="where to (aep-agent-bundle-….tar.gz); - is stdout"
    )


def run(args: argparse.Namespace) -> int:
    """Gather, and write the file. Raises InputError where it cannot be written."""
    from agent.cli.bundled import gathered
    from agent.cli.stored import say

    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    name = f"aep-agent-bundle-{platform.node() or 'host'}-{stamp}".replace("/", "_")
    if args.output == "-":
        _write(gathered(args), name, sys.stdout.buffer)
        return DONE
    path = Path(args.output or f"{name}.tar.gz")
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                parts = gathered(args)
                _write(parts, name, file)
        except BaseException:
            path.unlink()  # half a bundle is of no use, and stands in the way of the next one
            raise
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from error
    for part, content in parts.items():
        say(f"  {part:<16} {len(content):>10,} bytes")
    say("look into it before it is handed on: it has no secrets and no records, but names of hosts")
    print(path)
    return DONE


def _write(parts: Mapping[str, bytes], name: str, file: BinaryIO) -> None:
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for part, content in parts.items():
            member = tarfile.TarInfo(f"{name}/{part}")
            member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
            archive.addfile(member, io.BytesIO(content))
