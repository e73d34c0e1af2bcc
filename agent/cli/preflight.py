"""aep-agent preflight: what would the platform say of these records, if they were sent?"""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from agent.cli.flow_meant import add_flow
from agent.cli.telling import tell

if TYPE_CHECKING:
    from agent.config.platform import PlatformSettings
    from agent.preflight.fetching import Fetched
    from agent.preflight.findings import Findings
    from agent.preflight.rules import Rules
    from agent.preflight.sampling import Reservoir
    from agent.preflight.synchronous import Compared

HELP = "judge records as the platform will, before any of them is sent"

_T = TypeVar("_T")
_FINE, _SOME_REJECTED, _USAGE = 0, 3, 2
_PLACES = 5
_REQUEST_BYTES = 1_000_000
_DESCRIPTION = """\
Run every record of the files, or of standard input (-), through the mapping set and the schema of
a flow, here on this machine, and say which would be rejected, and why. One JSON object a line;
gzip is decompressed. Nothing is sent, except by --sync."""
_EPILOG = """\
Where the rules come from, one of these:
  --flow NAME|ID           the flow on the platform: its mapping set, schema and dataset are fetched
  --config FILE            the same for the flow of an agent's configuration (section `platform`)
  --manifest FILE          a provisioning manifest, applied or not; the platform is only asked for
                           components of schemas that are not known here
  --schema FILE [--mapping FILE]   JSON files: a schema (whole, as xed-full, or of Adobe's usual
                           components and those in --xdm DIR), and a mapping set; without one the
                           records are XDM

--sync N sends N of the records, some of each kind of error, to be validated by the platform, too,
and compares: 60 a minute, and only in one of its data centres. Those that pass are taken in as any
record is; those that fail are dropped.

Warnings keep no record from landing: a mapping that gave nothing for it, no identity, or more than
10 kB (events) or 100 kB (others) where the dataset feeds Profile, which leaves those out silently.

exit status: 0 all would land; 3 some would be rejected, or --sync said otherwise; 1 the platform or
a file could not be read; 2 wrong usage; 78 the configuration, manifest, schema or mapping is wrong

examples:
  aep-agent preflight --flow Orders --config agent.yaml orders.ndjson
  aep-agent preflight --manifest orders.yaml orders.ndjson
  zcat old/*.gz | aep-agent preflight --schema orders.json --mapping mapping.json -
  aep-agent preflight --flow Orders --config agent.yaml --sync 30 --json orders.ndjson"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `preflight`."""
    parser.description = _DESCRIPTION
    parser.epilog = _EPILOG
    parser.add_argument("files", metavar="FILE", nargs="+", help="files, or - for standard input")
    add_flow(parser)
    add = parser.add_argument
    add("--manifest", metavar="FILE", type=Path, help="a provisioning manifest")
    add("--schema", metavar="FILE", type=Path, help="a JSON file with an XDM schema")
    add("--mapping", metavar="FILE", type=Path, help="a JSON file with a mapping set")
    add("--xdm", metavar="DIR", type=Path, help="with --schema: further components (Adobe's files)")
    add("--limit", metavar="N", type=_count, help="look only at the first N lines")
    add("--show", metavar="N", type=_count, default=_PLACES, help="lines named of each kind (5)")
    add("--sync", metavar="N", type=_count, default=0, help="have the platform validate N, too")
    add(
        "--processes",
        metavar="N",
        type=_count,
        default=os.cpu_count() or 1,
        help="processes at once (one for each processor)",
    )
    add("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Examine; 3 where a record would be rejected."""
    from agent.cli.examined import as_object, in_words
    from agent.preflight.reading import blocks
    from agent.preflight.running import examined
    from agent.preflight.sampling import Reservoir

    if wrong := _contradiction(args):
        print(f"aep-agent: {wrong}", file=sys.stderr)
        return _USAGE
    decided = _decided(args)
    rules = decided.rules
    doubts = rules.doubts()
    lines = blocks(args.files, rules.record_bytes_max, args.limit)
    reservoir = Reservoir(args.sync)
    began = time.monotonic()
    with _progress(args) as on_progress:
        found = examined(
            reservoir.passing(lines) if args.sync else lines,
            rules,
            places_max=max(args.show, 1),
            whole_max=args.sync,
            processes=args.processes,
            on_progress=on_progress,
        )
    seconds = time.monotonic() - began
    compared = _asked(decided, reservoir, found) if args.sync else []
    if args.json:
        told = as_object(found, decided.of, doubts, compared, seconds)
        tell(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        tell(in_words(found, decided.of, doubts, compared, seconds, show=args.show))
    disagrees = any(not each.agree for each in compared)
    return _SOME_REJECTED if found.rejected or disagrees else _FINE


@dataclass(frozen=True, slots=True)
class _Decided:
    """What decides, where that is from, in words, and the flow it was fetched of."""

    rules: "Rules"
    of: str
    fetched: "Fetched | None" = None
    platform: "PlatformSettings | None" = None


def _contradiction(args: argparse.Namespace) -> str | None:
    """What of the flags does not go together."""
    if args.manifest and args.schema:
        return "--manifest and --schema do not go together: each says which schema"
    from_files = args.manifest or args.schema
    if from_files and (args.flow or args.config):
        return "--manifest or --schema do not go with --flow and --config: each says which rules"
    if args.mapping and not args.schema:
        return "--mapping needs --schema FILE"
    if args.xdm and not args.schema:
        return "--xdm needs --schema FILE"
    if args.sync and from_files:
        return "--sync needs a flow on the platform: --flow or --config"
    if not from_files and not args.flow and not args.config:
        return "say by which rules: --flow, --config, --manifest or --schema"
    return None


def _decided(args: argparse.Namespace) -> _Decided:
    """The rules that the flags mean. Raises ConfigError, PlatformError."""
    if args.schema:
        from agent.preflight.given import of_files

        rules = of_files(args.schema, args.mapping, args.xdm, _REQUEST_BYTES)
        mapped = f" and the mapping set in {args.mapping}" if args.mapping else ""
        return _Decided(rules, f"the schema in {args.schema}{mapped}")
    if args.manifest:
        from agent.preflight.given import of_manifest
        from agent.provision.manifest.loading import load

        rules = _wait_for(of_manifest(load(args.manifest), _REQUEST_BYTES))
        return _Decided(rules, f"the manifest {args.manifest}")
    return _wait_for(_fetched(args))


async def _fetched(args: argparse.Namespace) -> _Decided:
    from agent.aep.platform import Platform
    from agent.cli.flow_meant import flow_meant
    from agent.preflight.fetching import fetched

    meant = flow_meant(args)
    most = meant.settings.inlet.max_request_bytes
    async with Platform.of(meant.platform) as platform:
        ids = meant.settings.record_id
        found = await fetched(platform, meant.wanted, most, meant.platform.org_id, ids)
    return _Decided(found.rules, str(found.way), found, meant.platform)


def _asked(decided: _Decided, reservoir: "Reservoir", found: "Findings") -> "list[Compared]":
    """What synchronous validation says of the records that were chosen."""
    from agent.preflight.asking import ask
    from agent.preflight.examining import Examiner

    assert decided.fetched
    assert decided.platform
    chosen = reservoir.chosen(found, Examiner(decided.rules, 1))
    return _wait_for(ask(decided.platform, decided.fetched, chosen))


@contextmanager
def _progress(args: argparse.Namespace) -> "Iterator[Callable[[Findings], None]]":
    """Who is told how far it is: a bar where somebody looks at a terminal, else nobody."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    from agent.preflight.reading import total_bytes

    total = None if args.limit is not None else total_bytes(args.files)
    columns = (
        BarColumn(12),
        TaskProgressColumn("{task.percentage:>3.0f}%"),
        TextColumn("{task.description}"),
    )
    began = time.monotonic()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=total)

        def tell(found: "Findings") -> None:
            pace = found.records / max(time.monotonic() - began, 0.001)
            words = f"{found.records:,} examined · {found.rejected:,} rejected · {pace:,.0f}/s"
            progress.update(task, completed=found.bytes, description=words)

        yield tell


def _wait_for(work: "Coroutine[Any, Any, _T]") -> "_T":
    import asyncio

    return asyncio.run(work)


def _count(text: str) -> int:
    """A whole number of at least 0."""
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)
