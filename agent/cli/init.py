"""aep-agent init: how does somebody come by a first configuration that is right?"""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.cli.exits import DONE, FAILED, USAGE
from agent.errors import ConfigError, InputError

if TYPE_CHECKING:
    from agent.cli.first_config import Answers

HELP = "write a first configuration, with comments"

_EPILOG = """\
What no flag says is asked for on a terminal; elsewhere --inlet-url and --flow-id are needed, unless
AEP_INLET_URL and AEP_FLOW_ID are set, to which the file then refers. ${NAME} in any value is read
from the environment of the agent. A file that is there is left alone, unless --force is given.

sources: stdin, file:PATTERN, tcp:HOST:PORT, udp:HOST:PORT, unix:PATH, http:HOST:PORT

exit status: 0 written; 1 the file is there, or cannot be written; 2 something is missing; 78 what
was said makes no configuration; 130 Ctrl-C

examples:
  aep-agent init
  aep-agent init agent.yaml --inlet-url URL --flow-id ID --source 'file:/var/log/app/*.json'
  AEP_INLET_URL=… AEP_FLOW_ID=… aep-agent init - --source tcp:127.0.0.1:5170 > agent.yaml"""
_STAND_IN = "http://127.0.0.1/collection/0123"  # does for an URL, an id, and a name alike


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The flags of `init`."""
    parser.description = "Write a configuration to begin with, which `aep-agent check` finds right."
    parser.epilog = _EPILOG
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        default="aep-agent.yaml",
        help="where to (aep-agent.yaml); - is standard output",
    )
    parser.add_argument("--inlet-url", metavar="URL", help="the inletUrl of the HTTP API source")
    parser.add_argument("--flow-id", metavar="ID", help="the id of the dataflow")
    parser.add_argument(
        "--source",
        action="append",
        metavar="SOURCE",
        help="where records come from (stdin); repeat",
    )
    parser.add_argument("--token-file", metavar="FILE", help="holds the inlet's bearer token")
    parser.add_argument("--client-id", metavar="ID", help="of an OAuth server-to-server credential")
    parser.add_argument("--client-secret-file", metavar="FILE", help="holds its secret")
    parser.add_argument("--data-dir", metavar="DIR", help="where the store is to be")
    parser.add_argument("--force", action="store_true", help="overwrite a file that is there")


def run(args: argparse.Namespace) -> int:
    """Ask what is missing, and write the file. ConfigError where the answers make none."""
    from agent.cli.first_config import config_text
    from agent.cli.stored import say

    target = Path(args.file)
    is_output = args.file == "-"
    if not is_output and not args.force and os.path.lexists(target):
        say(f"aep-agent: {target} is there already, and was left alone; --force overwrites it")
        return FAILED
    if bool(args.client_id) != bool(args.client_secret_file):
        say("aep-agent: --client-id and --client-secret-file belong together; nothing was written")
        return USAGE
    answers = _answers(args)
    if answers is None:
        say("aep-agent: say --inlet-url and --flow-id; nothing was written")
        return USAGE
    try:
        content = config_text(answers)
    except ValueError as error:
        say(f"aep-agent: --source: {error}; nothing was written")
        return USAGE
    if is_output:
        with _checked(content, target, None):
            print(content, end="")
        return DONE
    if not _put(content, target, overwrite=args.force):
        say(f"aep-agent: {target} is there by now, and was left alone; --force overwrites it")
        return FAILED
    say(f"wrote {target}; next:\n  aep-agent check {target}\n  aep-agent run {target}")
    return DONE


def _answers(args: argparse.Namespace) -> "Answers | None":
    """What flags, environment and, on a terminal, a person say; None where something is missing."""
    from agent.cli.first_config import SOURCES, Answers

    is_asked = sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()
    url = args.inlet_url or _reference("AEP_INLET_URL")
    flow = args.flow_id or _reference("AEP_FLOW_ID")
    sources = args.source
    if is_asked:
        if not args.inlet_url:
            url = _ask("inletUrl of the HTTP API source", url)
        if not args.flow_id:
            flow = _ask("id of the dataflow", flow)
        if not sources:
            kinds = "\n".join(f"  {spec:<16}{words}" for spec, words in SOURCES.items())
            print(f"where do records come from?\n{kinds}", file=sys.stderr)
            sources = [_ask("source", "stdin")]
    if not url or not flow:
        return None
    return Answers(
        url,
        flow,
        tuple(sources or ["stdin"]),
        args.token_file,
        args.client_id,
        args.client_secret_file,
        args.data_dir,
    )


def _reference(variable: str) -> str:
    return f"${{{variable}}}" if os.environ.get(variable) else ""


def _ask(what: str, default: str) -> str:
    """What somebody types, or else the default; asked again where there is neither."""
    while True:
        print(f"{what}{f' [{default}]' if default else ''}: ", end="", file=sys.stderr, flush=True)
        line = sys.stdin.readline()
        if not line:
            raise KeyboardInterrupt
        if answer := line.strip() or default:
            return answer


def _put(content: str, target: Path, *, overwrite: bool) -> bool:
    """Put the content there at once, or not at all: False where something is there by now."""
    with _checked(content, target, target.parent) as path:
        path.chmod(0o644)
        if overwrite:
            path.replace(target)
            return True
        try:
            target.hardlink_to(path)
        except FileExistsError:
            return False
        return True


@contextmanager
def _checked(content: str, target: Path, directory: Path | None) -> Iterator[Path]:
    """A file of this content for the time being, once it is known that `check` finds it right."""
    try:
        descriptor, name = tempfile.mkstemp(dir=directory, prefix=f".{target.name}.")
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from error
    path = Path(name)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        _check(path, target, content)
        yield path
    finally:
        path.unlink(missing_ok=True)


def _check(path: Path, target: Path, content: str) -> None:
    from agent.config import load
    from agent.config.variables import variables_in

    # whoever writes ${NAME} may set it only where the agent runs
    names = [reference[2:-1] for reference in variables_in(content)]
    environ = {name: os.environ.get(name) or _STAND_IN for name in names}
    try:
        load(path, environ=environ)
    except ConfigError as error:
        raise ConfigError(str(error).replace(str(path), str(target))) from None
