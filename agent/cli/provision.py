"""aep-agent provision: how does a flow come to be on the platform, and how does it go again?"""

import argparse
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.cli.telling import tell

if TYPE_CHECKING:
    from agent.provision.apply import Applied, Tell
    from agent.provision.manifest.loading import Written
    from agent.provision.state import Place, StateFile

HELP = "make schema, dataset, mapping and flow on the platform, from one manifest"

_DONE, _FAILED, _USAGE = 0, 1, 2
_SAMPLE_RECORDS = 1000
_EPILOG = """\
Secrets stand in no manifest, state or output: they come from the environment or from files. What
was made is noted beside the manifest, in MANIFEST.state.json; keep that file: it says what is ours.

exit status: 0 done; 1 the platform or a file failed, and doing it again goes on from there; 2 wrong
usage, or not confirmed; 78 the manifest or the state is wrong, or somebody else works on it

examples:
  aep-agent provision init --from orders.ndjson -o orders.yaml
  aep-agent provision plan orders.yaml
  aep-agent provision apply orders.yaml && aep-agent run orders.agent.yaml
  aep-agent provision show orders.yaml
  aep-agent provision destroy orders.yaml
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The actions of `provision` and their flags."""
    parser.description = (
        "Make what a flow of records needs on the platform: connections, schema, dataset, mapping\n"
        "and the flow itself, as one manifest says; and the agent's configuration for it."
    )
    parser.epilog = _EPILOG
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, help_line in (
        ("plan", "what would be done, and what is not as the manifest says; changes nothing"),
        ("apply", "do it; doing it again goes on where it was cut off, and makes nothing twice"),
        ("destroy", "take away what was made, and say what stays"),
        ("show", "what was made so far, without asking the platform"),
    ):
        action = actions.add_parser(name, help=help_line)
        action.add_argument("manifest", metavar="MANIFEST", type=Path, help="a YAML file")
        if name in ("plan", "show"):
            action.add_argument("--json", action="store_true", help="print one JSON object")
        if name == "destroy":
            action.add_argument("--yes", action="store_true", help="do not ask")
    initial = actions.add_parser("init", help="write a manifest to edit, inferred from records")
    initial.add_argument(
        "--from", dest="sample", metavar="FILE", required=True, help="records, NDJSON (- is stdin)"
    )
    initial.add_argument("-o", "--output", metavar="FILE", type=Path, help="write there")
    initial.add_argument("--name", metavar="NAME", help="name of the flow (the file's name)")
    initial.add_argument(
        "--records",
        metavar="N",
        type=int,
        default=_SAMPLE_RECORDS,
        help=f"records to look at ({_SAMPLE_RECORDS})",
    )


def run(args: argparse.Namespace) -> int:
    """Plan, apply, destroy, show or init."""
    actions = {
        "plan": _plan,
        "apply": _apply,
        "destroy": _destroy,
        "show": _show,
        "init": _init,
    }
    try:
        return actions[args.action](args)
    except KeyboardInterrupt:
        if args.action in ("apply", "destroy"):
            print("aep-agent: interrupted; the same command goes on from there", file=sys.stderr)
        raise


def _plan(args: argparse.Namespace) -> int:
    from agent.aep.platform import Platform
    from agent.cli.planned import as_object, in_words
    from agent.provision.checks import doubts
    from agent.provision.objects.kind import Known
    from agent.provision.plan import planned
    from agent.provision.state import path_beside, read

    written = _loaded(args.manifest)
    state = read(path_beside(args.manifest), _place(written))

    async def look() -> Any:
        async with Platform.of(written.manifest.platform) as platform:
            tenant = await platform.schemas.tenant()
            doubtful = await doubts(written, platform, tenant)
            return await planned(written.manifest, state, platform, Known(tenant)), doubtful

    plan, doubtful = _run(look())
    if args.json:
        print(json.dumps(as_object(written, plan, doubtful), indent=2, ensure_ascii=False))
    else:
        print(in_words(written, plan, doubtful))
    return _DONE


def _apply(args: argparse.Namespace) -> int:
    from agent.cli.planned import result_in_words

    tell(result_in_words(applied(args.manifest, tell)))
    return _DONE


def applied(manifest: Path, tell: "Tell") -> "Applied":
    """Carry a manifest out; what came of it. Raises ConfigError, PlatformError, StoreError."""
    from agent.aep.platform import Platform
    from agent.provision.apply import apply
    from agent.provision.checks import doubts

    written = _loaded(manifest)

    async def work(file: "StateFile") -> "Applied":
        async with Platform.of(written.manifest.platform) as platform:
            for doubt in await doubts(written, platform, await platform.schemas.tenant()):
                tell(f"note: {doubt}")
            return await apply(written, file, platform, tell)

    with _state_of(written) as file:
        done: Applied = _run(work(file))
    return done


def _destroy(args: argparse.Namespace) -> int:
    from agent.aep.platform import Platform
    from agent.cli.planned import fates_in_words
    from agent.provision.destroy import destroy, fates

    written = _loaded(args.manifest)

    async def work(file: "StateFile") -> int:
        async with Platform.of(written.manifest.platform) as platform:
            found = await fates(written.manifest, file.state, platform)
            if not found:
                tell("nothing was made by this manifest: nothing to take away")
                return _DONE
            tell(fates_in_words(found))
            if not args.yes and any(not each.stays for each in found) and not _confirmed():
                print("aep-agent: not confirmed: nothing was taken away", file=sys.stderr)
                return _USAGE
            await destroy(found, file, platform, tell)
            return _DONE

    with _state_of(written) as file:
        return int(_run(work(file)))


def _show(args: argparse.Namespace) -> int:
    from agent.cli.planned import state_as_object, state_in_words
    from agent.cli.stored import say
    from agent.provision.state import path_beside, read

    path = path_beside(args.manifest)
    if not path.exists():
        say(f"nothing was made yet: there is no {path}")
        return _DONE
    state = read(path)
    if args.json:
        print(json.dumps(state_as_object(state), indent=2, ensure_ascii=False))
    else:
        print(state_in_words(state))
    return _DONE


def _init(args: argparse.Namespace) -> int:
    from agent.cli.stored import say
    from agent.provision.inferring import read_sample
    from agent.provision.writing import manifest_text

    name = args.name or (Path(args.sample).stem if args.sample != "-" else "records")
    sample = read_sample(args.sample, args.records)
    text = manifest_text(name, sample)
    if args.output is None:
        print(text, end="")
    else:
        try:
            with args.output.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            say(f"{args.output} exists: it is left as it is; choose another name")
            return _FAILED
        say(f"{args.output} written: edit it, then `aep-agent provision plan {args.output}`")
    for words in sample.remarks():
        say(words)
    return _DONE


def _loaded(path: Path) -> "Written":
    from agent.provision.manifest.loading import load
    from agent.telemetry import logs

    logs.configure("warning", "auto", 0.0)
    return load(path)


def _place(written: "Written") -> "Place":
    from agent.provision.state import Place

    settings = written.manifest.platform
    return Place(url=settings.url, org_id=settings.org_id, sandbox=settings.sandbox)


def _state_of(written: "Written") -> "StateFile":
    from agent.provision.state import StateFile, path_beside

    return StateFile.open(path_beside(written.path), _place(written))


def _run(work: Any) -> Any:
    import asyncio

    return asyncio.run(work)


def _confirmed() -> bool:
    if sys.stdin is None or not sys.stdin.isatty():
        print("aep-agent: nobody can be asked here; --yes takes it away", file=sys.stderr)
        return False
    with suppress(EOFError):
        return input("take away what is not said to stay? (yes/no) ").strip().lower() == "yes"
    return False
