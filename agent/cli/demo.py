"""aep-agent demo: the whole journey on this machine, without an account."""

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.errors import AgentError

if TYPE_CHECKING:
    from agent.app.summary import Snapshot

HELP = "see the whole journey on this machine, without an account"

_RECORDS = 20_000
_LATENCY_MS = 120  # of an inlet on another continent; without it there would be nothing to see

_FAULTS = (
    "reject=400,message=#/productListItems: discontinued is not a valid enum value,"
    'matching="SKU":"discontinued"',
    "status=503,retry_after=1,after=40,requests=2",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `demo`."""
    parser.description = (
        f"Start the emulator, send {_RECORDS:,} commerce events through the agent, some of them\n"
        "broken on purpose, and say what became of every one of them."
    )
    parser.add_argument("--data-dir", metavar="DIR", help="where to keep what the demo made")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")


def run(args: argparse.Namespace) -> int:
    """Show the journey; 0 when every record got its verdict."""
    directory = _fresh(args.data_dir)
    events = _write_events(directory / "orders.ndjson")
    with _emulator(directory) as inlet:
        done = _send(events, directory, inlet)
    if args.json:
        print(json.dumps(done.as_json(), ensure_ascii=False))
    else:
        print(_told(done, events, directory))
    return 1 if done.held or done.unreadable else 0


def _fresh(data_dir: str | None) -> Path:
    """An empty directory that outlives the demo, so that the commands it names work."""
    from agent.config import default_data_dir

    directory = Path(data_dir) if data_dir else default_data_dir() / "demo"
    if directory.exists():
        if any(directory.iterdir()) and not (directory / "orders.ndjson").exists():
            raise AgentError(f"{directory} holds something else; choose another --data-dir")
        shutil.rmtree(directory)
    try:
        directory.mkdir(parents=True, mode=0o700)
    except OSError as error:
        raise AgentError(f"{directory}: {error.strerror}; choose another --data-dir") from error
    return directory


def _write_events(path: Path) -> Path:
    from agent.cli.commerce import events

    path.write_bytes(b"\n".join(events(_RECORDS)) + b"\n")
    return path


@contextmanager
def _emulator(directory: Path) -> Iterator[dict[str, str]]:
    """The platform in a process of its own, so that the CPU it takes is not the agent's."""
    command = [sys.executable, "-m", "agent", "emulate", "--listen", "127.0.0.1:0"]
    command += ["--latency", str(_LATENCY_MS)]
    for fault in _FAULTS:
        command += ["--fault", fault]
    with (
        (directory / "emulator.log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log) as platform,
    ):
        try:
            assert platform.stdout
            line = platform.stdout.readline()
            if not line:
                raise AgentError(f"the emulator did not start; see {directory / 'emulator.log'}")
            yield json.loads(line)
        finally:
            platform.terminate()


def _send(events: Path, directory: Path, inlet: dict[str, str]) -> "Snapshot":
    from agent.cli.pipeline import deliver
    from agent.cli.progress import printed, view
    from agent.config import load
    from agent.telemetry import logs

    print(f"The platform, emulated, listens on {inlet['listening']}.", file=sys.stderr)
    print(f"Sending {events} …", file=sys.stderr)
    config = load(
        None,
        overrides={
            "inlet.url": inlet["inlet_url"],
            "inlet.flow_id": inlet["flow_id"],
            "sources": [{"type": "file", "paths": [str(events)], "follow": False}],
            "batch.max_bytes": "100KB",
            "delivery.max_in_flight": 4,
            "data_dir": str(directory),
            "admin.listen": "null",
        },
        environ={},
    )
    logs.configure("error")
    return deliver(config, view() if sys.stderr.isatty() else printed)


def _told(done: "Snapshot", events: Path, directory: Path) -> str:
    """The result in plain words, with one record followed from its line to its id."""
    from agent.cli.report import reasons

    me = _own_name()
    lines = [
        "",
        f"  read           {done.read:>8,}",
        f"  accepted       {done.accepted:>8,}   each has an xactionId of the platform",
        f"  dead-lettered  {done.dead_letters:>8,}   kept with their bytes and the reason:",
        *(f"                            {words}" for words in reasons(done)),
        f"  speed          {done.records_per_second:>8,.0f}   records/s,"
        f" with an inlet {_LATENCY_MS} ms away that paused for a second",
        f"  cost           {done.megabytes_per_cpu_second:>8,.0f}   MB of input per CPU-second"
        " (`make bench` measures it in earnest)",
        "",
    ]
    if done.last_receipt:
        *_, xaction_id = done.last_receipt.ids
        last = done.last_receipt.spans[-1]
        line = last.line + last.count - 1
        lines += [
            f"One record followed: line {line:,} of {events.name}",
            f"  became xactionId {xaction_id}",
            f"  {_record(events, line)}",
            "",
            "Try next:",
            f"  {me} dead-letters list --data-dir {directory}",
            f"  {me} receipts find {xaction_id} --data-dir {directory}",
            f"  {me} send --help",
        ]
    return "\n".join(lines)


def _own_name() -> str:
    """What to type for this program: its name, or its path where the name is not found."""
    started_as = Path(sys.argv[0])
    if started_as.name != "aep-agent":
        return "python -m agent"
    found = shutil.which("aep-agent")
    return "aep-agent" if found else os.path.relpath(started_as)


def _record(events: Path, line: int) -> str:
    """The start of the record on that line."""
    with events.open("rb") as lines:
        for number, text in enumerate(lines, 1):
            if number == line:
                return text[:76].decode("utf-8", "ignore") + "…"
    return ""
